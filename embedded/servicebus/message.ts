// The bytes of a message: cut into sections, changed in the few places that are the broker's to change, otherwise as the sender wrote them.

import { malformed } from './errors.js'
import { types, type Typed } from './rhea.js'

const section = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
  value: 0x77,
} as const

/** Where the service's system properties stand in the properties of an AMQP message. */
const field: Readonly<Record<string, number>> = {
  messageid: 0,
  to: 2,
  label: 3,
  subject: 3,
  replyto: 4,
  correlationid: 5,
  contenttype: 6,
  sessionid: 10,
  replytosessionid: 12,
}

interface Section {
  readonly code: number
  readonly bytes: Buffer
  readonly value: unknown
}

/** What a message tells the broker, apart from what it carries. */
export interface Arrival {
  /** As it is kept: with a message id, for clients can't do without. */
  readonly bytes: Buffer
  /** What duplicates are known by; absent when the sender gave none. */
  readonly messageId?: string
  readonly sessionId?: string
  /** Milliseconds. */
  readonly timeToLive?: number
  /** Milliseconds since 1970, when the sender wants it delivered. */
  readonly scheduledAt?: number
  /** The number that it had in the topic or queue that it came through. */
  readonly enqueuedSequence?: number
  /** The entity that it was dead-lettered from. */
  readonly source?: string
  /** Deliveries that failed elsewhere. */
  readonly failures?: number
}

/** What rules can read of a message. */
export interface MessageFacts {
  /** By names in lower case: `label`, `correlationid`... */
  system(name: string): unknown
  user(name: string): unknown
}

/** What the broker adds when it hands a message out. */
export interface Envelope {
  readonly sequence: number
  readonly enqueuedAt: number
  readonly state: 'active' | 'deferred' | 'scheduled'
  /** Deliveries that failed before this one. */
  readonly failures: number
  readonly lockedUntil?: number
  /** 16 bytes, as a uuid in its usual order. */
  readonly lockToken?: Buffer
  /** The queue that it was dead-lettered from. */
  readonly source?: string
  readonly enqueuedSequence?: number
}

/** @throws BrokerError `amqp:decode-error` */
export function readMessage(raw: Buffer, newMessageId: () => string): Arrival {
  const sections = cut(raw)
  const properties = sections.find(({ code }) => code === section.properties)
  const fields = fieldsOf(properties)
  const header = fieldsOf(sections.find(({ code }) => code === section.header))
  const given = fields[0]?.value
  const sessionId = fields[10]?.value
  const timeToLive = numberOf(header[2]?.value)
  const scheduledAt = numberOf(pairsOf(sections, section.messageAnnotations).get('x-opt-scheduled-enqueue-time')?.value)
  const more = {
    ...(typeof sessionId === 'string' ? { sessionId } : {}),
    ...(timeToLive === undefined ? {} : { timeToLive }),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
  }
  if (given !== undefined && given !== null) return { bytes: raw, messageId: textOf(given), ...more }
  const filled = describe(section.properties, types.List32([types.wrap_string(newMessageId()), ...fields.slice(1)]))
  return { bytes: replaced(sections, section.properties, filled), ...more }
}

export function readFacts(bytes: Buffer): MessageFacts {
  const sections = cut(bytes)
  const fields = fieldsOf(sections.find(({ code }) => code === section.properties))
  const user = pairsOf(sections, section.applicationProperties)
  const byLowerCase = new Map([...user].map(([name, value]) => [name.toLowerCase(), value]))
  return {
    system(name) {
      const index = field[name]
      const value = index === undefined ? undefined : fields[index]?.value
      return value === null ? undefined : value
    },
    user(name) {
      const value = (user.get(name) ?? byLowerCase.get(name.toLowerCase()))?.value
      return Buffer.isBuffer(value) ? (numberOf(value) ?? undefined) : (value ?? undefined)
    },
  }
}

