// Dead letters on a broker with an unmodified client: what is sent again is what was sent first, and it is neither lost nor doubled.

import type { ServiceBusReceivedMessage } from '@azure/service-bus'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyOf, discard, lineageIn, peek, resubmit, takeOut } from '../../../src/triggers/api/dead-letter-queue.js'
import { aQueue, drain, TestNamespace } from '../../embedded/servicebus/namespace.js'

const hour = 3_600_000
const namespace = new TestNamespace([
  aQueue('plain'),
  aQueue('strict', { duplicateWindow: hour }),
  aQueue('full'),
  aQueue('pages'),
  aQueue('deep'),
])
beforeAll(async () => void (await namespace.open()))
afterAll(() => namespace.end())

/** Bytes that are no text, and JSON that would not be the same if it were parsed. */
const bytes = Buffer.from([0x40, 0x0b, 0xff, 0xfe, 0x00, 0x80])
const loose = Buffer.from('{ "number" : 12345678901234567890 ,\n "a":1.0 }')

const properties = {
  messageId: 'first',
  contentType: 'application/msbin1',
  correlationId: 'chain',
  subject: 'Create',
  replyTo: 'somewhere',
  timeToLive: hour,
  applicationProperties: { tag: 'x', count: 3, yes: true },
}

async function deadLetter(queue: string, message: { body: unknown; messageId?: string }) {
  const sender = namespace.client.createSender(queue)
  await sender.sendMessages(message)
  await sender.close()
  const receiver = namespace.client.createReceiver(queue)
  const [received] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 2_000 })
  if (!received) throw new Error('Nothing was received.')
  await receiver.deadLetterMessage(received, { deadLetterReason: 'EVENT_NOT_JSON', deadLetterErrorDescription: 'no' })
  await receiver.close()
}

async function numbersIn(queue: string): Promise<string[]> {
  return (await peek(namespace.client, { queue }, 1_000)).map(({ sequenceNumber }) => String(sequenceNumber))
}

async function takenFrom(queue: string): Promise<ServiceBusReceivedMessage[]> {
  const receiver = namespace.client.createReceiver(queue, { skipParsingBodyAsJson: true })
  try {
    return await drain(receiver)
  } finally {
    await receiver.close()
  }
}

describe('a dead letter that is resubmitted', () => {
  it.each([
    ['bytes', bytes],
    ['JSON, byte for byte', loose],
  ])('is what was sent first: %s, properties, and where it comes from', async (_, body) => {
    await deadLetter('plain', { ...properties, body })
    const [number = ''] = await numbersIn('plain')
    expect(await resubmit(namespace.client, { queue: 'plain' }, [number])).toEqual([number])

    const [copy] = await takenFrom('plain')
    const { messageId: __, applicationProperties, ...same } = properties
    expect(copy).toMatchObject(same)
    expect(Buffer.compare(copy?.body, body)).toBe(0)
    expect(copy?.applicationProperties).toEqual({
      ...applicationProperties,
      resubmits: 1,
      'resubmitted-from': `plain/${number}`,
      'original-message-id': 'first',
    })
    expect(await numbersIn('plain')).toEqual([])
  })

  it('is not taken for a duplicate of itself, however often it comes back', async () => {
    await deadLetter('strict', { body: 'x', messageId: 'first' })
    const lineages: unknown[] = []
    for (const resubmits of [1, 2, 3]) {
      const [number = ''] = await numbersIn('strict')
      await resubmit(namespace.client, { queue: 'strict' }, [number])
      const receiver = namespace.client.createReceiver('strict')
      const [copy] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 2_000 })
      if (!copy) throw new Error('The copy was dropped.')
      lineages.push(lineageIn(copy))
      expect(lineages.at(-1)).toMatchObject({ resubmits, from: `strict/${number}`, messageId: 'first' })
      if (resubmits < 3) await receiver.deadLetterMessage(copy)
      else await receiver.completeMessage(copy)
      await receiver.close()
    }

    expect(await numbersIn('strict')).toEqual([])
  })

  it('is sent once, although the first attempt died between sending and settling', async () => {
    await deadLetter('strict', { body: 'x', messageId: 'crash' })
    const [number = ''] = await numbersIn('strict')
    const source = { queue: 'strict' }
    const sender = namespace.client.createSender('strict')
    const dying = takeOut(namespace.client, source, [number], async (message) => {
      await sender.sendMessages(copyOf(message, source))
      throw new Error('killed')
    })
    await expect(dying).rejects.toThrow('killed')
    expect(await numbersIn('strict')).toEqual([number])
    expect(await resubmit(namespace.client, source, [number])).toEqual([number])

    expect(await takenFrom('strict')).toHaveLength(1)
    expect(await numbersIn('strict')).toEqual([])
  })
})

describe('a dead-letter queue', () => {
  it('gives one from the middle of many, and leaves the others as they are', async () => {
    for (let index = 0; index < 12; index++) await deadLetter('full', { body: index })
    const before = await numbersIn('full')
    const wanted = [before[3] ?? '', before[8] ?? '']

    expect(await resubmit(namespace.client, { queue: 'full' }, wanted)).toEqual(wanted)
    expect(await discard(namespace.client, { queue: 'full' }, [before[5] ?? ''])).toEqual([before[5]])
    expect(await discard(namespace.client, { queue: 'full' }, ['99999'])).toEqual([])
    expect(await numbersIn('full')).toEqual(before.filter((_, index) => ![3, 5, 8].includes(index)))
    expect((await takenFrom('full')).map(({ body }) => String(body))).toEqual(['3', '8'])
    // Who looked at it in passing has not used up anything.
    expect(await discard(namespace.client, { queue: 'full' }, [before[11] ?? ''])).toEqual([before[11]])
  })

  it('gives one from behind thousands', async () => {
    const sender = namespace.client.createSender('deep')
    const receiver = namespace.client.createReceiver('deep')
    for (let wave = 0; wave < 5; wave++) {
      await sender.sendMessages(Array.from({ length: 500 }, (_, index) => ({ body: wave * 500 + index })))
      for (let left = 500; left > 0; ) {
        const messages = await receiver.receiveMessages(left, { maxWaitTimeInMs: 2_000 })
        await Promise.all(messages.map((message) => receiver.deadLetterMessage(message)))
        left -= messages.length
      }
    }
    await sender.close()
    await receiver.close()
    const all = (await peek(namespace.client, { queue: 'deep' }, 5_000)).map(({ sequenceNumber }) =>
      String(sequenceNumber),
    )

    expect(await discard(namespace.client, { queue: 'deep' }, [all[2_499] ?? ''])).toEqual([all[2_499]])
    expect(await discard(namespace.client, { queue: 'deep' }, all.slice(0, 3))).toEqual(all.slice(0, 3))
    expect(await peek(namespace.client, { queue: 'deep' }, 5_000)).toHaveLength(2_496)
  })

  it('is looked at in pages', async () => {
    for (let index = 0; index < 5; index++) await deadLetter('pages', { body: index })
    const all = await numbersIn('pages')
    const first = await peek(namespace.client, { queue: 'pages' }, 2)
    const rest = await peek(namespace.client, { queue: 'pages' }, 10, all[2])

    expect([...first, ...rest].map(({ sequenceNumber }) => String(sequenceNumber))).toEqual(all)
  })
})
