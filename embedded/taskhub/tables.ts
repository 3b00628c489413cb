// What the hub keeps on disk.

import type { Changes, Key, Store, Table } from '../store/store.js'
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
  /** [time of creation, instance]: those that are written to at the same time lie side by side, and share the pages that a commit writes. */
  readonly instances: Table<InstanceRow>
  /** [instance]: its time of creation */
  readonly creations: Table<number>
  /** [group of statuses, time of creation, instance] */
  readonly byStatus: Table<true>
  /** [time of creation, instance, number of the first]: the events of a turn as JSON texts, separated by commas, without `IsPlayed`. */
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
    instances: store.table('hub.instancesByCreation'),
    creations: store.table('hub.creations'),
    byStatus: store.table('hub.byStatus'),
    history: store.table('hub.historyByCreation'),
    letters: store.table('hub.letters'),
    tasks: store.table('hub.tasks'),
    timers: store.table('hub.timers'),
    suspects: store.table('hub.suspects'),
  }
}

/** Undefined for one that was never there, or is purged. */
export function instanceIn(tables: HubTables, id: string): InstanceRow | undefined {
  const createdAt = tables.creations.get([id])
  return createdAt === undefined ? undefined : tables.instances.get([createdAt, id])
}

export function removeAll(changes: Changes, table: Table<unknown>, prefix: Key): void {
  for (const { key } of table.entries({ prefix })) changes.remove(table, key)
}

/** Removes an instance, and everything that hangs on it. */
export function removeInstance(changes: Changes, tables: HubTables, { id, createdAt, status }: InstanceRow): void {
  for (const table of [tables.letters, tables.tasks, tables.timers]) removeAll(changes, table, [id])
  removeAll(changes, tables.history, [createdAt, id])
  changes.remove(tables.byStatus, [groupOf(status), createdAt, id])
  changes.remove(tables.creations, [id])
  changes.remove(tables.instances, [createdAt, id])
}
