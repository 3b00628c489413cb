// What operators did, as a chain: each entry holds the hash of the one before, so that none can be changed, left out or put in without being seen.
//
// Promises: an entry is never changed; the state of no entity grows without bound, for a full chunk is handed on and begun anew.

import { createHash } from 'node:crypto'
import { inOneForm } from '../../saga/mark.js'
import type { Role } from '../schemas/estate.js'

/** Before something takes effect, and again with what came of it. */
export interface Operation {
  /** Shared by the entry before and the entry after. */
  readonly operation: string
  /** ISO 8601 in UTC. */
  readonly at: string
  readonly actor: string
  readonly role: Role | 'none'
  /** A command's name, `resubmit`, `discard`, `bulk …`, `reveal …`. */
  readonly what: string
  /** Id of a saga, of a dead letter (`queue/number`), or of a bulk command. */
  readonly target: string
  readonly reason: string
  /** Ids and words, never a row's values. */
  readonly before?: unknown
  /** Present in the entry of what came of it, unless that is a refusal. */
  readonly after?: unknown
  /** Why it was not done. */
  readonly refused?: string
}

export interface Entry extends Operation {
  /** Counts from 1. */
  readonly seq: number
  readonly previous: string
  readonly hash: string
}

/** The end of the chain, where it grows. */
export interface Head {
  /** Of the last entry of all. */
  readonly seq: number
  readonly hash: string
  /** Chunks that are full and kept elsewhere, numbered from 0. */
  readonly chunks: number
  /** Those that are in no full chunk yet. */
  readonly entries: readonly Entry[]
}

/** Entries in a full chunk. */
export const chunkSize = 100

export const emptyHead: Head = { seq: 0, hash: '0'.repeat(64), chunks: 0, entries: [] }

/** The head with one more entry, and the chunk that has become full by it. */
export function append(head: Head, operation: Operation): { readonly head: Head; readonly full?: readonly Entry[] } {
  const linked = { ...operation, seq: head.seq + 1, previous: head.hash }
  const entry: Entry = { ...linked, hash: hashOf(linked) }
  const entries = [...head.entries, entry]
  const last = { seq: entry.seq, hash: entry.hash }
  if (entries.length < chunkSize) return { head: { ...head, ...last, entries } }
  return { head: { ...last, chunks: head.chunks + 1, entries: [] }, full: entries }
}

/** Whether these are all that was ever written, as it was written. `entries`: the full chunks and the head's own, in order. */
export function isIntact(entries: readonly Entry[], head: Pick<Head, 'seq' | 'hash'>): boolean {
  let last: Pick<Head, 'seq' | 'hash'> = emptyHead
  for (const entry of entries) {
    const { hash, ...linked } = entry
    if (entry.seq !== last.seq + 1 || entry.previous !== last.hash || hashOf(linked) !== hash) return false
    last = entry
  }
  return last.seq === head.seq && last.hash === head.hash
}

const hashOf = (linked: Omit<Entry, 'hash'>) => createHash('sha256').update(inOneForm(linked)).digest('hex')
