// Numbers in ascending order, made for the usual case: added at the end, taken from the front.

export class SortedList {
  #numbers: number[] = []
  /** Before it everything has been taken. */
  #front = 0

  get size(): number {
    return this.#numbers.length - this.#front
  }

  add(number: number): void {
    const at = this.#placeOf(number)
    if (at === this.#numbers.length) this.#numbers.push(number)
    else this.#numbers.splice(at, 0, number)
  }

  takeFirst(): number | undefined {
    const first = this.#numbers[this.#front]
    if (first === undefined) return undefined
    this.#front += 1
    // What was taken is let go of in large pieces, so that taking stays cheap on a long list.
    if (this.#front > 1024 && this.#front * 2 > this.#numbers.length) {
      this.#numbers = this.#numbers.slice(this.#front)
      this.#front = 0
    }
    return first
  }

  remove(number: number): void {
    const at = this.#placeOf(number)
    if (this.#numbers[at] === number) this.#numbers.splice(at, 1)
  }

  /** Where the number stands or would stand. */
  #placeOf(number: number): number {
    let low = this.#front
    let high = this.#numbers.length
    const last = this.#numbers[high - 1]
    if (last === undefined || last < number) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#numbers[middle] ?? Infinity) < number) low = middle + 1
      else high = middle
    }
    return low
  }
}
