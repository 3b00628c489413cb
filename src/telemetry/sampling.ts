// Which spans are kept, when only a part of the sagas is: of a saga all or none, and every failure.
//
// Whether a saga is of that part is read from its trace id, so that all workers agree. What is told of the others is held back for a while: when something of
// it fails, all that this worker knows of the saga is kept after all, and whatever comes after it.

import { createHash } from 'node:crypto'
import type { Told } from './told.js'

/** Spans held back, and traces that are remembered to have failed; the oldest go first. */
const mostHeld = 20_000
const mostFailed = 10_000

export class Sampling {
  readonly #share: number
  readonly #held = new Map<string, Told[]>()
  readonly #failed = new Set<string>()
  #heldSpans = 0

  /** @param share from 0 to 1 */
  constructor(share: number) {
    this.#share = share
  }

  /** Whether it is kept however it goes. */
  isOfShare(trace: string): boolean {
    if (this.#share >= 1) return true
    return createHash('sha256').update(trace).digest().readUInt32BE(0) / 2 ** 32 < this.#share
  }

  /** What is to be sent now that this is told. */
  take(told: Told): readonly Told[] {
    if (this.isOfShare(told.trace)) return [this.#share < 1 ? { ...told, rate: this.#share * 100 } : told]
    if ((told.isFailure || told.isRepair) && !this.#failed.has(told.trace)) {
      remember(this.#failed, told.trace)
      return [...this.#release(told.trace), told]
    }
    if (this.#failed.has(told.trace)) return [told]
    if (told.isEnd) this.#release(told.trace)
    else this.#hold(told)
    return []
  }

  #hold(told: Told): void {
    this.#held.set(told.trace, [...(this.#held.get(told.trace) ?? []), told])
    this.#heldSpans += 1
    for (const [oldest] of this.#held) {
      if (this.#heldSpans <= mostHeld) break
      this.#release(oldest)
    }
  }

  #release(trace: string): readonly Told[] {
    const held = this.#held.get(trace) ?? []
    this.#held.delete(trace)
    this.#heldSpans -= held.length
    return held
  }
}

function remember(failed: Set<string>, trace: string): void {
  failed.add(trace)
  for (const oldest of failed) {
    if (failed.size <= mostFailed) break
    failed.delete(oldest)
  }
}
