// What a message tells the broker, and its bytes changed in the few places that are the broker's to change, otherwise as the sender wrote them.

import { BytesWriter, constructor, endOf, textAt } from './amqp-bytes.js'
import { types, type Typed } from './rhea.js'
import { cut, itemsIn, replaced, type Section, section } from './sections.js'

/** Where they stand in the properties of an AMQP message. */
const place = { messageId: 0, sessionId: 10 } as const

/** The same of all that the service calls system properties. */
const field: Readonly<Record<string, number>> = {
  messageid: place.messageId,
  to: 2,
  label: 3,
  subject: 3,
  replyto: 4,
  correlationid: 5,
  contenttype: 6,
  sessionid: place.sessionId,
  replytosessionid: 12,
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

/** @throws BrokerError `amqp:decode-error` */
export function readMessage(raw: Buffer, newMessageId: () => string): Arrival {
  const sections = cut(raw)
  const given = itemIn(raw, sections, section.properties, place.messageId)
  const sessionId = itemIn(raw, sections, section.properties, place.sessionId)
  const timeToLive = numberOf(itemIn(raw, sections, section.header, 2))
  const annotations = pairsOf(raw, sections, section.messageAnnotations)
  const scheduledAt = numberOf(annotations.get('x-opt-scheduled-enqueue-time')?.value)
  const more = {
    ...(typeof sessionId === 'string' ? { sessionId } : {}),
    ...(timeToLive === undefined ? {} : { timeToLive }),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
  }
  if (given !== undefined && given !== null) return { bytes: raw, messageId: textOf(given), ...more }
  const fields = [write(types.wrap_string(newMessageId())), ...fieldsOf(raw, sections).slice(1)]
  return { bytes: withFields(raw, fields), ...more }
}

export function readFacts(bytes: Buffer): MessageFacts {
  const sections = cut(bytes)
  const user = pairsOf(bytes, sections, section.applicationProperties)
  const byLowerCase = new Map([...user].map(([name, value]) => [name.toLowerCase(), value]))
  return {
    system(name) {
      const index = field[name]
      return (index === undefined ? undefined : itemIn(bytes, sections, section.properties, index)) ?? undefined
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
  const fields = [...fieldsOf(bytes, cut(bytes))]
  const user = new Map<string, unknown>()
  for (const { scope, name, value } of changes) {
    const index = field[name.toLowerCase()]
    if (scope === 'user') user.set(name, value)
    else if (index !== undefined) {
      while (fields.length <= index) fields.push(write(types.wrap(null)))
      fields[index] = write(value === undefined ? types.wrap(null) : types.wrap_string(textOf(value)))
    }
  }
  return withUserProperties(withFields(bytes, fields), user)
}

/** The messages in a batch; none in an empty one. */
export function readBatch(raw: Buffer): Buffer[] {
  return cut(raw).flatMap((one) => {
    const data = one.code === section.data ? read(raw, one.value).value : undefined
    return Buffer.isBuffer(data) ? [data] : []
  })
}

/** The same message with application properties added or replaced; the others stay as they were. */
export function withApplicationProperties(bytes: Buffer, added: Readonly<Record<string, unknown>>): Buffer {
  const there = Object.entries(added).filter(([, value]) => value !== undefined && value !== null)
  return there.length === 0 ? bytes : withUserProperties(bytes, new Map(there))
}

/** @param changes without a value for those that go */
function withUserProperties(bytes: Buffer, changes: ReadonlyMap<string, unknown>): Buffer {
  const { applicationProperties: code } = section
  const out = new BytesWriter()
  const begin = out.begin(code, constructor.map)
  let items = out.copyPairs(bytes, itemsIn(bytes, cut(bytes), code), changes)
  for (const [name, value] of changes) {
    if (value === undefined) continue
    out.copy(write(types.wrap_string(name)))
    out.copy(write(types.wrap(value)))
    items += 2
  }
  out.end(begin, items)
  return replaced(bytes, code, out.followedBy())
}

/** The properties of the message as they stand there: rhea can't write all that it can read. */
const fieldsOf = (bytes: Buffer, sections: readonly Section[]): readonly Buffer[] =>
  itemsIn(bytes, sections, section.properties).map((begin) => bytes.subarray(begin, endOf(bytes, begin)))

/** The same message with these for its properties. */
function withFields(bytes: Buffer, fields: readonly Buffer[]): Buffer {
  const out = new BytesWriter()
  const begin = out.begin(section.properties, constructor.list)
  for (const one of fields) out.copy(one)
  out.end(begin, fields.length)
  return replaced(bytes, section.properties, out.followedBy())
}

/** One item of a section that is a list; undefined where there is none. */
function itemIn(bytes: Buffer, sections: readonly Section[], code: number, index: number): unknown {
  const at = itemsIn(bytes, sections, code)[index]
  return at === undefined ? undefined : (textAt(bytes, at) ?? read(bytes, at).value)
}

function pairsOf(bytes: Buffer, sections: readonly Section[], code: number): Map<string, Typed> {
  const items = itemsIn(bytes, sections, code).map((at) => read(bytes, at))
  const pairs = new Map<string, Typed>()
  for (let index = 0; index + 1 < items.length; index += 2) {
    const value = items[index + 1]
    if (value) pairs.set(String(items[index]?.value), value)
  }
  return pairs
}

function read(bytes: Buffer, at: number): Typed {
  const reader = new types.Reader(bytes)
  reader.position = at
  return reader.read()
}

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
