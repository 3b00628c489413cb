// Who waits for the end of an instance.

import type { Clock } from '../clock.js'

export class Ends {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<() => void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when the end is told, or after so many milliseconds; says which. */
  wait(id: string, ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiters = this.#waiting.get(id) ?? new Set()
      this.#waiting.set(id, waiters)
      const ended = () => {
        cancel()
        resolve(true)
      }
      const cancel = this.#clock.after(ms, () => {
        waiters.delete(ended)
        resolve(false)
      })
      waiters.add(ended)
    })
  }

  tell(id: string): void {
    for (const ended of this.#waiting.get(id) ?? []) ended()
    this.#waiting.delete(id)
  }
}
