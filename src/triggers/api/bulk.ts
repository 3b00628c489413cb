// POST /api/bulk and what is below it: a command to many sagas, or dead letters resubmitted, as a durable job.

import { randomUUID } from 'node:crypto'
import type { DurableClient } from 'durable-functions'
import { z } from 'zod'
import { names } from '../../names.js'
import { actorOf, roleOf } from '../../operators/access.js'
import { record, recorded } from '../../operators/operations/log.js'
import type { Asked, Told } from '../../operators/route.js'
import type { Routes } from '../../operators/routes.js'
import {
  type BulkChoice,
  type BulkDeed,
  type BulkInput,
  type BulkJob,
  type BulkProgress,
  inWords,
  unbegun,
} from '../../saga/bulk.js'
import { SagaError } from '../../saga/errors.js'
import { pageOfInstances, statusOrNone } from '../../task-hub.js'
import { keepItems, pageSize, stopJob } from './bulk-items.js'
import { commandOf } from './bulk-work.js'
import { sourceNamed } from './dead-letters.js'
import type { Handler } from '../serve.js'

const prefix = 'bulk:'
const usualPace = 10

/** 202 when it is durably begun. */
export const startBulk: Handler<Routes['startBulk']> = async ({ body, caller }, { client }) => {
  const { reason, perSecond = usualPace } = body
  const { deed, choice, items } = readBody(body)
  const startedAt = new Date().toISOString()
  // Ids in the order of time.
  const id = `${prefix}${startedAt}:${randomUUID().slice(0, 8)}`
  const asked = { actor: actorOf(caller, body.actor), role: roleOf(caller), reason }
  if (deed.kind === 'command') commandOf({ id, deed, ...asked })
  const before = choice ?? { items: items.length }
  const operation = await record(client, { ...asked, what: `bulk ${inWords(deed)}`, target: id, before })
  const job: BulkJob = { id, ...asked, operation, deed, perSecond, startedAt, ...(choice && { choice }) }
  const pages = Math.ceil(items.length / pageSize)
  for (let page = 0; page < pages; page++)
    await keepItems(client, id, page, items.slice(page * pageSize, (page + 1) * pageSize))
  const input: BulkInput = {
    job,
    pages,
    ...(choice && { finding: {} }),
    next: { page: 0, from: 0 },
    progress: { ...unbegun, total: items.length },
  }
  await client.startNew(names.bulk, { instanceId: id, input })
  return { id }
}

interface Wanted {
  readonly deed: BulkDeed
  readonly choice?: BulkChoice
  readonly items: readonly string[]
}

/** @throws SagaError `BODY_MALFORMED`, `QUERY_MALFORMED` */
function readBody(body: Asked<Routes['startBulk']>['body']): Wanted {
  if ('resubmit' in body) {
    if (body.resubmit.queue !== undefined) sourceNamed(body.resubmit.queue)
    return { deed: { kind: 'resubmit' }, choice: { of: 'deadLetters', query: body.resubmit }, items: [] }
  }
  const { command, step, filter, ids } = body
  const deed: BulkDeed = { kind: 'command', command, ...(step !== undefined && { step }) }
  if (ids && !filter) return { deed, items: [...new Set(ids)] }
  const { phase, ...texts } = filter ?? {}
  const query = { ...texts, ...(phase && { phase: phase.join(',') }) }
  // All sagas there are is never what somebody means.
  if (ids || Object.keys(query).length === 0)
    throw SagaError.of('BODY_MALFORMED', {
      member: 'filter',
      why: 'either a filter that is not empty is needed, or ids',
    })
  return { deed, choice: { of: 'sagas', query }, items: [] }
}

type Job = Told<Routes['tellBulk']>

export const tellBulk: Handler<Routes['tellBulk']> = async ({ params: { id } }, { client }) => jobOf(client, id)

export const listBulk: Handler<Routes['listBulk']> = async (_, { client }) => {
  const found: unknown[] = []
  let token: string | undefined
  do {
    const { instances, next } = await pageOfInstances(client, {
      limit: 1_000,
      prefix,
      ...(token !== undefined && { token }),
    })
    found.push(...instances)
    token = next
  } while (token !== undefined)
  return { jobs: found.map(read).toSorted((one, other) => (one.id < other.id ? 1 : -1)) }
}

export const stopBulk: Handler<Routes['stopBulk']> = async ({ params: { id }, body, caller }, { client }) => {
  const { state } = await jobOf(client, id)
  const { actor, reason } = { actor: actorOf(caller, body.actor), reason: body.reason }
  const asked = { actor, role: roleOf(caller), what: 'stop bulk', target: id, reason, before: { state } }
  return recorded(client, asked, async () => {
    if (state !== 'running') throw SagaError.of('COMMAND_ILLEGAL', { command: 'stop', why: `it is ${state}` })
    await stopJob(client, id)
    const answer = await jobOf(client, id)
    return { answer, after: { state: 'stopping', done: answer.done } }
  })
}

/** @throws SagaError `BULK_UNKNOWN` */
async function jobOf(client: DurableClient, id: string): Promise<Job> {
  const status = /^bulk:[\w:.-]+$/.test(id) ? await statusOrNone(client, id) : undefined
  if (!status) throw SagaError.of('BULK_UNKNOWN', { id: id.slice(0, 100) })
  return read(status)
}

/** What the orchestration wrote, of this version of us. */
const writtenInput = z.custom<BulkInput>(
  (value) =>
    z.looseObject({ job: z.looseObject({ id: z.string() }), progress: z.looseObject({}) }).safeParse(value).success,
)
const progressed = z.custom<BulkProgress>(
  (value) => z.looseObject({ state: z.string(), total: z.int() }).safeParse(value).success,
)
const platformInstance = z.object({
  runtimeStatus: z.string(),
  input: writtenInput,
  customStatus: progressed.nullish().catch(null),
})

function read(instance: unknown): Job {
  const { runtimeStatus, input, customStatus } = platformInstance.parse(instance)
  const { id, actor, reason, startedAt, deed } = input.job
  const { state, total, done, refused, failed, failedCount, endedAt } = customStatus ?? input.progress
  return {
    id,
    command: inWords(deed),
    actor,
    reason,
    // The orchestration itself was stopped, or has failed.
    state: /^(Failed|Terminated|Canceled)$/.test(runtimeStatus) ? 'stopped' : state,
    total,
    done,
    refused,
    failed,
    failedCount,
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
  }
}
