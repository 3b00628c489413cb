// What may be said of a saga to the outside: this list, and nothing else. No value of a row, no input, no answer, no reason, no person.

import { partsOf, type InstanceId } from '../saga/ids.js'
import { rowHash } from './trace-ids.js'

export interface Facts {
  readonly saga?: string
  readonly version?: number
  readonly step?: string
  /** Counts from 1. */
  readonly attempt?: number
  /** What came of it: of an attempt its outcome, of a saga the phase that it ended in. */
  readonly outcome?: string
  readonly partner?: string
  readonly table?: string
  /** Hashed (trace-ids.ts). */
  readonly row?: string
}

/** Under these names they are sent; alerts and workbooks use them. Members that are not on the list are left out, whatever the types let through. */
export function attributesOf(facts: Facts): Record<string, string | number> {
  const { saga, version, step, attempt, outcome, partner, table, row } = facts
  const listed = Object.entries({ saga, version, step, attempt, outcome, partner, table, row })
  return Object.fromEntries(listed.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

export function factsOf(instance: InstanceId): Facts {
  const { saga, table, rowId } = partsOf(instance)
  return { saga, table, row: rowHash(rowId) }
}

/** A span, told when it is over. */
export interface Told {
  readonly trace: string
  readonly span: string
  readonly parent?: string
  readonly name: string
  readonly kind: 'consumer' | 'internal' | 'client'
  /** Milliseconds since 1970. */
  readonly from: number
  readonly to: number
  /** Not as one would wish. */
  readonly isFailure: boolean
  /** Went well, but comes of a failure. */
  readonly isRepair?: true
  /** Nothing more comes of this saga. */
  readonly isEnd?: true
  readonly facts: Facts
  /** Of a call: the method and the HTTP status of its answer, if there was one. */
  readonly call?: { readonly method: string; readonly status?: number }
  /** The part that it stands for, in percent; 100 if absent. */
  readonly rate?: number
}
