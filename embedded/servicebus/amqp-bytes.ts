// AMQP values as they stand in bytes (AMQP 1.0 §1.6): where each one ends, and writing some beside those that came. Every message that comes or goes passes
// here, and hardly anything of it has to be known: rhea's codec would make an object of each value.

export const constructor = {
  described: 0x00,
  null: 0x40,
  smallUlong: 0x53,
  smallInt: 0x54,
  uint: 0x70,
  ulong: 0x80,
  long: 0x81,
  timestamp: 0x83,
  uuid: 0x98,
  shortString: 0xa1,
  shortSymbol: 0xa3,
  longString: 0xb1,
  longSymbol: 0xb3,
  list: 0xd0,
  map: 0xd1,
} as const

/** What follows a constructor: so many bytes; or a size of that many bytes, and as many bytes, or the items or elements that fill them. */
interface Layout {
  readonly width: number
  readonly kind: 'fixed' | 'sized' | 'items' | 'elements'
}

const layouts = new Map<number | undefined, Layout>(
  (
    [
      ['fixed', 0, [0x40, 0x41, 0x42, 0x43, 0x44, 0x45]],
      ['fixed', 1, [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56]],
      ['fixed', 2, [0x60, 0x61]],
      ['fixed', 4, [0x70, 0x71, 0x72, 0x73, 0x74]],
      ['fixed', 8, [0x80, 0x81, 0x82, 0x83, 0x84]],
      ['fixed', 16, [0x94, 0x98]],
      ['sized', 1, [0xa0, 0xa1, 0xa3]],
      ['sized', 4, [0xb0, 0xb1, 0xb3]],
      ['items', 1, [0xc0, 0xc1]],
      ['items', 4, [0xd0, 0xd1]],
      ['elements', 1, [0xe0]],
      ['elements', 4, [0xf0]],
    ] as const
  ).flatMap(([kind, width, codes]) => codes.map((code) => [code, { kind, width }])),
)

/** Where the value that begins there ends; all that it holds is passed as well. @throws RangeError for what is no AMQP value, or is cut off */
export function endOf(bytes: Buffer, at: number): number {
  const place = constructorAt(bytes, at)
  return endOfContent(bytes, place + 1, layoutAt(bytes, place))
}

/** Behind the descriptors, if there are any. */
function constructorAt(bytes: Buffer, at: number): number {
  let place = at
  while (bytes[place] === constructor.described) place = endOf(bytes, place + 1)
  return place
}

function layoutAt(bytes: Buffer, at: number): Layout {
  const layout = layouts.get(bytes[at])
  if (!layout) throw new RangeError(`No value begins at byte ${at}.`)
  return layout
}

/** Of a value whose constructor has been read. */
function endOfContent(bytes: Buffer, at: number, { kind, width }: Layout): number {
  const end = at + width + (kind === 'fixed' ? 0 : bytes.readUIntBE(at, width))
  if (end > bytes.length) throw new RangeError(`The value at byte ${at} is cut off.`)
  if (kind === 'items' || kind === 'elements') checkFilling(bytes, at, kind, width, end)
  return end
}

/** What the value holds must end where it does. Elements may have no bytes at all: whoever reads them makes as many objects, so their count has a limit. */
function checkFilling(bytes: Buffer, at: number, kind: 'items' | 'elements', width: number, end: number): void {
  const count = bytes.readUIntBE(at + width, width)
  let place = at + 2 * width
  if (count > bytes.length) throw new RangeError(`The value at byte ${at} counts more than all bytes are.`)
  if (kind === 'items') for (let left = count; left > 0 && place <= end; left--) place = endOf(bytes, place)
  else {
    place = constructorAt(bytes, place)
    const layout = layoutAt(bytes, place)
    place += 1
    for (let left = count; left > 0 && place <= end; left--) place = endOfContent(bytes, place, layout)
  }
  if (place !== end) throw new RangeError(`What the value at byte ${at} holds does not fill it.`)
}

