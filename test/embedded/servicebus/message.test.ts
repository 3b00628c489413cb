// A message's bytes on their way through the broker: what it adds, and what it leaves as the sender wrote it.

import { message, types } from 'rhea'
import { describe, expect, it } from 'vitest'
import { composeDelivery } from '../../../embedded/servicebus/delivery.js'
import { BrokerError } from '../../../embedded/servicebus/errors.js'
import { readFacts, readMessage, withApplicationProperties } from '../../../embedded/servicebus/message.js'
import { pseudoRandom } from '../../pseudo-random.js'

const envelope = { sequence: 7, enqueuedAt: 1_000, state: 'active', failures: 2 } as const
const newMessageId = () => 'new'

const sent = {
  ttl: 60_000,
  message_annotations: { 'x-opt-partition-key': 'north', 'x-opt-sequence-number': 1 },
  message_id: 'm',
  subject: 'created',
  application_properties: { region: 'EU' },
  body: message.data_section(Buffer.from('{"a":1}')),
}

/** The same, with each section's code written as eight bytes, which nobody does and everybody may. */
function inTheLongWay(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at++) {
    const begins =
      bytes[at] === 0 && bytes[at + 1] === 0x53 && [0x70, 0x72, 0x73, 0x74, 0x75].includes(bytes[at + 2] ?? 0)
    if (!begins) parts.push(bytes.subarray(at, at + 1))
    else {
      parts.push(Buffer.from([0x00, 0x80, 0, 0, 0, 0, 0, 0, 0, bytes[at + 2] ?? 0]))
      at += 2
    }
  }
  return Buffer.concat(parts)
}

describe.each([
  ['as all clients write it', (bytes: Buffer) => bytes],
  ['with long codes', inTheLongWay],
])('a message %s', (_, written) => {
  const bytes = written(message.encode(sent))

  it('is delivered with what the broker knows of it, and otherwise as it came', () => {
    const delivered = message.decode(composeDelivery(bytes, envelope))

    expect(delivered).toMatchObject({ ttl: 60_000, delivery_count: 2, message_id: 'm', subject: 'created' })
    expect(delivered.message_annotations).toMatchObject({
      'x-opt-partition-key': 'north',
      'x-opt-sequence-number': 7,
      'x-opt-message-state': 0,
    })
    expect(delivered.application_properties).toEqual({ region: 'EU' })
    expect(delivered.body).toEqual(message.data_section(Buffer.from('{"a":1}')))
  })

  it('is kept as the bytes that came', () => {
    expect(readMessage(bytes, newMessageId)).toEqual({ bytes, messageId: 'm', timeToLive: 60_000 })
  })
})

it("keeps what the sender says in its header and in annotations of any length, but not what is the broker's to say", () => {
  const text = 'x'.repeat(5_000)
  const bytes = message.encode({
    ...sent,
    durable: true,
    priority: 9,
    message_annotations: { text, 'x-opt-deadletter-source': 'mine' },
  })

  const delivered = message.decode(composeDelivery(bytes, { ...envelope, source: 'orders/eu' }))

  expect(delivered).toMatchObject({ durable: true, priority: 9, ttl: 60_000, delivery_count: 2 })
  expect(delivered.message_annotations).toEqual({
    text,
    'x-opt-sequence-number': 7,
    'x-opt-enqueued-time': new Date(1_000),
    'x-opt-message-state': 0,
    'x-opt-deadletter-source': 'orders/eu',
  })
})

it('delivers a number beyond 32 bits, and a time before 1970, as what they are', () => {
  const delivered = message.decode(
    composeDelivery(message.encode(sent), { ...envelope, sequence: 2 ** 40 + 2 ** 31 + 5, enqueuedAt: -1 }),
  )

  expect(delivered.message_annotations).toMatchObject({
    'x-opt-sequence-number': 2 ** 40 + 2 ** 31 + 5,
    'x-opt-enqueued-time': new Date(-1),
  })
})

describe('what can not be kept', () => {
  const properties = Buffer.from([0x00, 0x53, 0x73, 0xc0, 0x04, 0x01, 0xa1, 0x01, 0x6d])
  const header = Buffer.from([0x00, 0x53, 0x70, 0x45])
  const nested = Buffer.alloc(100_000)
  const withByte = (bytes: Buffer, at: number, value: number) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at + 1)])

  it.each([
    ['is cut off', properties.subarray(0, 6), 'cut off'],
    ['has a list that its items do not fill', withByte(properties, 5, 0), 'does not fill it'],
    ['has a value of no known type', withByte(properties, 6, 0x46), 'No value begins'],
    ['nests values without end', Buffer.concat([Buffer.from([0x00, 0x53, 0x77]), nested]), 'can not be decoded'],
    ['has a part that is no section', Buffer.from([0xa1, 0x01, 0x6d]), 'no section'],
    ['has its sections in another order', Buffer.concat([properties, header]), 'not in their order'],
  ])('is a message that %s', (_, bytes, words) => {
    expect(() => readMessage(bytes, newMessageId)).toThrow(words)
  })
})

it('whatever is kept can be read, delivered and buried', () => {
  const random = pseudoRandom(7)
  const whole = message.encode({
    ...sent,
    application_properties: {
      list: types.wrap_list([1, 'two', null]),
      times: types.wrap_array([1, 2], 0x81, undefined),
      none: types.wrap_array([null, null], 0x40, undefined),
      flag: true,
    },
  })
  const accepted = Array.from({ length: 20_000 }, () => {
    const bytes = Buffer.from(whole)
    for (let changes = 1 + random(3); changes > 0; changes--) bytes[random(bytes.length)] = random(256)
    return bytes
  }).filter(isAccepted)

  expect(accepted.length).toBeGreaterThan(1_000)
  for (const bytes of accepted) {
    readFacts(bytes).user('list')
    message.decode(composeDelivery(bytes, envelope))
    readMessage(withApplicationProperties(bytes, { DeadLetterReason: 'none' }), newMessageId)
  }
})

function isAccepted(bytes: Buffer): boolean {
  try {
    readMessage(bytes, newMessageId)
    return true
  } catch (error) {
    if (error instanceof BrokerError && error.condition === 'amqp:decode-error') return false
    throw error
  }
}
