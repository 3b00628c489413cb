// npm run bench -- operators: how long each question of the operators' API takes among 100,000 sagas, a thousand of them not over, and the first one of all.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InstanceRow } from '../embedded/taskhub/tables.js'
import { fillInstances } from './fill.js'
import { type Figures, percentile, table } from './figures.js'
import { cpuOf, mega, memoryOf } from './process.js'
import { startApp, startPartner } from './whole-way.js'

const total = 100_000
const repeats = 100
const began = Date.parse('2026-01-01T00:00:00Z')

const queries: Readonly<Record<string, string>> = {
  'newest 50': 'sagas',
  'one row': `sagas?rowId=${rowIdOf(54_321)}`,
  open: 'sagas?phase=open',
  'held, of a partner': 'sagas?phase=held&partner=erp',
  'one saga, of a day': 'sagas?saga=account-sync&since=2026-01-01T12:00:00Z&until=2026-01-02T00:00:00Z',
  'a text in 1 of 100': 'sagas?text=email_missing',
  'a text in none': 'sagas?text=nothing-like-it',
  counts: 'sagas/counts',
  'counts of a partner': 'sagas/counts?partner=erp&phase=held,waiting',
  causes: 'sagas/causes',
  partners: 'partners',
  definitions: 'definitions',
  record: `records/contact/${rowIdOf(54_321)}`,
}

export async function benchOperators(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-operators-'))
  await fillInstances(folder, total, rowOf)
  const partner = await startPartner()
  const app = await startApp(folder, partner, { OPERATOR_KEY_ROLE: 'Admin', WATCHDOG_SCHEDULE: '0 0 0 1 1 *' })
  const before = { memory: memoryOf(app.pid).own, cpu: cpuOf(app.pid) }
  const first = await timed(`${app.url}/api/sagas/counts`)
  console.log(
    `The first question, for which ${total} sagas are read: ${Math.round(first)} ms, ${cpuOf(app.pid) - before.cpu} ms of CPU, ` +
      `${mega(memoryOf(app.pid).own - before.memory)} MB of memory more`,
  )
  await asked(app.url, 10)
  console.log(`Over HTTP, ${repeats} times each, in turns\n${table(await asked(app.url, repeats))}`)
  console.log(`${mega(memoryOf(app.pid).own)} MB of memory`)
  await app.stop()
  partner.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function asked(url: string, times: number): Promise<Record<string, Figures[]>> {
  const latencies: Record<string, number[]> = {}
  for (let count = 0; count < times; count++)
    for (const [name, query] of Object.entries(queries))
      (latencies[name] ??= []).push(await timed(`${url}/api/${query}`))
  const figures = Object.entries(latencies).map(([name, all]) => [
    name,
    [{ 'p50 ms': percentile(all, 0.5), 'p95 ms': percentile(all, 0.95), 'longest ms': Math.max(...all) }],
  ])
  return Object.fromEntries(figures)
}

async function timed(url: string): Promise<number> {
  const at = performance.now()
  const response = await fetch(url)
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered HTTP ${response.status}: ${text}`)
  return performance.now() - at
}

function rowIdOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

type Outcome = 'applied' | 'refused' | 'deferred' | 'pending'
type Phase = 'completed' | 'compensated' | 'held' | 'waiting'

/** One in a hundred is held or waits, another one is undone. */
const phaseOf = (number: number): Phase =>
  number % 200 === 0 ? 'held' : number % 200 === 100 ? 'waiting' : number % 100 === 1 ? 'compensated' : 'completed'

/** What becomes of the last step, and why. */
const ends: Readonly<Record<Phase, readonly [Outcome, string | undefined]>> = {
  completed: ['applied', undefined],
  compensated: ['refused', 'HTTP 422 EMAIL_MISSING: A customer needs an e-mail address for invoices.'],
  held: ['refused', 'HTTP 409 CUSTOMER_LOCKED: Customer C-10001 is being merged by somebody.'],
  waiting: ['deferred', 'HTTP 503'],
}

/** As a saga would have left it: three of four onboard a contact, one syncs an account. */
function rowOf(number: number): InstanceRow {
  const [saga, tableName] = number % 4 === 3 ? ['account-sync', 'account'] : ['contact-onboarding', 'contact']
  const createdAt = began + number * 1_000
  const phase = phaseOf(number)
  const isOver = phase === 'completed' || phase === 'compensated'
  const id = `${saga}:${tableName}:${rowIdOf(number)}:${String(number).padStart(20, '0')}`
  const ids = { organizationId: rowIdOf(1), operationId: rowIdOf(number), correlationId: rowIdOf(number) }
  const event = {
    id: String(number).padStart(20, '0'),
    message: 'Create',
    table: tableName,
    rowId: rowIdOf(number),
    ...ids,
  }
  return {
    id,
    name: 'saga',
    version: '',
    executionId: 'e',
    status: isOver ? 'Completed' : 'Running',
    input: JSON.stringify({ saga, version: 1, event }),
    output: isOver ? JSON.stringify({ phase }) : null,
    customStatus: JSON.stringify(statusOf({ id, saga, table: tableName, rowId: rowIdOf(number), phase, createdAt })),
    createdAt,
    updatedAt: createdAt + 500,
    events: 0,
  }
}

function statusOf({
  createdAt,
  ...rest
}: { phase: Phase; createdAt: number } & Readonly<Record<string, unknown>>): object {
  const startedAt = new Date(createdAt).toISOString()
  const endedAt = new Date(createdAt + 500).toISOString()
  const [outcome, reason] = ends[rest.phase]
  const step = (name: string, partner: string) => ({
    name,
    partner,
    action: name,
    outcome: 'applied',
    attempts: 1,
    startedAt,
    endedAt,
    ...(rest.phase === 'compensated' && { undo: { outcome: 'applied', attempts: 1, startedAt, endedAt } }),
  })
  const until = '2030-01-01T00:00:00.000Z'
  return {
    ...rest,
    version: 1,
    startedAt,
    updatedAt: endedAt,
    ...(rest.phase === 'held' && { waitsFor: { kind: 'operator', why: reason } }),
    ...(rest.phase === 'waiting' && { waitsFor: { kind: 'retry', why: reason, until } }),
    steps: [
      step('snapshot', 'dataverse'),
      step('register', 'master-data'),
      step('store-key', 'dataverse'),
      { ...step('create-customer', 'erp'), outcome, ...(reason !== undefined && { reason }) },
    ],
    owed: [],
    log: [],
  }
}
