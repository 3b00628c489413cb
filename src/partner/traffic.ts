// How much a partner is asked: under way now, and over the last minute.

/** Seconds that are looked back. */
const span = 60

export class Traffic {
  #inFlight = 0
  /** By second, of the last minute. */
  readonly #counts = new Map<number, number>()

  get inFlight(): number {
    return this.#inFlight
  }

  /** Requests in a second. */
  get rate(): number {
    const first = secondNow() - span
    let sum = 0
    for (const [second, count] of this.#counts) if (second > first) sum += count
    return sum / span
  }

  async counting<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const second = secondNow()
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1)
    for (const old of this.#counts.keys()) if (old <= second - span) this.#counts.delete(old)
    this.#inFlight += 1
    try {
      return await ask()
    } finally {
      this.#inFlight -= 1
    }
  }
}

const secondNow = () => Math.floor(Date.now() / 1_000)
