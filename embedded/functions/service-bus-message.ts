// A received Service Bus message as a function gets it: its body, and everything else as trigger metadata.

import { textData, type TypedData } from './typed-data.js'

/** As much of a message as is handed on, with the names that the client has for it. */
export interface ReceivedMessage {
  readonly body: unknown
  readonly applicationProperties?: Readonly<Record<string, unknown>>
  readonly messageId?: string | number | Buffer
  readonly correlationId?: string | number | Buffer
  readonly lockToken?: string
  readonly contentType?: string
  readonly subject?: string
  readonly replyTo?: string
  readonly replyToSessionId?: string
  readonly sessionId?: string
  readonly partitionKey?: string
  readonly to?: string
  readonly deadLetterSource?: string
  readonly enqueuedTimeUtc?: Date
  readonly expiresAtUtc?: Date
  readonly deliveryCount?: number
  readonly sequenceNumber?: { toString(): string }
}

/**
 * The body is handed over as the bytes that came when the binding asks for them (`dataType: 'binary'`), else as text.
 * @param body what the client made of the message's body; bytes, if it was told not to decode
 */
export function bodyData({ body }: ReceivedMessage, dataType: unknown): TypedData {
  const bytes = bytesOf(body)
  return dataType === 'binary' ? { bytes } : { string: bytes.toString('utf8') }
}

/** All bodies of a batch, in order. */
export function bodiesData(messages: readonly ReceivedMessage[], dataType: unknown): TypedData {
  const bodies = messages.map(({ body }) => bytesOf(body))
  return dataType === 'binary'
    ? { collectionBytes: { bytes: bodies } }
    : { collectionString: { string: bodies.map((bytes) => bytes.toString('utf8')) } }
}

/** The same names as for one message, each with its values as an array. */
export function metadataOfMany(messages: readonly ReceivedMessage[]): Record<string, TypedData> {
  const all = messages.map((message) => metadataOf(message, {}))
  const names = new Set(all.flatMap((one) => Object.keys(one)))
  return Object.fromEntries(
    [...names].map((name) => [`${name}Array`, { json: `[${all.map((one) => jsonOf(one[name])).join(',')}]` }]),
  )
}

const jsonOf = (data: TypedData | undefined) => data?.json ?? JSON.stringify(data?.string ?? data?.int ?? null)

/** Under the platform's names. The first delivery counts as 1. */
export function metadataOf(message: ReceivedMessage, body: TypedData): Record<string, TypedData> {
  const properties = { json: JSON.stringify(message.applicationProperties ?? {}) }
  const texts = {
    MessageId: message.messageId,
    LockToken: message.lockToken,
    ContentType: message.contentType,
    CorrelationId: message.correlationId,
    Subject: message.subject,
    Label: message.subject,
    ReplyTo: message.replyTo,
    ReplyToSessionId: message.replyToSessionId,
    SessionId: message.sessionId,
    PartitionKey: message.partitionKey,
    To: message.to,
    DeadLetterSource: message.deadLetterSource,
  }
  const dates = { EnqueuedTimeUtc: message.enqueuedTimeUtc, ExpiresAtUtc: message.expiresAtUtc }
  return {
    DeliveryCount: { int: (message.deliveryCount ?? 0) + 1 },
    SequenceNumber: { json: message.sequenceNumber?.toString() ?? '0' },
    ApplicationProperties: properties,
    UserProperties: properties,
    ...present(texts, (text) => textData(textOf(text))),
    ...present(dates, (date) => ({ json: JSON.stringify(date) })),
    ...fieldsOf(body),
  }
}

/** The platform also copies the fields of a JSON object into the metadata, where they win over its own. */
function fieldsOf({ string: text }: TypedData): Record<string, TypedData> {
  if (!text?.trimStart().startsWith('{')) return {}
  try {
    const fields: unknown = JSON.parse(text)
    if (typeof fields !== 'object' || fields === null) return {}
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === 'string' ? textData(value) : { json: JSON.stringify(value) },
      ]),
    )
  } catch {
    return {}
  }
}

function present<Value>(
  values: Readonly<Record<string, Value | undefined>>,
  data: (value: Value) => TypedData,
): Record<string, TypedData> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [[name, data(value)] as const],
    ),
  )
}

const textOf = (id: string | number | Buffer) => (Buffer.isBuffer(id) ? id.toString('hex') : String(id))

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  if (body instanceof Uint8Array) return Buffer.from(body)
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.from(body === undefined ? '' : JSON.stringify(body))
}