/** Where each item of a list or a map begins; none in any other value. @throws RangeError */
export function itemsOf(bytes: Buffer, at: number): readonly number[] {
  const layout = layouts.get(bytes[at])
  if (layout?.kind !== 'items') return []
  const { width } = layout
  const count = bytes.readUIntBE(at + 1 + width, width)
  const places: number[] = []
  for (let place = at + 1 + 2 * width; places.length < count; place = endOf(bytes, place)) places.push(place)
  return places
}

const shortTexts: ReadonlySet<number | undefined> = new Set([constructor.shortString, constructor.shortSymbol])
const longTexts: ReadonlySet<number | undefined> = new Set([constructor.longString, constructor.longSymbol])

/** The string or symbol that begins there; undefined for any other value. */
export function textAt(bytes: Buffer, at: number): string | undefined {
  if (shortTexts.has(bytes[at])) return bytes.toString('utf8', at + 2, endOf(bytes, at))
  if (longTexts.has(bytes[at])) return bytes.toString('utf8', at + 5, endOf(bytes, at))
  return undefined
}

/** Shorter than 256 bytes. */
export const symbol = (name: string): Buffer =>
  Buffer.concat([Buffer.from([constructor.shortSymbol, name.length]), Buffer.from(name, 'latin1')])

/** Writes the beginning of one message after the other, into memory of its own that it uses again. */
export class BytesWriter {
  #bytes = Buffer.allocUnsafe(1024)
  #length = 0

  /** Forgets what was written. */
  restart(): void {
    this.#length = 0
  }

  byte(value: number): void {
    const at = this.#take(1)
    this.#bytes[at] = value
  }

  /** A value of four bytes. */
  four(code: number, value: number): void {
    const at = this.#take(5)
    this.#bytes[at] = code
    this.#bytes.writeUInt32BE(value, at + 1)
  }

  /** A value of eight bytes, for any whole number that is safe. */
  eight(code: number, value: number): void {
    const at = this.#take(9)
    this.#bytes[at] = code
    this.#bytes.writeInt32BE(Math.floor(value / 2 ** 32), at + 1)
    this.#bytes.writeUInt32BE(value >>> 0, at + 5)
  }

  copy(bytes: Buffer, from = 0, to = bytes.length): void {
    const at = this.#take(to - from)
    bytes.copy(this.#bytes, at, from, to)
  }

  /** The pairs of a map but for those with these names. Answers how many items they are. @param items where the names and values begin */
  copyPairs(bytes: Buffer, items: readonly number[], except: { has(name: string): boolean }): number {
    let copied = 0
    for (let index = 0; index + 1 < items.length; index += 2) {
      const [name = 0, value = 0] = [items[index], items[index + 1]]
      if (except.has(textAt(bytes, name) ?? '')) continue
      this.copy(bytes, name, endOf(bytes, value))
      copied += 2
    }
    return copied
  }

  /** Begins a section that is a list or a map; the answer is for its end. */
  begin(section: number, code: number): number {
    const at = this.#take(12)
    this.#bytes[at] = constructor.described
    this.#bytes[at + 1] = constructor.smallUlong
    this.#bytes[at + 2] = section
    this.#bytes[at + 3] = code
    return at
  }

  /** @param items how many were written since */
  end(begin: number, items: number): void {
    this.#bytes.writeUInt32BE(this.#length - begin - 8, begin + 4)
    this.#bytes.writeUInt32BE(items, begin + 8)
  }

  /** What was written, and these bytes after it. */
  followedBy(...rest: readonly Buffer[]): Buffer {
    return Buffer.concat([this.#bytes.subarray(0, this.#length), ...rest])
  }

  /** Where to write so many bytes. */
  #take(count: number): number {
    const at = this.#length
    this.#length += count
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * this.#length)
      this.#bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    return at
  }
}
