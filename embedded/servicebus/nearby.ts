// Receives from a queue within the broker's own process, as a client's receiver does: peek-lock, so many messages at a time, locks renewed while they are in hand.
//
// Encoding, sockets and decoding between two parts of one thread are a tenth of what a saga costs. Sessions and batches go the usual way.

import type { Clock } from '../clock.js'
import { BrokerError } from './errors.js'
import type { Handout, Queue } from './queue.js'
import { type Decoded, messages } from './rhea.js'

/** Members are named, and valued, as the client has them. */
export interface NearbyMessage {
  /** Bytes, where the sender sent bytes. */
  readonly body: unknown
  readonly applicationProperties?: Readonly<Record<string, unknown>>
  readonly messageId?: string | number | Buffer
  readonly correlationId?: string | number | Buffer
  readonly contentType?: string
  readonly subject?: string
  readonly to?: string
  readonly replyTo?: string
  readonly replyToSessionId?: string
  readonly sessionId?: string
  readonly partitionKey?: string
  readonly deadLetterSource?: string
  /** Deliveries that failed before this one. */
  readonly deliveryCount: number
  readonly sequenceNumber: number
  readonly enqueuedTimeUtc: Date
  readonly expiresAtUtc: Date
  readonly lockToken: string
}

export interface ReceiveOptions {
  /** Messages in hand at once, at most. */
  readonly concurrency: number
  /** Milliseconds for which a lock is renewed. */
  readonly renewFor: number
}

type Source = Pick<Queue, 'handOut' | 'onReady' | 'renew' | 'settle' | 'settings'>

export class NearbyQueue {
  readonly #queue: Source
  readonly #clock: Clock
  /** Since when, by lock token. */
  readonly #inHand = new Map<Buffer, number>()
  #isRenewing = false

  constructor(queue: Source, clock: Clock) {
    this.#queue = queue
    this.#clock = clock
  }

  /** @param call must not reject, and settles the message or leaves it to its lock. Returns what stops it; calls under way go on. */
  receive({ concurrency, renewFor }: ReceiveOptions, call: (message: NearbyMessage) => Promise<void>): () => void {
    let isStopped = false
    const next = () => (isStopped || this.#inHand.size >= concurrency ? undefined : this.#queue.handOut())
    const pump = () => {
      for (let handout = next(); handout; handout = next()) void hold(handout)
    }
    const hold = async (handout: Handout) => {
      this.#inHand.set(handout.token, this.#clock.now())
      if (!this.#isRenewing) this.#renewLater(renewFor)
      const message = readHandout(handout)
      await (message ? call(message) : this.#bury(handout.token))
      this.#inHand.delete(handout.token)
      pump()
    }
    const stopListening = this.#queue.onReady(pump)
    pump()
    return () => {
      isStopped = true
      stopListening()
    }
  }

  completeMessage(message: NearbyMessage): Promise<void> {
    return this.#settle(message, { kind: 'complete' })
  }

  abandonMessage(message: NearbyMessage): Promise<void> {
    return this.#settle(message, { kind: 'abandon', properties: {} })
  }

  async #bury(token: Buffer): Promise<void> {
    try {
      await this.#queue.settle(token, unreadable)
    } catch {
      // A dead-letter queue has none of its own: there it is left to its lock.
    }
  }

  /** @throws an Error with the code `MessageLockLost`, as the client's */
  async #settle(message: NearbyMessage, settlement: Parameters<Queue['settle']>[1]): Promise<void> {
    try {
      await this.#queue.settle(Buffer.from(message.lockToken.replaceAll('-', ''), 'hex'), settlement)
    } catch (error) {
      if (isLockLost(error)) throw Object.assign(error, { code: 'MessageLockLost' })
      throw error
    }
  }

  /** Twice in the time that a lock holds, as long as anything is in hand. */
  #renewLater(renewFor: number): void {
    this.#isRenewing = true
    this.#clock.after(this.#queue.settings.lockDuration / 2, () => {
      const now = this.#clock.now()
      for (const [token, since] of this.#inHand) if (now - since < renewFor) this.#renew(token)
      this.#isRenewing = false
      if (this.#inHand.size > 0) this.#renewLater(renewFor)
    })
  }

  #renew(token: Buffer): void {
    try {
      this.#queue.renew(token)
    } catch (error) {
      // Settled by the app itself, or too late: that shows when it is settled here.
      if (!isLockLost(error)) throw error
    }
  }
}

const isLockLost = (error: unknown): error is BrokerError =>
  error instanceof BrokerError && error.condition === 'com.microsoft:message-lock-lost'

/** Nobody could do anything with it. */
const unreadable = {
  kind: 'deadLetter',
  reason: 'UnreadableMessage',
  description: 'Its bytes are no AMQP message.',
  properties: {},
} as const

/** Undefined for one that can't be decoded. */
function readHandout({ bytes, envelope, token }: Handout): NearbyMessage | undefined {
  const decoded = decode(bytes)
  if (!decoded) return undefined
  const {
    application_properties: properties,
    message_annotations: annotations = {},
    message_id: messageId,
    correlation_id: correlationId,
    content_type: contentType,
    subject,
    to,
    reply_to: replyTo,
    reply_to_group_id: replyToSessionId,
    group_id: sessionId,
    ttl,
    body,
  } = decoded
  const { enqueuedAt, failures, sequence, source } = envelope
  const partitionKey = annotations['x-opt-partition-key']
  return {
    body: contentOf(body),
    ...(properties && { applicationProperties: withoutDates(properties) }),
    ...(isThere(messageId) && { messageId }),
    ...(isThere(correlationId) && { correlationId }),
    ...(isThere(contentType) && { contentType }),
    ...(isThere(subject) && { subject }),
    ...(isThere(to) && { to }),
    ...(isThere(replyTo) && { replyTo }),
    ...(isThere(replyToSessionId) && { replyToSessionId }),
    ...(isThere(sessionId) && { sessionId }),
    ...(typeof partitionKey === 'string' && { partitionKey }),
    ...(isThere(source) && { deadLetterSource: source }),
    deliveryCount: failures,
    sequenceNumber: sequence,
    enqueuedTimeUtc: new Date(enqueuedAt),
    expiresAtUtc: new Date(Math.min(enqueuedAt + (ttl ?? forEver), forEver)),
    lockToken: uuidOf(token),
  }
}

function decode(bytes: Buffer): Decoded | undefined {
  try {
    return messages.decode(bytes)
  } catch {
    return undefined
  }
}

const isThere = <Value>(value: Value | null | undefined): value is Value => value !== null && value !== undefined

/** Milliseconds; the longest that .NET can say. */
const forEver = 922_337_203_685_477

const contentOf = (body: unknown): unknown =>
  typeof body === 'object' && body !== null && 'typecode' in body && 'content' in body ? body.content : body

const withoutDates = (properties: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, value instanceof Date ? value.getTime() : value]),
  )

function uuidOf(token: Buffer): string {
  const digits = token.toString('hex')
  return [0, 8, 12, 16, 20].map((begin, index, all) => digits.slice(begin, all[index + 1])).join('-')
}
