// Instances as the platform tells of them, and the saga status made of that.
//
// Never: hands out the platform's own management URLs; they carry a key to the whole task hub.

import type { DurableClient } from 'durable-functions'
import { z } from 'zod'
import { sagas } from '../app/index.js'
import { names } from '../names.js'
import { dataverseEvent } from '../operators/schemas/sagas.js'
import { SagaError } from '../saga/errors.js'
import { type InstanceId, isInstanceId, readInstanceId } from '../saga/ids.js'
import { pending } from '../saga/machine.js'
import { isPhase } from '../saga/phase.js'
import { newestOf, type SagaInput } from '../saga/routing.js'
import { type SagaStatus, statusOf } from '../saga/status.js'
import { type InstanceQuery, pageOfInstances, statusOrNone } from '../task-hub.js'

export interface Page {
  readonly sagas: readonly SagaStatus[]
  /** Continues the list; absent on the last page. */
  readonly next?: string
}

/** The instance of that id, or undefined. */
export async function findInstance(client: DurableClient, id: string): Promise<SagaStatus | undefined> {
  const status = await statusOrNone(client, id)
  return status && readInstance(status)
}

/** @throws SagaError `INSTANCE_UNKNOWN` */
export async function instanceOf(client: DurableClient, id: string): Promise<SagaStatus> {
  const status = isInstanceId(id) ? await findInstance(client, id) : undefined
  if (!status) throw SagaError.of('INSTANCE_UNKNOWN', { id: id.slice(0, 100) })
  return status
}

/** As they stand now, in the order of their ids; those that are gone are left out. */
export async function readAll(client: DurableClient, ids: readonly string[]): Promise<readonly SagaStatus[]> {
  const found = new Map<string, SagaStatus | undefined>()
  const left = [...ids]
  const look = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) found.set(id, await findInstance(client, id))
  }
  await Promise.all(Array.from({ length: 16 }, look))
  return ids.map((id) => found.get(id)).filter((status) => status !== undefined)
}

/** One page of those that are sagas. */
export async function listInstances(client: DurableClient, query: InstanceQuery): Promise<Page> {
  const { instances, ...rest } = await pageOfInstances(client, query)
  return { sagas: instances.map(readInstance).filter((status) => status !== undefined), ...rest }
}

export const sagaInput: z.ZodType<SagaInput> = z.object({
  saga: z.string(),
  version: z.number(),
  event: dataverseEvent,
  trace: z.string().exactOptional(),
})

const platformInstance = z.object({
  name: z.string(),
  instanceId: z.string(),
  runtimeStatus: z.string(),
  createdTime: z.coerce.date(),
  lastUpdatedTime: z.coerce.date(),
  input: z.unknown(),
  output: z.unknown(),
  customStatus: z.unknown(),
})
type PlatformInstance = z.infer<typeof platformInstance>

const statusShape = z.looseObject({ id: z.string(), phase: z.string().refine(isPhase), steps: z.array(z.unknown()) })
/** What the orchestrator wrote. Another version of us may have written it, so only what everything relies on is asked for. */
const writtenStatus = z.custom<SagaStatus>((value) => statusShape.safeParse(value).success)

/** What a status of an older version may not tell. */
const nothingMore = { owed: [], log: [] }

/** Undefined for an orchestration that is no saga. */
export function readInstance(value: unknown): SagaStatus | undefined {
  const instance = platformInstance.parse(value)
  if (instance.name !== names.saga) return undefined
  const written = writtenStatus.safeParse(instance.customStatus)
  const status = written.success ? { ...nothingMore, ...written.data } : statusBeforeBegin(instance)
  const stop = stops[instance.runtimeStatus]
  if (stop === undefined) return status
  const said = typeof instance.output === 'string' ? `: ${instance.output.slice(0, 300)}` : ''
  return {
    ...status,
    phase: 'held',
    updatedAt: instance.lastUpdatedTime.toISOString(),
    waitsFor: { kind: 'repair', why: `${stop}${said}` },
  }
}

/** The ways in which the platform stops an orchestration before the saga has come to an end. */
const stops: Readonly<Record<string, string>> = {
  Failed: 'the orchestration failed',
  Terminated: 'the orchestration was terminated',
  Suspended: 'the orchestration is suspended',
}

/** Whether the platform drops what is raised to it. For one that is suspended it keeps that. */
export const isDeaf = ({ waitsFor }: SagaStatus): boolean =>
  waitsFor?.kind === 'repair' && !waitsFor.why.startsWith(stops['Suspended'] ?? '')

/** An instance of a saga that is no longer registered is still told of, without its steps. */
function statusBeforeBegin({ instanceId, input, createdTime }: PlatformInstance): SagaStatus {
  const id = readInstanceId(instanceId)
  const known = sagaInput.safeParse(input)
  const { saga: name, version, event } = known.success ? known.data : inputIn(id)
  const registered = sagas.find((saga) => saga.name === name && saga.version === version)
  const saga = registered ?? { name, version, on: event, steps: [] }
  return statusOf(saga, pending(saga, { instance: id, event, at: createdTime.toISOString() }))
}

/** What an id tells, where inputs were not asked for; the version is the one that begins today. */
function inputIn(id: InstanceId): SagaInput {
  const [saga = '', table = '', rowId = '', event = ''] = id.split(':')
  const version = newestOf(sagas).find(({ name }) => name === saga)?.version ?? 0
  const ids = { organizationId: '', operationId: '', correlationId: '' }
  return { saga, version, event: { id: event, message: '', table, rowId, ...ids } }
}
