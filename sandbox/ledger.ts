// What a partner did, in the order in which all partners did it: an append-only file of JSON lines, from which a partner's state is rebuilt.
//
// Promises: an entry is written before its effect is answered, and survives kill -9.

import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface Entry {
  /** Counts over all partners together. */
  readonly seq: number
  /** ISO 8601, UTC. */
  readonly at: string
  readonly effect: string
  /** The row of Dataverse that it is about. */
  readonly subject: string
  /** Of the row, where a partner has several. */
  readonly table?: string
  /** The idempotency key under which it was asked for; null if there was none. */
  readonly key: string | null
  readonly detail: Readonly<Record<string, unknown>>
}

/** Gives the numbers; shared by the ledgers of one sandbox. */
export interface Sequence {
  last: number
}

export class Ledger {
  readonly #file: string
  readonly #sequence: Sequence
  #entries: Entry[]

  constructor(folder: string, partner: string, sequence: Sequence) {
    mkdirSync(folder, { recursive: true })
    this.#file = join(folder, `${partner}.jsonl`)
    this.#sequence = sequence
    this.#entries = existsSync(this.#file) ? readEntries(this.#file) : []
    sequence.last = Math.max(sequence.last, this.#entries.at(-1)?.seq ?? 0)
  }

  get entries(): readonly Entry[] {
    return this.#entries
  }

  add(entry: Omit<Entry, 'seq' | 'at'>): Entry {
    this.#sequence.last += 1
    const added = { seq: this.#sequence.last, at: new Date().toISOString(), ...entry }
    appendFileSync(this.#file, `${JSON.stringify(added)}\n`)
    this.#entries.push(added)
    return added
  }

  clear(): void {
    rmSync(this.#file, { force: true })
    this.#entries = []
  }
}

/** The last line may be torn: then its effect was never answered. */
function readEntries(file: string): Entry[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const entry: Entry = JSON.parse(line)
        return [entry]
      } catch {
        return []
      }
    })
}
