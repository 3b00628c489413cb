// A queue that is received from within the broker's own process: the same messages, locks and settlements as through the client.

import { setImmediate } from 'node:timers/promises'
import type { ServiceBusMessage } from '@azure/service-bus'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '../../../embedded/clock.js'
import { bodyData, metadataOf } from '../../../embedded/functions/service-bus-message.js'
import { NearbyQueue, type NearbyMessage } from '../../../embedded/servicebus/nearby.js'
import { usualSettings } from '../../../embedded/servicebus/settings.js'
import { until } from '../../../local/installation.js'
import { aQueue, TestNamespace } from './namespace.js'

let bus: TestNamespace
let nearby: NearbyQueue
let stop = () => undefined as void

beforeEach(async () => {
  bus = await new TestNamespace([aQueue('work', { maxDeliveryCount: 2 })]).open()
  nearby = new NearbyQueue(bus.broker.namespace.toReceiveFrom('work'), systemClock)
})
afterEach(async () => {
  stop()
  await bus.end()
})

const options = { concurrency: 2, renewFor: 60_000 }
const send = (...messages: ServiceBusMessage[]) => bus.client.createSender('work').sendMessages(messages)
const counts = () => bus.broker.namespace.counts().find(({ name }) => name === 'work')

describe('a message', () => {
  it.each<readonly [string, ServiceBusMessage]>([
    ['with nothing but a body', { body: { a: 1 } }],
    ['of bytes', { body: Buffer.from('héllo') }],
    [
      'with everything',
      {
        body: 'text',
        messageId: 'm',
        correlationId: 7,
        contentType: 'text/plain',
        subject: 's',
        to: 't',
        replyTo: 'r',
        replyToSessionId: 'rs',
        timeToLive: 60_000,
        applicationProperties: { text: 'x', number: 1.5, yes: true, at: new Date(0), nothing: null },
      },
    ],
    ['in a session or a partition', { body: '', sessionId: 'one', partitionKey: 'one' }],
  ])('%s reaches a function as it does through the client', async (_, message) => {
    await send(message)
    const receiver = bus.client.createReceiver('work', { skipParsingBodyAsJson: true })
    const [throughClient] = await receiver.receiveMessages(1)
    if (!throughClient) throw new Error('It did not come.')
    await receiver.abandonMessage(throughClient)
    const got: NearbyMessage[] = []
    stop = nearby.receive(options, async (one) => void got.push(one))
    await until('it has come', async () => got.length === 1)

    const [one] = got
    if (!one) throw new Error('It did not come.')
    const told = (of: Parameters<typeof metadataOf>[0]) => {
      const body = bodyData(of, undefined)
      const { LockToken: _token, DeliveryCount: _count, ...rest } = metadataOf(of, body)
      return { body, rest }
    }
    expect(told(one)).toEqual(told(throughClient))
    expect(metadataOf(one, {})).toMatchObject({ DeliveryCount: { int: 2 } })
  })

  it('is gone when it is completed, comes again when it is abandoned, and is buried after its last delivery', async () => {
    await send({ body: 'good' }, { body: 'bad' })
    const deliveries: string[] = []
    stop = nearby.receive(options, async (message) => {
      const { string: body = '' } = bodyData(message, undefined)
      deliveries.push(`${body} ${message.deliveryCount}`)
      await (body === '"good"' ? nearby.completeMessage(message) : nearby.abandonMessage(message))
    })

    await until('the bad one is buried', async () => counts()?.deadLettered === 1)
    expect(deliveries.toSorted()).toEqual(['"bad" 0', '"bad" 1', '"good" 0'])
    expect(counts()).toMatchObject({ active: 0 })
  })

  it('that the app has settled by its lock token can not be settled again', async () => {
    await send({ body: 1 })
    const failed: unknown[] = []
    stop = nearby.receive(options, async (message) => {
      await nearby.completeMessage(message)
      await nearby.completeMessage(message).catch((error: unknown) => failed.push(error))
    })

    await until('it was tried', async () => failed.length === 1)
    expect(failed[0]).toMatchObject({ code: 'MessageLockLost' })
  })
})

