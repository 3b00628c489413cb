// The sections of a message (AMQP 1.0 §3.2): where they begin and end in its bytes, and one put in the place of another.

import { constructor, endOf, itemsOf } from './amqp-bytes.js'
import { malformed } from './errors.js'

export const section = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
  sequence: 0x76,
  value: 0x77,
  footer: 0x78,
} as const

const lists = [0x45, 0xc0, 0xd0]
const maps = [0xc1, 0xd1]
const binaries = [0xa0, 0xb0]

/** By a section's code: the constructors of what it can hold; none named where it can hold any value. */
const contents = new Map<number, readonly number[]>([
  [section.header, lists],
  [section.deliveryAnnotations, maps],
  [section.messageAnnotations, maps],
  [section.properties, lists],
  [section.applicationProperties, maps],
  [section.data, binaries],
  [section.sequence, lists],
  [section.value, []],
  [section.footer, maps],
])

export interface Section {
  readonly code: number
  /** Where it begins, where its value does, and where both end. */
  readonly from: number
  readonly value: number
  readonly to: number
}

/** @throws BrokerError `amqp:decode-error` */
export const cut = (bytes: Buffer): readonly Section[] => cutBefore(bytes, Infinity).sections

/** The sections before the first of this code or a higher one, and where that begins. @throws BrokerError `amqp:decode-error` */
export function cutBefore(
  bytes: Buffer,
  limit: number,
): { readonly sections: readonly Section[]; readonly end: number } {
  const sections: Section[] = []
  let at = 0
  let last = 0
  while (at < bytes.length) {
    const code = codeAt(bytes, at)
    if (code >= limit) break
    const held = contents.get(code)
    if (!held) throw malformed('The message has a part that is no section.')
    if (code < last) throw malformed('The sections of the message are not in their order.')
    const value = at + (bytes[at + 1] === constructor.smallUlong ? 3 : 10)
    if (held.length > 0 && !held.includes(bytes[value] ?? NaN))
      throw malformed('A section of the message holds what it can not hold.')
    const to = endOfValue(bytes, value)
    sections.push({ code, from: at, value, to })
    last = code
    at = to
  }
  return { sections, end: at }
}

const none: readonly number[] = []

/** Where each item of the section of this code begins; none where there is no such section. */
export function itemsIn(bytes: Buffer, sections: readonly Section[], code: number): readonly number[] {
  const found = sections.find((one) => one.code === code)
  return found ? itemsOf(bytes, found.value) : none
}

/** Of the section that begins there; NaN where none does. */
function codeAt(bytes: Buffer, at: number): number {
  if (bytes[at] !== constructor.described) return NaN
  if (bytes[at + 1] === constructor.smallUlong) return bytes[at + 2] ?? NaN
  return bytes[at + 1] === constructor.ulong && at + 10 <= bytes.length ? Number(bytes.readBigUInt64BE(at + 2)) : NaN
}

function endOfValue(bytes: Buffer, at: number): number {
  try {
    return endOf(bytes, at)
  } catch (error) {
    throw malformed(`The message can not be decoded: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The message with a section in the place of those of the same code, or where it belongs. */
export function replaced(bytes: Buffer, code: number, put: Buffer): Buffer {
  const sections = cut(bytes)
  const after = sections.find((other) => other.code > code)?.from ?? bytes.length
  const before = sections.find((other) => other.code >= code)?.from ?? after
  return Buffer.concat([bytes.subarray(0, before), put, bytes.subarray(after)])
}