/** The same message with properties set, or removed where there is no value. */
export function withProperties(
  bytes: Buffer,
  changes: readonly { readonly scope: 'sys' | 'user'; readonly name: string; readonly value: unknown }[],
): Buffer {
  const sections = cut(bytes)
  const pairs = new Map<string, unknown>(pairsOf(sections, section.applicationProperties))
  const fields: unknown[] = [...fieldsOf(sections.find(({ code }) => code === section.properties))]
  for (const { scope, name, value } of changes) {
    const index = field[name.toLowerCase()]
    if (scope === 'user') {
      if (value === undefined) pairs.delete(name)
      else pairs.set(name, types.wrap(value))
    } else if (index !== undefined) {
      while (fields.length <= index) fields.push(types.wrap(null))
      fields[index] = value === undefined ? types.wrap(null) : types.wrap_string(textOf(value))
    }
  }
  const items = [...pairs].flatMap(([name, value]) => [types.wrap_string(name), value])
  const inner = replaced(sections, section.properties, describe(section.properties, types.List32(fields)))
  return replaced(
    cut(inner),
    section.applicationProperties,
    describe(section.applicationProperties, types.Map32(items)),
  )
}

/** The messages in a batch; none in an empty one. */
export function readBatch(raw: Buffer): Buffer[] {
  return cut(raw).flatMap(({ code, value }) => (code === section.data && Buffer.isBuffer(value) ? [value] : []))
}

/** The message as a receiver gets it. Written byte by byte (AMQP 1.0 §1.6, §3.2): each message that is delivered comes by here. */
export function composeDelivery(bytes: Buffer, envelope: Envelope): Buffer {
  const { sections, rest } = cutBefore(bytes, section.properties)
  const header = fieldsOf(sections.find(({ code }) => code === section.header))
  const [durable, priority, ttl, firstAcquirer] = header.map(({ value }) => value)
  const { sequence, enqueuedAt, state, lockedUntil, enqueuedSequence, source, lockToken } = envelope
  const own = [
    pair('x-opt-sequence-number', eight(0x81, sequence)),
    pair('x-opt-enqueued-time', eight(0x83, enqueuedAt)),
    pair('x-opt-message-state', Buffer.from([0x54, { active: 0, deferred: 1, scheduled: 2 }[state]])),
    ...(lockedUntil === undefined ? [] : [pair('x-opt-locked-until', eight(0x83, lockedUntil))]),
    ...(enqueuedSequence === undefined ? [] : [pair('x-opt-enqueue-sequence-number', eight(0x81, enqueuedSequence))]),
    ...(source === undefined ? [] : [pair('x-opt-deadletter-source', write(types.wrap_string(source)))]),
  ]
  const isOwn = new Set(own.map(({ name }) => name))
  const others = [...pairsOf(sections, section.messageAnnotations)]
    .filter(([name]) => !isOwn.has(name))
    .map(([name, value]) => pair(name, write(value)))
  return Buffer.concat([
    ...compound(section.header, 0xd0, [
      flag(durable),
      typeof priority === 'number' ? Buffer.from([0x50, priority]) : nothing,
      typeof ttl === 'number' ? four(0x70, ttl) : nothing,
      flag(firstAcquirer),
      four(0x70, envelope.failures),
    ]),
    ...(lockToken
      ? compound(section.deliveryAnnotations, 0xd1, [symbol('x-opt-lock-token'), Buffer.concat([uuid, lockToken])])
      : []),
    ...compound(section.messageAnnotations, 0xd1, bytesOf([...others, ...own])),
    rest,
  ])
}

interface Pair {
  readonly name: string
  readonly value: Buffer
}

const pair = (name: string, value: Buffer): Pair => ({ name, value })
const bytesOf = (pairs: readonly Pair[]) => pairs.flatMap(({ name, value }) => [symbol(name), value])

const nothing = Buffer.from([0x40])
const uuid = Buffer.from([0x98])
const flags = { true: Buffer.from([0x41]), false: Buffer.from([0x42]) }
const flag = (value: unknown) => (typeof value === 'boolean' ? flags[`${value}`] : nothing)

/** A section that is a list (0xd0) or a map (0xd1). */
function compound(code: number, constructor: number, items: readonly Buffer[]): readonly Buffer[] {
  const size = items.reduce((sum, { length }) => sum + length, 0)
  const begin = Buffer.allocUnsafe(12)
  begin.set([0x00, 0x53, code, constructor])
  begin.writeUInt32BE(size + 4, 4)
  begin.writeUInt32BE(items.length, 8)
  return [begin, ...items]
}

function four(constructor: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(5)
  bytes[0] = constructor
  bytes.writeUInt32BE(value, 1)
  return bytes
}