describe('receiving', () => {
  it('has so many in hand as it was told, and takes nothing more once it is stopped', async () => {
    await send(...Array.from({ length: 5 }, (_, body) => ({ body })))
    const inHand: (() => void)[] = []
    stop = nearby.receive(options, (message) =>
      new Promise<void>((resolve) => void inHand.push(resolve)).then(() => nearby.completeMessage(message)),
    )
    await until('two are in hand', async () => inHand.length === 2)
    inHand.shift()?.()
    await until('another has come', async () => inHand.length === 2 && counts()?.active === 4)
    stop()
    for (const end of inHand) end()

    await until('what was in hand is done', async () => counts()?.active !== 4)
    expect(counts()).toMatchObject({ active: 2 })
  })

  it('hears of what comes later', async () => {
    const bodies: unknown[] = []
    stop = nearby.receive(options, async (message) => {
      bodies.push(message.body)
      await nearby.completeMessage(message)
    })
    await send({ body: Buffer.from('late') })

    await until('it has come', async () => bodies.length === 1)
    expect(String(bodies[0])).toBe('late')
  })
})

describe('a lock', () => {
  const alarms: { readonly ms: number; readonly ring: () => void }[] = []
  let now = 0
  const clock: Clock = {
    now: () => now,
    after(ms, ring) {
      alarms.push({ ms, ring })
      return () => undefined
    },
  }
  const pass = () => {
    const alarm = alarms.shift()
    now += alarm?.ms ?? 0
    alarm?.ring()
  }

  it('is renewed twice in its time while the message is in hand, but not for ever', async () => {
    const renewed: number[] = []
    let end = () => undefined as void
    const queue = { ...queueOf(Buffer.alloc(0)), renew: () => renewed.push(now) }
    new NearbyQueue(queue, clock).receive(
      { concurrency: 1, renewFor: 12_000 },
      () => new Promise<void>((resolve) => (end = resolve)),
    )
    for (let times = 0; times < 4; times++) pass()
    expect(renewed).toEqual([5_000, 10_000])

    end()
    await setImmediate()
    pass()
    expect(alarms).toEqual([])
  })

  it('of what is no message, where nothing can be buried, runs out', async () => {
    const refused: unknown[] = []
    const queue = {
      ...queueOf(noMessage),
      settle: (_: Buffer, { kind }: { readonly kind: string }) => {
        refused.push(kind)
        return Promise.reject(new Error('A message in a dead-letter queue can not be dead-lettered.'))
      },
    }
    new NearbyQueue(queue, clock).receive(options, () => Promise.reject(new Error('It was handed on.')))
    await setImmediate()

    expect(refused).toEqual(['deadLetter'])
  })

  it('of what is no message ends with its burial', async () => {
    const settled: unknown[] = []
    const queue = {
      ...queueOf(noMessage),
      settle: async (_: Buffer, settlement: unknown) => void settled.push(settlement),
    }
    new NearbyQueue(queue, clock).receive(options, () => Promise.reject(new Error('It was handed on.')))
    await setImmediate()

    expect(settled).toMatchObject([{ kind: 'deadLetter', reason: 'UnreadableMessage' }])
  })
})

const noMessage = Buffer.from('0053ff', 'hex')

/** With one message in it. */
function queueOf(bytes: Buffer) {
  const envelope = { sequence: 1, enqueuedAt: 0, state: 'active', failures: 0 } as const
  const handouts = [{ token: Buffer.alloc(16, 1), bytes, envelope }]
  return {
    settings: { ...usualSettings, lockDuration: 10_000 },
    handOut: () => handouts.shift(),
    onReady: () => () => undefined,
    renew: () => 0,
    settle: () => Promise.resolve(),
  }
}
