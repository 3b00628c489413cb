// retry, skip, undo, and what becomes of dead letters: a person's words, each with who and why.

import { z } from 'zod'
import { deadLetterPage } from '../src/operators/schemas/acts.js'
import { commandAnswer, preview } from '../src/operators/schemas/commands.js'
import type { Api } from './api.js'
import { exit, Failure } from './exit.js'
import { pathOf } from './look.js'
import { ago, write, writeJson, writeTable } from './print.js'

export interface Said {
  readonly actor: string
  readonly reason: string | undefined
}

/** @throws Failure without a reason */
function spoken({ actor, reason }: Said): { actor: string; reason: string } {
  if (reason === undefined || reason.trim() === '')
    throw new Failure(exit.usage, 'Say why, with --reason: it is kept in the operations log.')
  return { actor, reason }
}

interface Command {
  readonly id: string
  readonly command: 'retry' | 'skip' | 'cancel'
  readonly step: string | undefined
}

export async function say(api: Api, { id, command, step }: Command, said: Said, asJson: boolean): Promise<number> {
  const body = { ...spoken(said), ...(step !== undefined && { step }) }
  const answer = await api.post(commandAnswer, `${pathOf(id)}/${command}`, body)
  if (asJson) writeJson(answer)
  else
    write(answer.followed ? `${command}: followed` : `${command}: said; the saga listens when it waits the next time`)
  return exit.ok
}

/** Runs nothing. Ends with 1 when the command could not be followed. */
export async function foresee(
  api: Api,
  { id, command, step }: Command,
  { actor }: Said,
  asJson: boolean,
): Promise<number> {
  const told = await api.post(preview, `${pathOf(id)}/${command}/preview`, {
    actor,
    ...(step !== undefined && { step }),
  })
  if (asJson) writeJson(told)
  else if (!told.allowed) write(`${command} can not be followed now: ${told.why ?? ''}`)
  else {
    writeTable(
      ['call', 'partner', 'action', 'request'],
      told.calls.map((call) => [
        call.what === 'do' ? call.step : `${call.what} ${call.step}`,
        call.partner,
        call.action,
        `${call.method ?? ''} ${call.path ?? ''}${call.isPerhaps ? ' (if needed)' : ''}`.trim(),
      ]),
    )
    if (told.becomesIrreversible.length > 0) write(`no way back from: ${told.becomesIrreversible.join(', ')}`)
    write(`then, if all goes well: ${told.phaseAfter}`)
  }
  return told.allowed ? exit.ok : exit.no
}

export async function listDeadLetters(api: Api, queue: string | undefined, asJson: boolean): Promise<number> {
  const page = await api.get(deadLetterPage, 'dead-letters', { queue })
  if (asJson) writeJson(page)
  else
    writeTable(
      ['no', 'queue', 'age', 'code', 'about', 'why'],
      page.deadLetters.map(({ sequenceNumber, queue: from, enqueuedAt, code, event, description }) => [
        sequenceNumber,
        from,
        ago(enqueuedAt),
        code,
        event ? `${event.message} ${event.table} ${event.rowId}` : '',
        description,
      ]),
    )
  return exit.ok
}

interface Settled {
  readonly how: 'resubmit' | 'discard'
  readonly sequenceNumber: string | undefined
  readonly queue: string | undefined
}

export async function settleDeadLetter(
  api: Api,
  { how, sequenceNumber, queue }: Settled,
  said: Said,
  asJson: boolean,
): Promise<number> {
  if (sequenceNumber === undefined) throw new Failure(exit.usage, `Say which: npx saga dead-letters ${how} NO.`)
  const answer = await api.post(
    z.unknown(),
    `dead-letters/${encodeURIComponent(sequenceNumber)}/${how}`,
    spoken(said),
    { queue },
  )
  if (asJson) writeJson(answer)
  else write(`${how}: done`)
  return exit.ok
}
