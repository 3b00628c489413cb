// Who killed the process: what was under way when it died of itself is run again alone, one after the other, before anything else begins.
//
// What runs alone is on disk as such. If the process dies again, it was that, and it fails instead of being tried for ever.

import type { Clock } from '../clock.js'
import type { Changes, Store, Table } from '../store/store.js'

/** An activity by its number, the turn of an instance, or what is asked of an entity. */
export interface Suspect {
  readonly id: string
  readonly what: number | 'turn' | 'entity'
}

export interface Suspicion {
  /** Whether nothing else ran when it was written. */
  readonly alone: boolean
  /** Times that it was let go because it took too long to be watched. */
  readonly escapes: number
}

/** Milliseconds that one is watched, and as much again for each time that it was let go. */
const patience = 5_000

export class Quarantine {
  readonly #store: Store
  readonly #clock: Clock
  readonly #table: Table<Suspicion>
  readonly #turns: () => Promise<void>

  /** @param turns resolves when the event loop of what is watched has come round */
  constructor(store: Store, clock: Clock, table: Table<Suspicion>, turns: () => Promise<void>) {
    this.#store = store
    this.#clock = clock
    this.#table = table
    this.#turns = turns
  }

  /** Those that ran alone when the process died. */
  guilty(): Suspect[] {
    return [...this.#table.entries()]
      .filter(({ value }) => value.alone)
      .map(({ key }) => ({ id: String(key[0]), what: whatIn(key[1]) }))
  }

  /** Together with the failure of the guilty. */
  acquit(changes: Changes, { id, what }: Suspect): void {
    changes.remove(this.#table, [id, what])
  }

  /** Nobody did it: the process was killed from outside. */
  async acquitAll(): Promise<void> {
    const all = [...this.#table.entries()]
    if (all.length === 0) return
    await this.#store.commit((changes) => {
      for (const { key } of all) changes.remove(this.#table, key)
    })
  }

  /** Resolves when the work has ended, or has taken so long that others have to begin. */
  async watch(suspect: Suspect, work: () => Promise<void>): Promise<void> {
    const key = [suspect.id, suspect.what]
    const { escapes } = this.#table.get(key) ?? { escapes: 0 }
    await this.#store.commit((changes) => changes.put(this.#table, key, { alone: true, escapes }))
    const hasEnded = await this.#within(work(), patience * (escapes + 1))
    await this.#store.commit((changes) => {
      if (hasEnded) this.acquit(changes, suspect)
      else changes.put(this.#table, key, { alone: false, escapes: escapes + 1 })
    })
  }

  #within(work: Promise<void>, ms: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      // Who holds the loop is not slow, and is not let go: the process will be killed for it.
      const cancel = this.#clock.after(ms, () => void this.#turns().then(() => resolve(false)))
      work.then(() => resolve(true), reject).finally(cancel)
    })
  }
}

const whatIn = (key: unknown): Suspect['what'] => (typeof key === 'number' ? key : key === 'entity' ? key : 'turn')
