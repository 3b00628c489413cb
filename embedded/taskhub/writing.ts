// What one commit of the hub is made of.

import type { Changes } from '../store/store.js'
import type { HistoryEvent } from './history.js'
import type { Arrival } from './live.js'
import type { Need } from './planner.js'
import {
  type EntityRequest,
  type EntityState,
  groupOf,
  type HubTables,
  type InstanceRow,
  removeAll,
  removeInstance,
} from './tables.js'

/** An instance that is to begin: what is written, and what it finds first. */
export interface Start {
  readonly row: InstanceRow
  /** The one of the same id that it replaces. */
  readonly existing: InstanceRow | undefined
  readonly event: HistoryEvent
  readonly letter: number
}

export class Writing {
  readonly #changes: Changes
  readonly #tables: HubTables

  constructor(changes: Changes, tables: HubTables) {
    this.#changes = changes
    this.#tables = tables
  }

  start({ row, existing, event, letter }: Start): void {
    const { id } = row
    if (existing) removeInstance(this.#changes, this.#tables, existing)
    this.instance(row)
    this.#changes.put(this.#tables.creations, [id], row.createdAt)
    this.#changes.put(this.#tables.byStatus, [groupOf(row.status), row.createdAt, id], true)
    this.event(id, letter, event)
  }

  /** @param before what was written of it before, if it ends now or goes on after its end */
  instance(row: InstanceRow, before?: InstanceRow): void {
    this.#changes.put(this.#tables.instances, [row.createdAt, row.id], row)
    if (!before || groupOf(before.status) === groupOf(row.status)) return
    this.#changes.remove(this.#tables.byStatus, [groupOf(before.status), row.createdAt, row.id])
    this.#changes.put(this.#tables.byStatus, [groupOf(row.status), row.createdAt, row.id], true)
  }

  /** Something that comes for an instance. @param executionId the execution that it is for, if only for one */
  event(id: string, letter: number, event: HistoryEvent, executionId?: string): void {
    const written = { kind: 'event', text: JSON.stringify(event) } as const
    this.#changes.put(
      this.#tables.letters,
      [id, letter],
      executionId === undefined ? written : { ...written, executionId },
    )
  }

  /** @param text of the events (live.ts). @param first the number of the first of them */
  append({ createdAt, id }: InstanceRow, first: number, text: string): void {
    this.#changes.put(this.#tables.history, [createdAt, id, first], text)
  }

  /** What is to run or to wait from now on, and outlives the process. */
  begin(id: string, executionId: string, { id: number, what }: Need): void {
    if (what.kind === 'timer')
      this.#changes.put(this.#tables.timers, [id, number], { executionId, fireAt: what.fireAt })
    if (what.kind === 'activity')
      this.#changes.put(this.#tables.tasks, [id, number], { executionId, name: what.name, input: what.input })
  }

  /** One that neither exists nor is locked leaves no trace. */
  entity(entity: string, state: EntityState): void {
    if (state.state === undefined && state.lockedBy === undefined) this.#changes.remove(this.#tables.entities, [entity])
    else this.#changes.put(this.#tables.entities, [entity], state)
  }

  request(entity: string, number: number, request: EntityRequest): void {
    this.#changes.put(this.#tables.entityInbox, [entity, number], request)
  }

  doneRequest(entity: string, number: number): void {
    this.#changes.remove(this.#tables.entityInbox, [entity, number])
  }

  cancelTimer(id: string, number: number): void {
    this.#changes.remove(this.#tables.timers, [id, number])
  }

  /** They are in the history now, and what they answer is not outstanding any more. */
  took(id: string, arrivals: readonly Arrival[]): void {
    for (const arrival of arrivals) {
      if (arrival.letter !== undefined) this.#changes.remove(this.#tables.letters, [id, arrival.letter])
      if (arrival.kind !== 'event') continue
      const { TaskScheduledId, TimerId } = arrival.event
      if (TaskScheduledId !== undefined) this.#changes.remove(this.#tables.tasks, [id, TaskScheduledId])
      if (TimerId !== undefined) this.cancelTimer(id, TimerId)
    }
  }

  dropOutstanding(id: string): void {
    removeAll(this.#changes, this.#tables.tasks, [id])
    removeAll(this.#changes, this.#tables.timers, [id])
  }

  dropLetters(id: string): void {
    removeAll(this.#changes, this.#tables.letters, [id])
  }

  dropLetter(id: string, letter: number): void {
    this.#changes.remove(this.#tables.letters, [id, letter])
  }

  dropHistory({ createdAt, id }: InstanceRow): void {
    removeAll(this.#changes, this.#tables.history, [createdAt, id])
  }
}
