// Compares what changed in Dataverse with the sagas that there are: on a timer and on command, names each change that has none, and starts it.

import type { InvocationContext } from '@azure/functions'
import type { DurableClient } from 'durable-functions'
import { z } from 'zod'
import { sagas } from '../../app/index.js'
import { allChanges, type ChangedRow, changesAt, readChanges } from '../../dataverse/change-tracking.js'
import { eventIdFrom, nobody } from '../../dataverse/event-id.js'
import { names } from '../../names.js'
import type { Routes } from '../../operators/routes.js'
import type { Saga } from '../../saga/define.js'
import { SagaError } from '../../saga/errors.js'
import { digestOf } from '../../saga/mark.js'
import {
  type ReconciledPage,
  type ReconcileInput,
  type Span,
  usualSpan,
  type Verdict,
  verdictOf,
} from '../../saga/reconcile.js'
import { newestOf, startOf } from '../../saga/routing.js'
import { clientOf, pageOfInstances } from '../../task-hub.js'
import { toDataverse, wordsOf } from './dataverse-gateway.js'
import { listInstances } from '../instances.js'
import type { Handler } from '../serve.js'
import { startAll } from './start-sagas.js'

const prefix = 'reconcile:'

/** Those that read their row from Dataverse. */
const reconcilable = (): readonly Saga[] => newestOf(sagas).filter((saga) => changesFor(saga) !== undefined)

function changesFor({ steps }: Saga): string | undefined {
  const [snapshot] = steps
  return snapshot?.kind === 'snapshot' ? allChanges(snapshot.action.requestFor({ rowId: nobody }, '')) : undefined
}

/** The timer's: one run for each saga, from where the last one ended. */
export async function reconcileAll(_: unknown, context: InvocationContext): Promise<void> {
  for (const { name } of reconcilable()) await begin(clientOf(context), name)
}

/** POST /api/reconciliations: the same now. `?full=true` reads everything again. Answers the ids of the runs. */
export const startReconciliations: Handler<Routes['startReconciliations']> = async ({ query }, { client }) => {
  const isFull = query.full === 'true'
  return { reconciliations: await Promise.all(reconcilable().map(({ name }) => begin(client, name, isFull))) }
}

/** GET /api/reconciliations: the runs of the last time, the newest first, each with its statement when it has ended. */
export const listReconciliations: Handler<Routes['listReconciliations']> = async (_, { client }) => ({
  reconciliations: (await runsOf(client)).map(({ delta: __, ...run }) => run),
})

const platformRun = z.object({
  instanceId: z.string(),
  runtimeStatus: z.string(),
  createdTime: z.string(),
  customStatus: z.unknown(),
  output: z.unknown(),
})
const statement = z.looseObject({
  saga: z.string(),
  rows: z.number(),
  missingCount: z.number(),
  delta: z.string().optional(),
})

/** Of all sagas, or of one: the platform lists them in no order of time, so all are read. */
async function runsOf(client: DurableClient, saga = '') {
  const found: unknown[] = []
  let token: string | undefined
  do {
    const query = { limit: 1_000, prefix: `${prefix}${saga}`, ...(token !== undefined && { token }) }
    const { instances, next } = await pageOfInstances(client, query)
    found.push(...instances)
    token = next
  } while (token !== undefined)
  return z
    .array(platformRun)
    .parse(found)
    .map(({ instanceId: id, runtimeStatus, createdTime: startedAt, customStatus, output }) => {
      const told = statement.safeParse(output)
      const { delta, ...said } = told.success ? told.data : {}
      return {
        id,
        runtimeStatus,
        startedAt,
        ...(told.success ? { statement: said } : { progress: customStatus }),
        delta,
      }
    })
    .toSorted((one, other) => (one.id < other.id ? 1 : -1))
}

/** Resolves with the run's id; while one of the saga is running, with that one's. */
async function begin(client: DurableClient, saga: string, isFull = false): Promise<string> {
  const runs = await runsOf(client, `${saga}:`)
  const running = runs.find(({ runtimeStatus }) => runtimeStatus === 'Running' || runtimeStatus === 'Pending')
  if (running) return running.id
  const last = runs.find(({ delta }) => delta !== undefined)
  const input: ReconcileInput = { saga, ...(!isFull && last?.delta !== undefined && { delta: last.delta }) }
  // Ids in the order of time.
  return client.startNew(names.reconcile, { instanceId: `${prefix}${saga}:${new Date().toISOString()}`, input })
}

/** The activity: one page of changes. */
export async function reconcilePage(
  { saga: name, at }: { readonly saga: string; readonly at?: string },
  context: InvocationContext,
): Promise<ReconciledPage> {
  const saga = reconcilable().find((one) => one.name === name)
  const first = saga && changesFor(saga)
  if (!saga || first === undefined) throw SagaError.of('SAGA_UNKNOWN', { saga: name, version: 0 })
  const reply = await toDataverse().ask(changesAt(at ?? first), {})
  if (at !== undefined && 'status' in reply && (reply.status === 410 || reply.status === 400))
    return { rows: 0, deleted: 0, young: 0, missing: [], isExpired: true }
  if (!('status' in reply) || reply.status !== 200) throw new Error(`Changes can not be read: ${wordsOf(reply)}.`)
  const { rows, deleted, next, delta } = readChanges(`${saga.on.table}id`, reply.body)
  const client = clientOf(context)
  const verdicts = new Map<ChangedRow, Verdict>()
  // A few at a time: the task hub is for the sagas.
  const left = [...rows]
  const look = async () => {
    for (let row = left.pop(); row; row = left.pop()) verdicts.set(row, await verdict(client, saga, row))
  }
  await Promise.all(Array.from({ length: 8 }, look))
  const judged = (as: Verdict) => rows.filter((row) => verdicts.get(row) === as)
  const missing = judged('missing')
  for (const row of missing) await startAll(client, [startOf(saga, eventOf(saga, row))], (line) => context.log(line))
  return {
    rows: rows.length,
    deleted,
    young: judged('young').length,
    old: judged('old').length,
    missing: missing.map(({ id }) => id),
    ...(next !== undefined && { next }),
    ...(delta !== undefined && { delta }),
  }
}

async function verdict(client: DurableClient, { name, on, steps }: Saga, row: ChangedRow) {
  const [snapshot] = steps
  const { sagas: known } = await listInstances(client, { limit: 500, prefix: `${name}:${on.table}:${row.id}:` })
  const digest = digestOf(snapshot?.action.readOutput(row.values))
  return verdictOf(on, { ...row, digest }, known, Date.now(), spanIn(process.env))
}

/** The grace is longer where messages may lie in a queue for long, the reach where sagas are remembered longer. */
function spanIn({ RECONCILE_GRACE_SECONDS: seconds, RECONCILE_REACH_DAYS: days }: NodeJS.ProcessEnv): Span {
  return {
    grace: isWhole(seconds) ? Number(seconds) * 1_000 : usualSpan.grace,
    reach: isWhole(days) ? Number(days) * 86_400_000 : usualSpan.reach,
  }
}

const isWhole = (text: string | undefined): text is string => text !== undefined && /^\d+$/.test(text)

/** The same for the same version of the row, however often it is found missing. */
function eventOf({ on }: Saga, { id: rowId, etag }: ChangedRow) {
  const { table, message } = on
  const messages = [message].flat()
  return {
    id: eventIdFrom(['reconcile', table, rowId, etag]),
    message: messages.includes('Update') ? 'Update' : (messages[0] ?? 'Create'),
    table,
    rowId,
    organizationId: nobody,
    operationId: nobody,
    correlationId: nobody,
  }
}
