// Dead-letter queues as operators see them: looked at, sent again, discarded.
//
// Promises: a dead letter leaves its queue only after its copy was accepted, or when somebody discards it; the copy has the bytes and properties of the
// message as it was sent first. Resubmitting the same dead letter again, after a crash between the two, sends the same message id again.

import { createHash } from 'node:crypto'
import type {
  ServiceBusClient,
  ServiceBusMessage,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
  ServiceBusReceiverOptions,
} from '@azure/service-bus'
import Long from 'long'
import { type EventSource, startQueue, topicSource } from '../event-source.js'
import { repliesQueue } from '../in/partner-replies.js'
import { closeUnattended } from '../service-bus.js'

/** A queue, or a subscription of a topic. */
export const nameOf = (source: EventSource) =>
  'queue' in source ? source.queue : `${source.topic}/${source.subscription}`

/** All that the app reads. */
export function sources(): readonly EventSource[] {
  const topic = topicSource(process.env['DATAVERSE_EVENTS_TOPIC'])
  return [startQueue, repliesQueue, ...(topic ? [topic] : [])]
}

/** Messages are taken as bytes: parsed and written again they would not be the same. */
const asBytes = {
  subQueueType: 'deadLetter',
  receiveMode: 'peekLock',
  skipParsingBodyAsJson: true,
  skipConvertingDate: true,
} as const satisfies ServiceBusReceiverOptions

const receiverOf = (client: ServiceBusClient, source: EventSource): ServiceBusReceiver =>
  'queue' in source
    ? client.createReceiver(source.queue, asBytes)
    : client.createReceiver(source.topic, source.subscription, asBytes)

export const numberOf = ({ sequenceNumber }: ServiceBusReceivedMessage) => sequenceNumber?.toString() ?? ''

/** Without taking them; the oldest first, from a sequence number on. */
export async function peek(client: ServiceBusClient, source: EventSource, limit: number, from = '0') {
  const receiver = receiverOf(client, source)
  try {
    return await peekAll(receiver, limit, from)
  } finally {
    closeUnattended(receiver)
  }
}

/** The client tells as many at once as it likes. */
async function peekAll(receiver: ServiceBusReceiver, limit: number, from: string) {
  const found: ServiceBusReceivedMessage[] = []
  for (let next = Long.fromString(from); found.length < limit; ) {
    const some = await receiver.peekMessages(Math.min(limit - found.length, 250), { fromSequenceNumber: next })
    const last = some.at(-1)?.sequenceNumber
    if (!last) return found
    found.push(...some)
    next = last.add(1)
  }
  return found
}

/** Messages that are asked for at once, and that one connection can hold: the client stops after 2,047. */
const batch = 200
const mostHeld = 1_000
/** Milliseconds; what does not come by then is in somebody else's hands. */
const patience = 1_000

/**
 * Takes dead letters out, each when `settle` has resolved. A queue gives its messages in their order only, so those before are locked for a moment, and let go again.
 * @param settle what is to be done before the dead letter is gone; what it throws leaves the dead letter there
 * @returns the numbers of those that were there
 */
export async function takeOut(
  client: ServiceBusClient,
  source: EventSource,
  numbers: readonly string[],
  settle: (message: ServiceBusReceivedMessage) => Promise<void>,
): Promise<readonly string[]> {
  const wanted = new Set(numbers)
  const last = numbers
    .map((number) => Long.fromString(number))
    .toSorted((one, other) => one.compare(other))
    .at(-1)
  const gone: string[] = []
  let receiver = receiverOf(client, source)
  /** Each with the messages that are to be let go again. */
  const receivers = new Map<ServiceBusReceiver, ServiceBusReceivedMessage[]>([[receiver, []]])
  try {
    for (let ahead = await countUpTo(receiver, last); ahead > 0 && gone.length < wanted.size; ) {
      if ((receivers.get(receiver)?.length ?? 0) >= mostHeld) {
        receiver = receiverOf(client, source)
        receivers.set(receiver, [])
      }
      const messages = await receiver.receiveMessages(Math.min(ahead, batch), { maxWaitTimeInMs: patience })
      if (messages.length === 0) break
      ahead -= messages.length
      const others = receivers.get(receiver) ?? []
      others.push(...messages)
      for (const message of messages) {
        if (!wanted.has(numberOf(message))) continue
        await settle(message)
        // One after the other: the client tells unlike settlements in one go wrongly.
        await receiver.completeMessage(message)
        others.splice(others.indexOf(message), 1)
        gone.push(numberOf(message))
      }
    }
  } finally {
    for (const [own, others] of receivers) {
      await Promise.all(others.map((message) => own.abandonMessage(message)))
      closeUnattended(own)
    }
  }
  return gone
}

