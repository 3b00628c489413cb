// What the broker keeps on disk.

import type { Store, Table } from '../store/store.js'
import type { EntityDefinition } from './settings.js'

/** What is on disk of a message, beside its bytes. Times are milliseconds since 1970. */
export interface Kept {
  readonly enqueuedAt: number
  readonly state: 'active' | 'deferred' | 'scheduled'
  readonly failures: number
  /** When a scheduled message becomes active, and after that a reminder that it was scheduled. */
  readonly dueAt?: number
  readonly expiresAt?: number
  readonly session?: string
  readonly source?: string
  readonly enqueuedSequence?: number
  /** Handed out, and nothing heard of it yet. */
  readonly open?: true
}

/** Keys begin with the entity's path. */
export interface BrokerTables {
  readonly bytes: Table<Buffer>
  readonly kept: Table<Kept>
  /** The last sequence number that was given. */
  readonly sequences: Table<number>
  readonly sessionStates: Table<Buffer>
  /** By message id: until when it is remembered, and which number it got. */
  readonly ids: Table<{ readonly until: number; readonly sequence: number }>
  /** By time and message id: what can be forgotten. */
  readonly idTimes: Table<true>
  /** By the entity's path alone. */
  readonly definitions: Table<EntityDefinition>
}

export function openBrokerTables(store: Store): BrokerTables {
  return {
    bytes: store.table('broker.bytes'),
    kept: store.table('broker.kept'),
    sequences: store.table('broker.sequences'),
    sessionStates: store.table('broker.sessionStates'),
    ids: store.table('broker.ids'),
    idTimes: store.table('broker.idTimes'),
    definitions: store.table('broker.definitions'),
  }
}
