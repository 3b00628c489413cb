// Which sagas want an event.

import type { On, Saga } from './define.js'
import { type DataverseEvent, ownMark } from './event.js'
import { type InstanceId, instanceIdOf } from './ids.js'
import type { SagaState } from './state.js'

/** The input of an orchestration: all that an instance ever gets to know from outside, apart from answers. */
export interface SagaInput {
  readonly saga: string
  readonly version: number
  readonly event: DataverseEvent
  /** Whether news of it are wanted. Said at its start: a replay must not see the settings of another day. */
  readonly notices?: true
  /** The W3C traceparent of what started it; absent when nobody traces. */
  readonly trace?: string
  /** Where a long life goes on after its history was cut. */
  readonly state?: SagaState
}

export interface SagaStart {
  readonly instance: InstanceId
  readonly input: SagaInput
}

/** One start for each saga that reacts to this table and message; of several versions the newest. What our own writes made is for nobody. */
export function startsFor(event: DataverseEvent, sagas: readonly Saga[]): readonly SagaStart[] {
  if (event.tag === ownMark) return []
  return newestOf(sagas)
    .filter(({ on }) => isFor(on, event))
    .map((saga) => startOf(saga, event))
}

/** Of several versions of a saga the newest. */
export function newestOf(sagas: readonly Saga[]): readonly Saga[] {
  const newest = new Map<string, Saga>()
  for (const saga of sagas) if (saga.version >= (newest.get(saga.name)?.version ?? 0)) newest.set(saga.name, saga)
  return [...newest.values()]
}

/** Whether or not the saga would have heard of the event by itself. */
export const startOf = ({ name, version }: Saga, event: DataverseEvent): SagaStart => ({
  instance: instanceIdOf(name, event),
  input: { saga: name, version, event },
})

function isFor({ table, message, columns }: On, event: DataverseEvent): boolean {
  if (table !== event.table || ![message].flat().includes(event.message)) return false
  return columns === undefined || event.changed === undefined || columns.some((one) => event.changed?.includes(one))
}
