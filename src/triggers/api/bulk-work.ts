// The activities of a bulk command: items are found and kept, a few are worked on, the end is written down.

import type { InvocationContext } from '@azure/functions'
import type { DurableClient } from 'durable-functions'
import { record } from '../../operators/operations/log.js'
import { sagaQuery } from '../../operators/schemas/filter.js'
import { deadLetterQuery } from '../../operators/schemas/acts.js'
import {
  type BulkBatch,
  type BulkChoice,
  type BulkJob,
  type BulkProgress,
  type FoundPage,
  inWords,
} from '../../saga/bulk.js'
import type { SagaCommand } from '../../saga/commands.js'
import { SagaError } from '../../saga/errors.js'
import { isOver } from '../../saga/phase.js'
import { readSignal } from '../../saga/signal.js'
import { forgetItems, isStopped, itemsOf, keepItems, pageSize } from './bulk-items.js'
import { resubmit } from './dead-letter-queue.js'
import { pageOfDeadLetters, sourceNamed } from './dead-letters.js'
import { say } from './say.js'
import { serviceBus } from '../service-bus.js'
import { pageOfSagas } from './status.js'
import { clientOf } from '../../task-hub.js'

/** Milliseconds for which a batch waits until a saga has heard the word. */
const patience = 1_500

interface Finding {
  readonly job: BulkJob
  readonly page: number
  readonly token?: string
}

export async function bulkFind({ job, page, token }: Finding, context: InvocationContext): Promise<FoundPage> {
  const client = clientOf(context)
  if (!job.choice) return { count: 0 }
  const { items, next } = await find(client, job.choice, token)
  await keepItems(client, job.id, page, items)
  return { count: items.length, ...(next !== undefined && { token: next }) }
}

async function find(client: DurableClient, { of, query }: BulkChoice, token: string | undefined) {
  const page = { limit: pageSize, ...(token !== undefined && { token }) }
  if (of === 'sagas') {
    const { sagas, next } = await pageOfSagas(client, sagaQuery.parse({ ...query, ...page }))
    return { items: sagas.filter(({ phase }) => !isOver(phase)).map(({ id }) => id), next }
  }
  const { code, ...place } = query
  const { deadLetters, next } = await pageOfDeadLetters({ ...deadLetterQuery.parse(place), ...page })
  const wanted = deadLetters.filter((letter) => code === undefined || letter.code === code)
  return { items: wanted.map(({ queue, sequenceNumber }) => `${queue}/${sequenceNumber}`), next }
}

interface Working {
  readonly job: BulkJob
  readonly page: number
  readonly from: number
  readonly size: number
}

/** May run twice for the same items: a saga hears a word once, and a dead letter that is gone is told as failed. */
export async function bulkBatch({ job, page, from, size }: Working, context: InvocationContext): Promise<BulkBatch> {
  const client = clientOf(context)
  if (await isStopped(client, job.id)) return { done: [], refused: [], failed: [], isStopped: true }
  const all = await itemsOf(client, job.id, page)
  const items = all.slice(from, from + size)
  const came = job.deed.kind === 'resubmit' ? await resubmitAll(items) : await sayToAll(client, commandOf(job), items)
  await note(client, job, came)
  return { ...came, ...(from + size < all.length && { from: from + size }) }
}

interface Ending {
  readonly job: BulkJob
  readonly pages: number
  readonly progress: BulkProgress
}

export async function bulkEnd({ job, pages, progress }: Ending, context: InvocationContext): Promise<void> {
  const client = clientOf(context)
  const { failed: _, ...counts } = progress
  await note(client, job, counts)
  await forgetItems(client, job.id, pages)
}

const note = (client: DurableClient, { actor, role, operation, id: target, reason, deed }: BulkJob, after: object) =>
  record(client, { actor, role, what: `bulk ${inWords(deed)}`, target, reason }, { operation, after })

/** The same in every attempt, so that each saga follows it once. @throws SagaError `BODY_MALFORMED` */
export function commandOf({ id, actor, reason, deed }: Pick<BulkJob, 'id' | 'actor' | 'reason' | 'deed'>): SagaCommand {
  const { command: kind, step } = deed.kind === 'command' ? deed : { command: '', step: undefined }
  if (kind === 'edit' || kind === 'supply')
    throw SagaError.of('BODY_MALFORMED', { member: 'command', why: `'${kind}' is for one saga at a time` })
  const signal = readSignal({ kind: 'command', command: { id, actor, reason, kind, step } })
  if (signal?.kind === 'command') return signal.command
  throw SagaError.of('BODY_MALFORMED', { member: 'step', why: `'${kind}' needs the name of a step` })
}

type Came = Pick<BulkBatch, 'done' | 'refused' | 'failed'>
type Miss = BulkBatch['refused'][number]

async function sayToAll(client: DurableClient, command: SagaCommand, ids: readonly string[]): Promise<Came> {
  const done: string[] = []
  const refused: Miss[] = []
  const failed: Miss[] = []
  await Promise.all(
    ids.map(async (id) => {
      try {
        await say(client, id, command, patience)
        done.push(id)
      } catch (error) {
        if (!(error instanceof SagaError)) throw error
        const miss = { id, why: error.what }
        if (error.code === 'COMMAND_ILLEGAL') refused.push(miss)
        else failed.push(miss)
      }
    }),
  )
  return { done, refused, failed }
}

const queueOf = (item: string) => item.slice(0, item.lastIndexOf('/'))

async function resubmitAll(items: readonly string[]): Promise<Came> {
  const client = await serviceBus()
  const done: string[] = []
  for (const queue of new Set(items.map(queueOf))) {
    const numbers = items.filter((item) => queueOf(item) === queue).map((item) => item.slice(queue.length + 1))
    const gone = await resubmit(client, sourceNamed(queue), numbers)
    done.push(...gone.map((number) => `${queue}/${number}`))
  }
  const left = items.filter((item) => !done.includes(item))
  return { done, refused: [], failed: left.map((id) => ({ id, why: 'it is not there any more, or is being handled' })) }
}
