// The broker as the unmodified client sees it.

import type { ServiceBusReceivedMessage } from '@azure/service-bus'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aQueue, TestNamespace } from './namespace.js'

const patience = { maxWaitTimeInMs: 20_000 }
const impatience = { maxWaitTimeInMs: 200 }

let bus: TestNamespace

beforeEach(async () => {
  bus = await new TestNamespace([aQueue('orders')]).open()
})
afterEach(() => bus.end())

const send = (...bodies: unknown[]) => bus.client.createSender('orders').sendMessages(bodies.map((body) => ({ body })))

async function receiveOne(queue: 'orders' | 'dead letters' = 'orders'): Promise<ServiceBusReceivedMessage> {
  const receiver = receiverOf(queue)
  const [message] = await receiver.receiveMessages(1, patience)
  if (!message) throw new Error('Nothing came.')
  return message
}

const receiverOf = (queue: 'orders' | 'dead letters') =>
  bus.client.createReceiver('orders', {
    maxAutoLockRenewalDurationInMs: 0,
    ...(queue === 'orders' ? {} : { subQueueType: 'deadLetter' as const }),
  })

describe('a message', () => {
  it('arrives as it was sent, with its number, its time and its lock', async () => {
    await bus.client.createSender('orders').sendMessages({
      body: { a: 1 },
      messageId: 'm-1',
      contentType: 'application/json',
      correlationId: 'c-1',
      applicationProperties: { text: 'x', whole: 7, half: 0.5, yes: true },
    })

    const message = await receiveOne()

    expect(message).toMatchObject({
      body: { a: 1 },
      messageId: 'm-1',
      contentType: 'application/json',
      correlationId: 'c-1',
      applicationProperties: { text: 'x', whole: 7, half: 0.5, yes: true },
      deliveryCount: 0,
    })
    expect(message.sequenceNumber?.toNumber()).toBe(1)
    expect(message.enqueuedTimeUtc?.getTime()).toBeGreaterThan(Date.now() - 60_000)
    expect(message.lockedUntilUtc?.getTime()).toBeGreaterThan(Date.now())
    expect(message.lockToken).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('without an id gets one', async () => {
    await send('a')

    expect((await receiveOne()).messageId).toMatch(/^[0-9a-f]{32}$/)
  })

  it('of many frames arrives whole', async () => {
    const body = 'x'.repeat(200_000)
    await send(body)

    expect((await receiveOne()).body).toBe(body)
  })

  it('that is completed is gone', async () => {
    await send('a')
    const receiver = receiverOf('orders')
    const [message] = await receiver.receiveMessages(1, patience)
    if (message) await receiver.completeMessage(message)

    expect(bus.broker.namespace.counts()).toEqual([
      { name: 'orders', active: 0, deferred: 0, scheduled: 0, deadLettered: 0, transferDeadLettered: 0 },
    ])
  })

  it('that is abandoned comes again, counted and with changed properties, before later ones', async () => {
    await send('first', 'second')
    const receiver = receiverOf('orders')
    const [message] = await receiver.receiveMessages(1, patience)
    if (message) await receiver.abandonMessage(message, { tried: 'once' })

    expect(await receiveOne()).toMatchObject({
      body: 'first',
      deliveryCount: 1,
      applicationProperties: { tried: 'once' },
    })
  })

  it('that fails ten times is dead-lettered', async () => {
    await send('poison')
    const receiver = receiverOf('orders')
    for (let count = 0; count < 10; count++) {
      const [message] = await receiver.receiveMessages(1, patience)
      if (message) await receiver.abandonMessage(message)
    }

    expect(await receiveOne('dead letters')).toMatchObject({
      body: 'poison',
      deadLetterReason: 'MaxDeliveryCountExceeded',
      deadLetterErrorDescription: 'Message could not be consumed after 10 delivery attempts.',
      deliveryCount: 10,
    })
  })

  it('that is dead-lettered carries why', async () => {
    await send('bad')
    const receiver = receiverOf('orders')
    const [message] = await receiver.receiveMessages(1, patience)
    if (message)
      await receiver.deadLetterMessage(message, { deadLetterReason: 'R', deadLetterErrorDescription: 'D', extra: 'E' })

    expect(await receiveOne('dead letters')).toMatchObject({
      body: 'bad',
      deadLetterReason: 'R',
      deadLetterErrorDescription: 'D',
      applicationProperties: { extra: 'E' },
    })
    expect(bus.broker.namespace.counts()[0]).toMatchObject({ active: 0, deadLettered: 1 })
  })

  it('that is deferred comes only when it is asked for by its number', async () => {
    await send('later')
    const receiver = receiverOf('orders')
    const [message] = await receiver.receiveMessages(1, patience)
    if (message) await receiver.deferMessage(message)

    expect(await receiver.receiveMessages(1, impatience)).toEqual([])
    const [deferred] = message?.sequenceNumber ? await receiver.receiveDeferredMessages(message.sequenceNumber) : []
    expect(deferred).toMatchObject({ body: 'later', state: 'deferred' })
    if (deferred) await receiver.completeMessage(deferred)
    expect(bus.broker.namespace.counts()[0]).toMatchObject({ deferred: 0 })
  })

  it('that is scheduled comes when it is due', async () => {
    const due = new Date(bus.clock.now() + 60_000)
    await bus.client.createSender('orders').scheduleMessages({ body: 'due' }, due)
    const receiver = receiverOf('orders')

    expect(bus.broker.namespace.counts()[0]).toMatchObject({ active: 0, scheduled: 1 })
    expect(await receiver.receiveMessages(1, impatience)).toEqual([])
    bus.clock.pass(60_000)
    const [message] = await receiver.receiveMessages(1, patience)
    expect(message?.body).toBe('due')
    expect(message?.enqueuedTimeUtc?.getTime()).toBeGreaterThanOrEqual(due.getTime())
  })

  it('can be settled by another connection that knows its lock token', async () => {
    await send('bad')
    const { lockToken = '' } = await receiveOne()
    const other = bus.client.createReceiver('orders')
    const locked: ServiceBusReceivedMessage & { delivery: object } = {
      lockToken,
      delivery: {},
      state: 'active',
      body: undefined,
      _rawAmqpMessage: { body: undefined },
    }

    await other.deadLetterMessage(locked, { deadLetterReason: 'R', deadLetterErrorDescription: 'D' })

    expect(await receiveOne('dead letters')).toMatchObject({ body: 'bad', deadLetterReason: 'R' })
  })
})

describe('a lock', () => {
  it('can be renewed', async () => {
    await send('a')
    const receiver = receiverOf('orders')
    const [message] = await receiver.receiveMessages(1, patience)
    const before = message?.lockedUntilUtc?.getTime() ?? 0

    bus.clock.pass(30_000)
    const after = message ? await receiver.renewMessageLock(message) : new Date(0)

    expect(after.getTime()).toBeGreaterThanOrEqual(before + 30_000)
  })

  it('that was used up is lost', async () => {
    await send('a')
    const receiver = receiverOf('orders')
    const [message] = await receiver.receiveMessages(1, patience)
    if (!message) throw new Error('Nothing came.')
    await receiver.completeMessage(message)
    const again = { ...message, delivery: {} }

    await expect(bus.client.createReceiver('orders').completeMessage(again)).rejects.toMatchObject({
      code: 'MessageLockLost',
    })
  })

  it('ends at a restart: the message comes again, counted', async () => {
    await send('a')
    await receiveOne()

    await bus.restart()

    expect(await receiveOne()).toMatchObject({ body: 'a', deliveryCount: 1 })
  })
})

describe('a restart', () => {
  it('keeps messages, dead letters and the count of sequence numbers', async () => {
    await send('first', 'second')
    const receiver = receiverOf('orders')
    const [first, second] = await receiver.receiveMessages(2, patience)
    if (first) await receiver.completeMessage(first)
    if (second) await receiver.deadLetterMessage(second, { deadLetterReason: 'R', deadLetterErrorDescription: 'D' })

    await bus.restart()
    await send('third')

    const third = await receiveOne()
    expect([third.body, third.sequenceNumber?.toNumber()]).toEqual(['third', 3])
    expect(await receiveOne('dead letters')).toMatchObject({ body: 'second', deadLetterReason: 'R' })
  })
})

describe('the broker', () => {
  it('refuses an entity that nobody declared, in the words of the service', async () => {
    await expect(bus.client.createSender('nowhere').sendMessages({ body: 1 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    })
    await expect(bus.client.createReceiver('nowhere').receiveMessages(1, impatience)).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    })
  })

  it('refuses a message that is too large', async () => {
    await expect(bus.client.createSender('orders').sendMessages({ body: 'x'.repeat(300_000) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    })
  })

  it('stores a batch whole, with numbers in a row', async () => {
    const sender = bus.client.createSender('orders')
    const batch = await sender.createMessageBatch()
    for (let index = 0; index < 50; index++) batch.tryAddMessage({ body: index })
    await sender.sendMessages(batch)

    const messages = await bus.client
      .createReceiver('orders', { receiveMode: 'receiveAndDelete' })
      .receiveMessages(50, patience)

    expect(messages.map(({ body }) => body)).toEqual(Array.from({ length: 50 }, (_, index) => index))
    expect(bus.broker.namespace.counts()[0]).toMatchObject({ active: 0 })
  })

  it('shows messages without taking them', async () => {
    await send('a', 'b')

    const peeked = await bus.client.createReceiver('orders').peekMessages(5)

    expect(peeked.map(({ body }) => body)).toEqual(['a', 'b'])
    expect(bus.broker.namespace.counts()[0]).toMatchObject({ active: 2 })
  })

  it('tells many senders each their own outcome', async () => {
    const sender = bus.client.createSender('orders')
    const sends = Array.from({ length: 60 }, (_, index) =>
      sender.sendMessages({ body: index % 3 === 0 ? 'x'.repeat(300_000) : 'small' }),
    )

    const outcomes = await Promise.allSettled(sends)

    expect(outcomes.map(({ status }) => status)).toEqual(
      Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? 'rejected' : 'fulfilled')),
    )
    expect(bus.broker.namespace.counts()[0]).toMatchObject({ active: 40 })
  })

  it('streams more messages than its ring of deliveries has slots', async () => {
    const count = 5_000
    const sender = bus.client.createSender('orders')
    const bodies = Array.from({ length: count }, (_, index) => ({ body: index }))
    for (let from = 0; from < count; from += 500) await sender.sendMessages(bodies.slice(from, from + 500))
    const seen = new Set<unknown>()

    await new Promise<void>((resolve, reject) => {
      bus.client.createReceiver('orders').subscribe(
        {
          async processMessage({ body }) {
            seen.add(body)
            if (seen.size === count) resolve()
            return Promise.resolve()
          },
          processError: ({ error }) => Promise.resolve(reject(error)),
        },
        { maxConcurrentCalls: 100 },
      )
    })

    expect(seen.size).toBe(count)
  })
})