/** A long or a timestamp. */
function eight(constructor: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(9)
  bytes[0] = constructor
  bytes.writeBigInt64BE(BigInt(value), 1)
  return bytes
}

const symbols = new Map<string, Buffer>()

/** Senders' own names are not kept: they may be any. */
function symbol(name: string): Buffer {
  const known = symbols.get(name)
  if (known) return known
  const made = write(types.wrap_symbol(name))
  if (name.startsWith('x-opt-') && symbols.size < 100) symbols.set(name, made)
  return made
}

/** The same message with application properties added or replaced; the types of the others stay as they were. */
export function withApplicationProperties(bytes: Buffer, added: Readonly<Record<string, unknown>>): Buffer {
  if (Object.keys(added).length === 0) return bytes
  const sections = cut(bytes)
  const pairs = new Map<string, unknown>(pairsOf(sections, section.applicationProperties))
  for (const [name, value] of Object.entries(added))
    if (value !== undefined && value !== null) pairs.set(name, types.wrap(value))
  const items = [...pairs].flatMap(([name, value]) => [types.wrap_string(name), value])
  return replaced(sections, section.applicationProperties, describe(section.applicationProperties, types.Map32(items)))
}

const cut = (raw: Buffer): readonly Section[] => cutBefore(raw, Infinity).sections

/** The sections before the first of this code or a higher one, and the bytes from there on. */
function cutBefore(raw: Buffer, limit: number): { readonly sections: readonly Section[]; readonly rest: Buffer } {
  const sections: Section[] = []
  const reader = new types.Reader(raw)
  try {
    while (reader.remaining() > 0 && !(codeAt(raw, reader.position) >= limit)) {
      const from = reader.position
      const { descriptor, value } = reader.read()
      sections.push({ code: Number(descriptor?.value), bytes: raw.subarray(from, reader.position), value })
    }
  } catch (error) {
    throw malformed(`The message can not be decoded: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (sections.some(({ code }) => Number.isNaN(code))) throw malformed('The message has a part that is no section.')
  if (sections.some(({ code }, index) => code < (sections[index - 1]?.code ?? 0)))
    throw malformed('The sections of the message are not in their order.')
  return { sections, rest: raw.subarray(reader.position) }
}

/** Of the section that begins there, without reading it; NaN where none begins. */
function codeAt(raw: Buffer, at: number): number {
  if (raw[at] !== 0x00) return NaN
  if (raw[at + 1] === 0x53) return raw[at + 2] ?? NaN
  return raw[at + 1] === 0x80 && at + 10 <= raw.length ? Number(raw.readBigUInt64BE(at + 2)) : NaN
}

/** In the order that AMQP prescribes, with one section put in the place of the old one. */
function replaced(sections: readonly Section[], code: number, bytes: Buffer): Buffer {
  const others = sections.filter((other) => other.code !== code)
  const after = others.findIndex((other) => other.code > code)
  const at = after < 0 ? others.length : after
  return Buffer.concat([
    ...others.slice(0, at).map((other) => other.bytes),
    bytes,
    ...others.slice(at).map((other) => other.bytes),
  ])
}

function fieldsOf(list: Section | undefined): readonly Typed[] {
  // rhea decodes every empty list to one and the same array, so it is never changed, only read.
  return Array.isArray(list?.value) ? list.value : []
}

function pairsOf(sections: readonly Section[], code: number): Map<string, Typed> {
  const items = fieldsOf(sections.find((one) => one.code === code))
  const pairs = new Map<string, Typed>()
  for (let index = 0; index + 1 < items.length; index += 2) {
    const value = items[index + 1]
    if (value) pairs.set(String(items[index]?.value), value)
  }
  return pairs
}

const describe = (code: number, value: unknown) => write(types.described_nc(types.wrap_ulong(code), value))

function write(value: unknown): Buffer {
  const writer = new types.Writer()
  writer.write(value)
  return Buffer.from(writer.toBuffer())
}

/** AMQP longs come as numbers, or as eight bytes when they are beyond a number's precision; timestamps as numbers or dates. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (value instanceof Date) return value.getTime()
  if (Buffer.isBuffer(value) && value.length === 8) return Number(value.readBigInt64BE())
  return undefined
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : Buffer.isBuffer(value) ? value.toString('hex') : String(value)
