// What a broker on this client library gets wrong most easily, each held by a test of its own.

import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BrokerError, brokerErrorOf } from '../../../embedded/servicebus/errors.js'
import * as errors from '../../../embedded/servicebus/errors.js'
import { until } from '../../../local/installation.js'
import { aQueue, bodies, drain, TestNamespace } from './namespace.js'
import { arrival } from './still-namespace.js'

interface RheaConnection extends NodeJS.EventEmitter {
  readonly socket: Socket
  /** Without arguments an empty frame, as a heartbeat is. */
  _write_frame(): void
  open_receiver(options: object): RheaReceiver
  close(): void
}
interface RheaReceiver extends NodeJS.EventEmitter {
  drain: boolean
  add_credit(count: number): void
  drain_credit(): void
  close(): void
}
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what rhea does not type
const rhea = createRequire(__filename)('rhea') as {
  create_container(): { connect(options: object): RheaConnection }
}

let bus: TestNamespace

beforeEach(async () => {
  bus = await new TestNamespace([aQueue('orders', { maxMessageSize: 10_000 })]).open()
})
afterEach(() => bus.end())

const quiet = { maxAutoLockRenewalDurationInMs: 0 }

const connect = () => rhea.create_container().connect({ host: '127.0.0.1', port: bus.broker.port, reconnect: false })

async function disconnect(connection: RheaConnection): Promise<void> {
  connection.close()
  await once(connection, 'connection_close')
}

