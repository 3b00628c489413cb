// The bytes of a message: cut into sections, changed in the few places that are the broker's to change, otherwise as the sender wrote them.

import { malformed } from './errors.js'
import { messages, types, type Typed } from './rhea.js'

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

/** The message as a receiver gets it. */
export function composeDelivery(bytes: Buffer, envelope: Envelope): Buffer {
  const sections = cut(bytes)
  const header = fieldsOf(sections.find(({ code }) => code === section.header))
  const [durable, priority, ttl, firstAcquirer] = header.map(({ value }) => value)
  const annotations = new Map<string, unknown>(pairsOf(sections, section.messageAnnotations))
  annotations.set('x-opt-sequence-number', types.wrap_long(envelope.sequence))
  annotations.set('x-opt-enqueued-time', types.wrap_timestamp(envelope.enqueuedAt))
  annotations.set('x-opt-message-state', types.wrap_int({ active: 0, deferred: 1, scheduled: 2 }[envelope.state]))
  if (envelope.lockedUntil !== undefined)
    annotations.set('x-opt-locked-until', types.wrap_timestamp(envelope.lockedUntil))
  if (envelope.enqueuedSequence !== undefined)
    annotations.set('x-opt-enqueue-sequence-number', types.wrap_long(envelope.enqueuedSequence))
  if (envelope.source !== undefined) annotations.set('x-opt-deadletter-source', types.wrap_string(envelope.source))
  return Buffer.concat([
    write(
      messages
        .header({ durable, priority, ttl, first_acquirer: firstAcquirer, delivery_count: envelope.failures })
        .described(),
    ),
    ...(envelope.lockToken
      ? [
          describe(
            section.deliveryAnnotations,
            types.wrap_symbolic_map({ 'x-opt-lock-token': types.wrap_uuid(envelope.lockToken) }),
          ),
        ]
      : []),
    describe(section.messageAnnotations, types.wrap_symbolic_map(Object.fromEntries(annotations))),
    ...sections.filter(({ code }) => code >= section.properties).map((kept) => kept.bytes),
  ])
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

function cut(raw: Buffer): Section[] {
  const sections: Section[] = []
  try {
    const reader = new types.Reader(raw)
    while (reader.remaining() > 0) {
      const from = reader.position
      const { descriptor, value } = reader.read()
      sections.push({ code: Number(descriptor?.value), bytes: raw.subarray(from, reader.position), value })
    }
  } catch (error) {
    throw malformed(`The message can not be decoded: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (sections.some(({ code }) => Number.isNaN(code))) throw malformed('The message has a part that is no section.')
  return sections
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
