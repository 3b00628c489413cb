// What is due when: a heap of times, of which only the first matters. What is not due any more is passed over when its turn comes.

import TinyQueue from 'tinyqueue'

export interface Due {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly sequence: number
}

export class DueList {
  readonly #heap = new TinyQueue<Due>([], (a, b) => a.at - b.at)

  get next(): number | undefined {
    return this.#heap.peek()?.at
  }

  add(due: Due): void {
    this.#heap.push(due)
  }

  /** Takes all that are due by then. */
  take(now: number): Due[] {
    const taken: Due[] = []
    for (let due = this.#heap.peek(); due && due.at <= now; due = this.#heap.peek()) {
      this.#heap.pop()
      taken.push(due)
    }
    return taken
  }
}
