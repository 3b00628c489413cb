// A Map for what comes and goes. V8 gives a Map a new table every few dozen changes, and each old table holds what stood in it and the table after it: once one
// of them has become old, all that the map has ever held is kept until the old generation is collected. Here the tables hold empty places.

/** In the order in which they were put in. */
export class BriefMap<Key, Value extends object> {
  readonly #places = new Map<Key, { value: Value | undefined }>()

  get size(): number {
    return this.#places.size
  }

  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value
  }

  has(key: Key): boolean {
    return this.#places.has(key)
  }

  /** What is there already keeps its place. */
  set(key: Key, value: Value): void {
    const place = this.#places.get(key)
    if (place) place.value = value
    else this.#places.set(key, { value })
  }

  delete(key: Key): void {
    const place = this.#places.get(key)
    if (!place) return
    place.value = undefined
    this.#places.delete(key)
  }

  keys(): IterableIterator<Key> {
    return this.#places.keys()
  }

  *values(): Generator<Value> {
    for (const { value } of this.#places.values()) if (value) yield value
  }
}
