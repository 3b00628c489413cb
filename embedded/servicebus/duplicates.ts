// Which message ids a queue remembers, and which number each of them got. Without a window it remembers none.

import type { Changes } from '../store/store.js'
import type { BrokerTables } from './tables.js'

export interface Remembered {
  readonly id: string
  readonly sequence: number
}

const none: readonly Remembered[] = []

export class Duplicates {
  readonly #queue: string
  /** Milliseconds. */
  readonly #window: number | undefined
  readonly #tables: BrokerTables
  /** Those that are on their way to disk. */
  readonly #fresh = new Map<string, number>()

  constructor(queue: string, window: number | undefined, tables: BrokerTables) {
    this.#queue = queue
    this.#window = window
    this.#tables = tables
  }

  /** The number that a message got when it came before, if it did. */
  numberOf(id: string | undefined, now: number): number | undefined {
    if (this.#window === undefined || id === undefined) return undefined
    const stored = this.#tables.ids.get([this.#queue, id])
    return this.#fresh.get(id) ?? (stored && stored.until > now ? stored.sequence : undefined)
  }

  /** From now on the id is known; the caller writes down what it is handed. */
  begin(id: string | undefined, sequence: number): readonly Remembered[] {
    if (this.#window === undefined || id === undefined) return none
    this.#fresh.set(id, sequence)
    return [{ id, sequence }]
  }

  /** And forgets some of what is too long ago. */
  write(changes: Changes, ids: readonly Remembered[], now: number): void {
    if (ids.length === 0) return
    const queue = this.#queue
    const { ids: byId, idTimes: byTime } = this.#tables
    const until = now + (this.#window ?? 0)
    for (const { key } of byTime.entries({ prefix: [queue], before: [queue, now], limit: 2 * ids.length })) {
      const id = String(key[2])
      changes.remove(byTime, key)
      // What is on its way to disk has come again.
      if (!this.#fresh.has(id) && (byId.get([queue, id])?.until ?? 0) <= now) changes.remove(byId, [queue, id])
    }
    for (const { id, sequence } of ids) {
      changes.put(byId, [queue, id], { until, sequence })
      changes.put(byTime, [queue, until, id], true)
    }
  }

  /** They are on disk, or never will be. */
  done(ids: readonly Remembered[]): void {
    for (const { id } of ids) this.#fresh.delete(id)
  }
}
