// A message as a receiver gets it: the bytes that the sender wrote, and before them what the broker knows of it.

import { BytesWriter, constructor, endOf, symbol, textAt } from './amqp-bytes.js'
import { cutBefore, itemsIn, section, type Section } from './sections.js'

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

const symbols = {
  sequence: symbol('x-opt-sequence-number'),
  enqueuedAt: symbol('x-opt-enqueued-time'),
  state: symbol('x-opt-message-state'),
  lockedUntil: symbol('x-opt-locked-until'),
  lockToken: symbol('x-opt-lock-token'),
  enqueuedSequence: symbol('x-opt-enqueue-sequence-number'),
  source: symbol('x-opt-deadletter-source'),
}

const isOwn = new Set(Object.values(symbols).map((bytes) => textAt(bytes, 0)))

const states = { active: 0, deferred: 1, scheduled: 2 }

const out = new BytesWriter()

/** @throws BrokerError `amqp:decode-error` */
export function composeDelivery(bytes: Buffer, envelope: Envelope): Buffer {
  const { sections, end } = cutBefore(bytes, section.properties)
  out.restart()
  writeHeader(bytes, sections, envelope.failures)
  if (envelope.lockToken) writeLockToken(envelope.lockToken)
  writeAnnotations(bytes, sections, envelope)
  return out.followedBy(bytes.subarray(end))
}

/** Durable, priority, time to live and first acquirer are the sender's; the count of deliveries is not. */
function writeHeader(bytes: Buffer, sections: readonly Section[], failures: number): void {
  const fields = itemsIn(bytes, sections, section.header)
  const begin = out.begin(section.header, constructor.list)
  for (let index = 0; index < 4; index++) {
    const at = fields[index]
    if (at === undefined) out.byte(constructor.null)
    else out.copy(bytes, at, endOf(bytes, at))
  }
  out.four(constructor.uint, failures)
  out.end(begin, 5)
}

function writeLockToken(token: Buffer): void {
  const begin = out.begin(section.deliveryAnnotations, constructor.map)
  out.copy(symbols.lockToken)
  out.byte(constructor.uuid)
  out.copy(token)
  out.end(begin, 2)
}

/** The sender's, but for what is the broker's to say. */
function writeAnnotations(bytes: Buffer, sections: readonly Section[], envelope: Envelope): void {
  const { sequence, enqueuedAt, state, lockedUntil, enqueuedSequence, source } = envelope
  const begin = out.begin(section.messageAnnotations, constructor.map)
  let items = out.copyPairs(bytes, itemsIn(bytes, sections, section.messageAnnotations), isOwn) + 6
  out.copy(symbols.sequence)
  out.eight(constructor.long, sequence)
  out.copy(symbols.enqueuedAt)
  out.eight(constructor.timestamp, enqueuedAt)
  out.copy(symbols.state)
  out.byte(constructor.smallInt)
  out.byte(states[state])
  if (lockedUntil !== undefined) {
    out.copy(symbols.lockedUntil)
    out.eight(constructor.timestamp, lockedUntil)
    items += 2
  }
  if (enqueuedSequence !== undefined) {
    out.copy(symbols.enqueuedSequence)
    out.eight(constructor.long, enqueuedSequence)
    items += 2
  }
  if (source !== undefined) {
    const text = Buffer.from(source)
    out.copy(symbols.source)
    out.four(constructor.longString, text.length)
    out.copy(text)
    items += 2
  }
  out.end(begin, items)
}
