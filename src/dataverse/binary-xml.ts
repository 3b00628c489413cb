// .NET's binary XML without a dictionary (MC-NBFX): what Dataverse posts unless it is told otherwise.

import { SagaError } from '../saga/errors.js'
import { TreeBuilder, type XmlElement } from './xml-element.js'

/** @throws SagaError `EVENT_NOT_BINARY_XML` */
export function readBinaryXml(bytes: Uint8Array): XmlElement {
  const reader = new Reader(bytes)
  try {
    return reader.document()
  } catch (error) {
    const why =
      error instanceof RangeError ? 'it ends too early' : error instanceof Error ? error.message : 'it can not be read'
    throw SagaError.of('EVENT_NOT_BINARY_XML', { why, at: reader.position })
  }
}

class Reader {
  readonly #bytes: Buffer
  readonly #tree = new TreeBuilder()
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  document(): XmlElement {
    // Attributes may follow an element's own record, and nothing else.
    let inStart = false
    while (this.position < this.#bytes.length) {
      const record = this.#byte()
      if (beginsElement(record)) {
        this.#tree.open(this.#elementName(record))
        inStart = true
      } else if (isAttribute(record)) {
        if (!inStart) throw new Error('an attribute stands where none can')
        this.#attribute(record)
      } else if (isXmlns(record)) {
        if (record === 0x09) this.#string()
        this.#string()
      } else {
        inStart = false
        this.#content(record)
      }
    }
    return this.#tree.end()
  }

  #content(record: number): void {
    if (record === 0x01) this.#tree.close()
    else if (record === 0x02) this.#string()
    else if (record === 0x03) this.#array()
    else {
      // Odd records end the element too.
      this.#tree.text(this.#value(record & ~1))
      if ((record & 1) === 1) this.#tree.close()
    }
  }

  #elementName(record: number): string {
    if (record === 0x41) this.#string()
    return this.#string()
  }

  #attribute(record: number): void {
    if (record === 0x05) this.#string()
    const name = this.#string()
    this.#tree.attribute(name, this.#value(this.#byte()))
  }

  /** One element, many times, each with a value of the same type. */
  #array(): void {
    const record = this.#byte()
    if (!beginsElement(record)) throw new Error('an array has no element')
    const name = this.#elementName(record)
    for (let next = this.#byte(); next !== 0x01; next = this.#byte()) {
      if (!isXmlns(next)) throw new Error('an array has more than an element')
      if (next === 0x09) this.#string()
      this.#string()
    }
    const type = this.#byte() & ~1
    const count = this.#length()
    for (let left = count; left > 0; left--) {
      this.#tree.open(name)
      this.#tree.text(this.#value(type))
      this.#tree.close()
    }
  }

  /** @param record of a text, without the bit that ends the element */
  #value(record: number): string {
    switch (record) {
      case 0x80:
        return '0'
      case 0x82:
        return '1'
      case 0x84:
        return 'false'
      case 0x86:
        return 'true'
      case 0x88:
        return String(this.#take(1).readInt8())
      case 0x8a:
        return String(this.#take(2).readInt16LE())
      case 0x8c:
        return String(this.#take(4).readInt32LE())
      case 0x8e:
        return String(this.#take(8).readBigInt64LE())
      case 0x90:
        return String(this.#take(4).readFloatLE())
      case 0x92:
        return String(this.#take(8).readDoubleLE())
      case 0x94:
        return decimalIn(this.#take(16))
      case 0x96:
        return dateIn(this.#take(8).readBigUInt64LE())
      case 0x98:
        return this.#take(this.#byte()).toString('utf8')
      case 0x9a:
        return this.#take(this.#take(2).readUInt16LE()).toString('utf8')
      case 0x9c:
        return this.#take(this.#take(4).readInt32LE()).toString('utf8')
      case 0x9e:
        return this.#take(this.#byte()).toString('base64')
      case 0xa0:
        return this.#take(this.#take(2).readUInt16LE()).toString('base64')
      case 0xa2:
        return this.#take(this.#take(4).readInt32LE()).toString('base64')
      case 0xa8:
        return ''
      case 0xac:
        return `urn:uuid:${guidIn(this.#take(16))}`
      case 0xae:
        return String(this.#take(8).readBigInt64LE())
      case 0xb0:
        return guidIn(this.#take(16))
      case 0xb4:
        return String(this.#byte() !== 0)
      case 0xb6:
        return this.#take(this.#byte()).toString('utf16le')
      case 0xb8:
        return this.#take(this.#take(2).readUInt16LE()).toString('utf16le')
      case 0xba:
        return this.#take(this.#take(4).readInt32LE()).toString('utf16le')
      default:
        throw new Error(`record 0x${record.toString(16)} is none that stands without a dictionary`)
    }
  }

  #string(): string {
    return this.#take(this.#length()).toString('utf8')
  }

  /** Seven bits in each byte, the lowest first. */
  #length(): number {
    let length = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return length
    }
    throw new Error('a length has more than five bytes')
  }

  #byte(): number {
    return this.#take(1).readUInt8()
  }

  #take(length: number): Buffer {
    const end = this.position + length
    if (length < 0 || end > this.#bytes.length) throw new RangeError('beyond the end')
    const taken = this.#bytes.subarray(this.position, end)
    this.position = end
    return taken
  }
}

const beginsElement = (record: number) => record === 0x40 || record === 0x41 || (record >= 0x5e && record <= 0x77)
const isAttribute = (record: number) => record === 0x04 || record === 0x05 || (record >= 0x26 && record <= 0x3f)
const isXmlns = (record: number) => record === 0x08 || record === 0x09

/** .NET's layout: two bytes of nothing, scale, sign, the upper 32 bits, the lower 64. */
function decimalIn(bytes: Buffer): string {
  const scale = bytes.readUInt8(2)
  if (scale > 28) throw new Error('a decimal has more than 28 digits behind its point')
  const digits = ((BigInt(bytes.readUInt32LE(4)) << 64n) + bytes.readBigUInt64LE(8)).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const sign = bytes.readUInt8(3) === 0 ? '' : '-'
  return scale === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-scale)}`
}

/** 62 bits of tenths of a microsecond since the year 1, and 2 bits that say of which zone; what is not UTC is taken for it. */
function dateIn(value: bigint): string {
  const ms = (value & 0x3fffffffffffffffn) / 10_000n - 62_135_596_800_000n
  const date = new Date(Number(ms))
  if (Number.isNaN(date.getTime())) throw new Error('a date lies out of range')
  return date.toISOString()
}

/** The first three groups stand with their lowest byte first. */
function guidIn(bytes: Buffer): string {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
  const hex = order.map((index) => bytes.readUInt8(index).toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