async function countUpTo(receiver: ServiceBusReceiver, last: Long | undefined): Promise<number> {
  if (!last) return 0
  let count = 0
  for (let from = Long.ZERO; ; ) {
    const messages = await receiver.peekMessages(250, { fromSequenceNumber: from })
    const before = messages.filter(({ sequenceNumber }) => sequenceNumber?.lessThanOrEqual(last))
    const end = before.at(-1)?.sequenceNumber
    count += before.length
    if (!end || before.length < messages.length) return count
    from = end.add(1)
  }
}

/** Application properties that tell where a message comes from. */
const lineageOf = {
  resubmits: 'resubmits',
  from: 'resubmitted-from',
  messageId: 'original-message-id',
} as const

export interface Lineage {
  readonly resubmits: number
  /** The dead letter that it was: `queue/sequence number`. */
  readonly from: string
  /** Of the message as it was sent first. */
  readonly messageId: string
}

/** Undefined for a message that was never resubmitted. */
export function lineageIn({ applicationProperties = {} }: ServiceBusReceivedMessage): Lineage | undefined {
  const {
    [lineageOf.resubmits]: resubmits,
    [lineageOf.from]: from,
    [lineageOf.messageId]: messageId,
  } = applicationProperties
  return typeof resubmits === 'number' && typeof from === 'string'
    ? { resubmits, from, messageId: String(messageId) }
    : undefined
}

/** Where a copy goes. What came through a topic goes to the app's own queue: on the topic others would hear it again. */
export const targetOf = (source: EventSource): string => ('queue' in source ? source.queue : startQueue.queue)

/**
 * The message as it was sent first, but for its id: a queue that finds duplicates would drop a message with an id that it has just seen, and with it the only
 * copy. The new id is made of the old one and of the dead letter's number, so that the same resubmission has the same id, and another one has another.
 */
export function copyOf(message: ServiceBusReceivedMessage, source: EventSource): ServiceBusMessage {
  const before = lineageIn(message)
  const original = before?.messageId ?? String(message.messageId ?? '')
  const { DeadLetterReason: _, DeadLetterErrorDescription: __, ...properties } = message.applicationProperties ?? {}
  const { scheduledEnqueueTimeUtc: ___, ...same } = message
  return {
    ...same,
    messageId: shortened(`${original}~${numberOf(message)}`),
    applicationProperties: {
      ...properties,
      [lineageOf.resubmits]: (before?.resubmits ?? 0) + 1,
      [lineageOf.from]: `${nameOf(source)}/${numberOf(message)}`,
      [lineageOf.messageId]: original,
    },
  }
}

/** The service takes 128 characters. */
const shortened = (id: string) => (id.length <= 128 ? id : createHash('sha256').update(id).digest('hex'))

/** Sends copies of dead letters, and takes each out when its copy is accepted. */
export async function resubmit(client: ServiceBusClient, source: EventSource, numbers: readonly string[]) {
  const sender = client.createSender(targetOf(source))
  try {
    return await takeOut(client, source, numbers, (message) => sender.sendMessages(copyOf(message, source)))
  } finally {
    closeUnattended(sender)
  }
}

export const discard = (client: ServiceBusClient, source: EventSource, numbers: readonly string[]) =>
  takeOut(client, source, numbers, () => Promise.resolve())
