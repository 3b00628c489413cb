// What the hub keeps on disk.

import type { Changes, Store, Table } from '../store/store.js'
import type { Suspicion } from './quarantine.js'

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated'

export const hasEnded = (status: RuntimeStatus) =>
  status === 'Completed' || status === 'Failed' || status === 'Terminated'

/** Under which an instance is found by its status: those that have not ended change theirs too often to be told apart there. */
export type StatusGroup = 'active' | 'Completed' | 'Failed' | 'Terminated'

export const groupOf = (status: RuntimeStatus): StatusGroup =>
  status === 'Completed' || status === 'Failed' || status === 'Terminated' ? status : 'active'

/** Inputs, outputs and custom status are JSON texts or null; times are milliseconds since 1970. */
export interface InstanceRow {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly executionId: string
  readonly status: RuntimeStatus
  readonly input: string | null
  readonly output: string | null
  readonly customStatus: string | null
  readonly createdAt: number
  readonly updatedAt: number
  /** How many events its history has. */
  readonly events: number
  /** Who is told of its end: the execution that called it as a sub-orchestration, and under which number. */
  readonly parent?: { readonly id: string; readonly executionId: string; readonly task: number }
}

export interface TaskRow {
  readonly executionId: string
  readonly name: string
  readonly input: string | undefined
}

export interface TimerRow {
  readonly executionId: string
  readonly fireAt: number
}

/** Something sent to an instance, not yet in its history. */
export type Letter =
  /** An event, as JSON text. */
  | {
      readonly kind: 'event'
      readonly text: string
      /** The execution that it is for, if only for one. */
      readonly executionId?: string
    }
  | { readonly kind: 'terminate' | 'suspend' | 'resume'; readonly reason: string }

/** Something asked of an entity, not yet done. */
export type EntityRequest =
  | {
      readonly kind: 'operation'
      readonly operation: string
      /** JSON text or null. */
      readonly input: string | null
      readonly isSignal: boolean
      /** Of a call: the event that its answer is raised as, and to whom. */
      readonly id?: string
      readonly parent?: Caller
    }
  | {
      readonly kind: 'lock'
      readonly id: string
      readonly parent: Caller
      /** Entity ids, in the order in which they are locked. */
      readonly set: readonly string[]
      readonly position: number
    }
  | { readonly kind: 'release'; readonly parent: string }

interface Caller {
  readonly id: string
  readonly executionId: string
}

export interface EntityState {
  /** JSON text; absent for one that does not exist. */
  readonly state?: string
  /** The orchestration that holds its lock. */
  readonly lockedBy?: string
  /** Milliseconds since 1970. */
  readonly updatedAt?: number
}

export interface HubTables {
  /** [entity] */
  readonly entities: Table<EntityState>
  /** [entity, number] */
  readonly entityInbox: Table<EntityRequest>
  /** [instance] */
  readonly instances: Table<InstanceRow>
  /** [time of creation, instance] */
  readonly byCreation: Table<true>
  /** [group of statuses, time of creation, instance] */
  readonly byStatus: Table<true>
  /** [instance, number]: an event as JSON text, without `IsPlayed`. */
  readonly history: Table<string>
  /** [instance, number] */
  readonly letters: Table<Letter>
  /** [instance, sequence number]: activities whose result is not in the history yet. */
  readonly tasks: Table<TaskRow>
  /** [instance, sequence number]: timers that have not fired in the history yet. */
  readonly timers: Table<TimerRow>
  /** [instance or entity, sequence number of an activity, `turn`, or `entity`] */
  readonly suspects: Table<Suspicion>
}

export function openHubTables(store: Store): HubTables {
  return {
    entities: store.table('hub.entities'),
    entityInbox: store.table('hub.entityInbox'),
    instances: store.table('hub.instances'),
    byCreation: store.table('hub.byCreation'),
    byStatus: store.table('hub.byStatus'),
    history: store.table('hub.history'),
    letters: store.table('hub.letters'),
    tasks: store.table('hub.tasks'),
    timers: store.table('hub.timers'),
    suspects: store.table('hub.suspects'),
  }
}

/** Removes an instance from where it is looked up. */
export function removeFromIndexes(changes: Changes, tables: HubTables, { id, createdAt, status }: InstanceRow): void {
  changes.remove(tables.byCreation, [createdAt, id])
  changes.remove(tables.byStatus, [groupOf(status), createdAt, id])
}

/** Removes everything that hangs on an instance, but not the instance itself. */
export function removeBelongings(changes: Changes, tables: HubTables, id: string): void {
  for (const table of [tables.history, tables.letters, tables.tasks, tables.timers])
    for (const { key } of table.entries({ prefix: [id] })) changes.remove(table, key)
}
