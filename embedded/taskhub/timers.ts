// The timers that are running, by instance and number. What they stand for is on disk; here is only the waiting.

import type { Cancel, Clock } from '../clock.js'

export class Timers {
  readonly #clock: Clock
  readonly #cancels = new Map<string, Map<number, Cancel>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param fireAt milliseconds since 1970; in the past: at once */
  arm(id: string, number: number, fireAt: number, fire: () => void): void {
    const cancel = this.#clock.after(Math.max(0, fireAt - this.#clock.now()), () => {
      this.#drop(id, number)
      fire()
    })
    this.#cancels.set(id, (this.#cancels.get(id) ?? new Map<number, Cancel>()).set(number, cancel))
  }

  cancel(id: string, number: number): void {
    this.#cancels.get(id)?.get(number)?.()
    this.#drop(id, number)
  }

  cancelAllOf(id: string): void {
    for (const cancel of this.#cancels.get(id)?.values() ?? []) cancel()
    this.#cancels.delete(id)
  }

  close(): void {
    for (const id of this.#cancels.keys()) this.cancelAllOf(id)
  }

  #drop(id: string, number: number): void {
    const own = this.#cancels.get(id)
    own?.delete(number)
    if (own?.size === 0) this.#cancels.delete(id)
  }
}
