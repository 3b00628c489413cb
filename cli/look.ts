// list, show, watch: what sagas did, do and wait for.

import { setTimeout } from 'node:timers/promises'
import type { z } from 'zod'
import { calls, sagaDetail, sagaPage } from '../src/operators/schemas/sagas.js'
import type { Api, Query } from './api.js'
import { exit, Failure } from './exit.js'
import { ago, localTime, write, writeJson, writeTable } from './print.js'

type Saga = z.infer<typeof sagaPage>['sagas'][number]
type Detail = z.infer<typeof sagaDetail>

export async function list(api: Api, filter: Query, asJson: boolean): Promise<number> {
  const page = await api.get(sagaPage, 'sagas', filter)
  if (asJson) writeJson(page)
  else {
    writeTable(
      ['phase', 'age', 'id', 'where it stands'],
      page.sagas.map((saga) => [saga.phase, ago(saga.startedAt), saga.id, reasonOf(saga)]),
    )
    if (page.next !== undefined) process.stderr.write(`There are more: --limit, or a narrower filter.\n`)
  }
  return exit.ok
}

const oneSaga = /^[\w-]+:\w+:[0-9a-f-]{36}:[0-9a-f]{20}$/i
const oneRow = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The id itself, or that of a row's latest saga. */
export async function idOf(api: Api, text: string | undefined): Promise<string> {
  if (text === undefined) throw new Failure(exit.usage, 'Say which saga: its id, or that of its row.')
  if (oneSaga.test(text)) return text
  if (!oneRow.test(text)) throw new Failure(exit.usage, `'${text}' is neither the id of a saga nor of a row.`)
  const [latest] = (await api.get(sagaPage, 'sagas', { rowId: text, limit: '1' })).sagas
  if (!latest) throw new Failure(exit.no, `No saga has run for row ${text}.`)
  return latest.id
}

export const pathOf = (id: string) => `sagas/${encodeURIComponent(id)}`

export async function show(api: Api, id: string, withCalls: boolean, asJson: boolean): Promise<number> {
  const saga = await api.get(sagaDetail, pathOf(id))
  const made = withCalls ? await api.get(calls, `${pathOf(id)}/calls`) : undefined
  if (asJson) writeJson(made ? { ...saga, calls: made.calls } : saga)
  else {
    writeSaga(saga)
    if (made) {
      write('')
      writeTable(
        ['call', 'attempt', 'outcome', 'at', 'why'],
        made.calls.map(({ step, what, attempt, outcome, at, reason }) => [
          what === 'do' ? step : `${what} ${step}`,
          String(attempt),
          outcome,
          localTime(at),
          reason ?? '',
        ]),
      )
    }
  }
  return exit.ok
}

function writeSaga(saga: Detail): void {
  write(saga.id)
  write(
    `${saga.phase}, version ${saga.version}, started ${localTime(saga.startedAt)}${saga.endedAt === undefined ? '' : `, ended ${localTime(saga.endedAt)}`}`,
  )
  const reason = reasonOf(saga)
  if (reason !== '') write(reason)
  if (saga.waitsFor && 'until' in saga.waitsFor && saga.waitsFor.until !== undefined)
    write(`until ${localTime(saga.waitsFor.until)} (${saga.waitsFor.until})`)
  write('')
  writeTable(
    ['step', 'partner', 'outcome', 'attempts', 'undo', 'why'],
    saga.steps.map(({ name, partner, outcome, attempts, undo, reason: why }) => [
      name,
      partner,
      outcome,
      String(attempts),
      undo?.outcome ?? '',
      undo?.reason ?? why ?? '',
    ]),
  )
  for (const { step, partner, reason: why } of saga.owed) write(`owed: ${partner} still holds ${step}: ${why}`)
  for (const { at, actor, command, step, reason: why, refused } of saga.log)
    write(
      `${localTime(at)} ${actor}: ${command}${step === undefined ? '' : ` ${step}`}: ${why}${refused === undefined ? '' : ` (refused: ${refused})`}`,
    )
  const possible = saga.commands
    .filter(({ allowed }) => allowed)
    .map(({ command, step }) => (step === undefined ? command : `${command} ${step}`))
  if (possible.length > 0) write(`\npossible now: ${possible.join(', ')}`)
}

const reasonOf = ({ waitsFor, undoneBecause, mergedInto }: Saga) =>
  waitsFor?.why ?? undoneBecause ?? (mergedInto === undefined ? '' : `done by ${mergedInto}`)

const interval = 500

/** A line for whatever changed, until it is over; with `asJson` each state is a line of JSON. */
export async function watch(api: Api, id: string, asJson: boolean): Promise<number> {
  let last = ''
  for (;;) {
    const saga = await api.get(sagaDetail, pathOf(id))
    const line = asJson ? JSON.stringify(saga) : lineOf(saga)
    if (line !== last) write(asJson ? line : `${localTime(new Date().toISOString())}  ${line}`)
    last = line
    if (saga.endedAt !== undefined) return saga.phase === 'completed' ? exit.ok : exit.no
    await setTimeout(interval)
  }
}

function lineOf(saga: Saga): string {
  const done = saga.steps.filter(({ outcome }) => outcome === 'applied').map(({ name }) => name)
  const undone = saga.steps.filter(({ undo }) => undo?.outcome === 'applied').map(({ name }) => name)
  return [
    saga.phase,
    done.length > 0 && `done: ${done.join(', ')}`,
    undone.length > 0 && `undone: ${undone.join(', ')}`,
    reasonOf(saga),
  ]
    .filter(Boolean)
    .join('; ')
}
