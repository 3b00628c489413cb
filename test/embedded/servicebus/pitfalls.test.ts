// What a broker on this client library gets wrong most easily, each held by a test of its own.

import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BrokerError, brokerErrorOf } from '../../../embedded/servicebus/errors.js'
import * as errors from '../../../embedded/servicebus/errors.js'
import { aQueue, bodies, drain, TestNamespace } from './namespace.js'

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
    const connection = rhea.create_container().connect({ host: '127.0.0.1', port: bus.broker.port, reconnect: false })
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

    connection.close()
    await once(connection, 'connection_close')
  })

  it('answers whatever it hears at once: until then the client, which leaves Nagle on, keeps its next message back', async () => {
    const connection = rhea.create_container().connect({ host: '127.0.0.1', port: bus.broker.port, reconnect: false })
    await once(connection, 'connection_open')
    const answered = once(connection.socket, 'data')

    connection._write_frame()

    const [bytes] = await answered
    // An empty frame: eight bytes, the size in the first four.
    expect([...bytes]).toEqual([0, 0, 0, 8, 2, 0, 0, 0])
    connection.close()
    await once(connection, 'connection_close')
  })

  it('sends no more than the credit that it was given', async () => {
    await bus.client.createSender('orders').sendMessages(Array.from({ length: 50 }, (_, body) => ({ body })))
    const receiver = bus.client.createReceiver('orders', quiet)

    await receiver.receiveMessages(7)
    const others = await bus.client.createReceiver('orders', quiet).receiveMessages(50, { maxWaitTimeInMs: 10_000 })

    expect(others).toHaveLength(43)
  })

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