describe('the broker', () => {
  it('tells each of many senders its own outcome, whatever its neighbours get', async () => {
    const sender = bus.client.createSender('orders')
    const isTooLarge = (number: number) => number % 3 === 1

    const outcomes = await Promise.allSettled(
      Array.from({ length: 300 }, (_, number) =>
        sender.sendMessages({ body: isTooLarge(number) ? 'x'.repeat(20_000) : 'small' }),
      ),
    )

    expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(outcomes.map((_, number) => isTooLarge(number)))
    expect(bus.broker.namespace.counts()[0]?.active).toBe(200)
  })

  it('answers a drain that a message crosses, every time, and after what it took out for that credit', async () => {
    const sender = bus.client.createSender('orders')
    const connection = connect()
    const receiver = connection.open_receiver({ source: 'orders', credit_window: 0, snd_settle_mode: 1 })
    await once(receiver, 'receiver_open')
    let got = 0
    receiver.on('message', () => got++)

    for (let round = 1; round <= 60; round++) {
      receiver.drain = false
      receiver.add_credit(1)
      const sent = sender.sendMessages({ body: round })
      // The drain leaves a little later in each round: before the message comes, as it comes, or after.
      for (let turn = 0; turn < round; turn++) await setImmediate()
      const drained = once(receiver, 'receiver_drained')
      receiver.drain_credit()
      await Promise.all([drained, sent])

      expect(got + (bus.broker.namespace.counts()[0]?.active ?? 0)).toBe(round)
    }

    await disconnect(connection)
  })

  it('answers whatever it hears at once: until then the client, which leaves Nagle on, keeps its next message back', async () => {
    const connection = connect()
    await once(connection, 'connection_open')
    const answered = once(connection.socket, 'data')

    connection._write_frame()

    const [bytes] = await answered
    // An empty frame: eight bytes, the size in the first four.
    expect([...bytes]).toEqual([0, 0, 0, 8, 2, 0, 0, 0])
    await disconnect(connection)
  })

  it('sends no more than the credit that it was given', async () => {
    await bus.client.createSender('orders').sendMessages(Array.from({ length: 50 }, (_, body) => ({ body })))
    const receiver = bus.client.createReceiver('orders', quiet)

    await receiver.receiveMessages(7)
    const others = await bus.client.createReceiver('orders', quiet).receiveMessages(50, { maxWaitTimeInMs: 10_000 })

    expect(others).toHaveLength(43)
  })

  it.each<readonly [string, object]>([
    ['received and deleted', { snd_settle_mode: 1 }],
    ['locked and settled', { autoaccept: true }],
  ])('sends all of a large credit, more than its ring of deliveries has slots, %s', async (_, mode) => {
    const messages = Array.from({ length: 5_000 }, (__, body) => arrival(String(body)))
    await bus.broker.namespace.declare(aQueue('deep', { maxMessageSize: 1e9 }))
    await bus.broker.namespace.at('deep').enqueue(messages)
    const connection = connect()
    const receiver = connection.open_receiver({ source: 'deep', credit_window: 0, ...mode })
    let got = 0
    receiver.on('message', () => got++)
    await once(receiver, 'receiver_open')

    receiver.add_credit(messages.length)

    await until('all have come', async () => got >= messages.length)
    expect(got).toBe(messages.length)
    await disconnect(connection)
  })

  it('counts the credit of each link by itself, when many messages leave on the same AMQP session in one turn', async () => {
    const { namespace } = bus.broker
    await namespace.declare(aQueue('other'))
    const connection = connect()
    const got = { orders: 0, other: 0 }
    for (const [name, credit] of [
      ['orders', 50],
      ['other', 1],
    ] as const) {
      const receiver = connection.open_receiver({ source: name, credit_window: 0 })
      receiver.on('message', () => got[name]++)
      await once(receiver, 'receiver_open')
      receiver.add_credit(credit)
    }
    // The credit has come when this is answered.
    await once(connection.open_receiver({ source: 'orders', credit_window: 0 }), 'receiver_open')

    await Promise.all([
      namespace.at('orders').enqueue(Array.from({ length: 50 }, () => arrival('a'))),
      namespace.at('other').enqueue([arrival('b')]),
    ])

    await until('each has its own', async () => got.orders >= 50 && got.other >= 1)
    expect(got).toEqual({ orders: 50, other: 1 })
    await disconnect(connection)
  })

  it('keeps a connection whose link is closed while messages are taken out for it', async () => {
    const sender = bus.client.createSender('orders')
    const connection = connect()
    const lost = new Promise<'lost'>((resolve) => {
      for (const event of ['error', 'disconnected']) connection.on(event, () => resolve('lost'))
    })

    for (let round = 0; round < 20; round++) {
      await sender.sendMessages({ body: round })
      const receiver = connection.open_receiver({ source: 'orders', credit_window: 0, snd_settle_mode: 1 })
      await once(receiver, 'receiver_open')
      receiver.add_credit(1)
      // The close leaves a little later in each round: before the message is taken out, as it is, or after.
      for (let turn = 0; turn < round % 10; turn++) await setImmediate()
      receiver.close()

      expect(await Promise.race([once(receiver, 'receiver_close'), lost])).not.toBe('lost')
    }

    await disconnect(connection)
  })

  it.each<readonly [string, boolean]>([
    ['a queue', false],
    ['a session that is waited for', true],
  ])(
    'uses the credit that comes together with the attach to %s, after it has answered that',
    async (_, requiresSession) => {
      await bus.broker.namespace.declare(aQueue('eager', { requiresSession }))
      const connection = connect()
      await once(connection, 'connection_open')
      const came: string[] = []
      connection.on('error', (error) => came.push(String(error)))
      const filter = { 'com.microsoft:session-filter': null }
      const source = { address: 'eager', ...(requiresSession && { filter }) }
      if (!requiresSession) await bus.client.createSender('eager').sendMessages({ body: 1 })

      const receiver = connection.open_receiver({ source, credit_window: 0 })
      receiver.on('receiver_open', () => came.push('answer'))
      receiver.on('message', () => came.push('message'))
      receiver.add_credit(5)
      // Whoever waits for a session has come before there is one.
      await bus.client.createSender('eager').sendMessages([])
      if (requiresSession) await bus.client.createSender('eager').sendMessages({ body: 1, sessionId: 's' })

      await until('something has come after the answer', async () => came.length > 1)
      expect(came).toEqual(['answer', 'message'])
      await disconnect(connection)
    },
  )

  it('says accepted when a dead-lettering succeeded', async () => {
    await bus.client.createSender('orders').sendMessages({ body: 1 })
    const receiver = bus.client.createReceiver('orders')
    const [message] = await receiver.receiveMessages(1)

    await expect(message && receiver.deadLetterMessage(message)).resolves.toBeUndefined()
  })

  it('keeps the types of numbers and times as they were sent', async () => {
    const properties = { whole: 7, half: 7.5, yes: true, at: new Date(1_700_000_000_000), large: 2 ** 40 }
    await bus.client
      .createSender('orders')
      .sendMessages({ body: [1, 2.5, 'three', null], applicationProperties: properties })
    const receiver = bus.client.createReceiver('orders')
    const [first] = await receiver.receiveMessages(1)
    if (first) await receiver.abandonMessage(first, { added: 1 })

    const [message] = await receiver.receiveMessages(1)

    expect(message?.body).toEqual([1, 2.5, 'three', null])
    // The client reads every time as a number.
    expect(message?.applicationProperties).toEqual({ ...properties, at: 1_700_000_000_000, added: 1 })
  })

  it('settles nothing by itself when a lock expires: the client finds it lost', async () => {
    await bus.client.createSender('orders').sendMessages({ body: 1 })
    const receiver = bus.client.createReceiver('orders', quiet)
    const [message] = await receiver.receiveMessages(1)
    bus.clock.pass(60_000)
    const again = await bus.client.createReceiver('orders', quiet).receiveMessages(1)

    expect(again).toMatchObject([{ body: 1, deliveryCount: 1 }])
    await expect(message && receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' })
  })

  it('takes an empty batch', async () => {
    await bus.client.createSender('orders').sendMessages([])

    expect(bodies(await drain(bus.client.createReceiver('orders')))).toEqual([])
  })

  it('has words for every error: one without is no error to the client', () => {
    const made = Object.values(errors).flatMap((make) => {
      if (typeof make !== 'function' || make === BrokerError || make === brokerErrorOf) return []
      const error: unknown = Reflect.apply(make, undefined, ['a', 'b'])
      return [error]
    })

    expect(made.length).toBeGreaterThan(10)
    for (const error of [...made, brokerErrorOf(new Error(''))])
      expect(error).toMatchObject({ condition: expect.stringMatching(/^\S+$/), message: expect.stringMatching(/\S/) })
  })
})
