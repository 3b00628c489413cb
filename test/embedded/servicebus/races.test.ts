// What happens to one message at the same time: one of the two comes first, the other finds that out, and both the counts and the disk tell the same afterwards.

import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Arrival } from '../../../embedded/servicebus/message.js'
import type { Queue } from '../../../embedded/servicebus/queue.js'
import type { Hold } from '../../../embedded/servicebus/sessions.js'
import type { EntityDefinition, QueueSettings } from '../../../embedded/servicebus/settings.js'
import { until } from '../../../local/installation.js'
import { aQueue, aSubscription, aTopic } from './namespace.js'
import { accept, arrival, bodyOf, StillNamespace, take } from './still-namespace.js'

let bus: StillNamespace

const open = async (...definitions: readonly EntityDefinition[]) =>
  (bus = await new StillNamespace(...definitions).open())
const openOrders = async (settings: Partial<QueueSettings> = {}) =>
  (await open(aQueue('orders', settings))).at('orders')

const complete = (queue: Queue) => queue.settle(take(queue).token, { kind: 'complete' })
const abandon = (queue: Queue) => queue.settle(take(queue).token, { kind: 'abandon', properties: {} })
const inAMinute = () => ({
  message_annotations: { 'x-opt-scheduled-enqueue-time': new Date(bus.clock.now() + 60_000) },
})
const notFound = { condition: 'com.microsoft:message-not-found' }
const nothing = () => undefined

describe('a message whose time to live ends', () => {
  it.each<readonly [string, number, (queue: Queue) => unknown]>([
    ['together with its lock has expired once', 1, (queue) => take(queue)],
    [
      'before its timer runs, and that a receiver asks for, has expired once',
      1,
      (queue) => {
        bus.clock.move(60_000)
        expect(queue.handOut()).toBeUndefined()
      },
    ],
    ['while it is abandoned expires when it is back', 1, abandon],
    ['while it is completed is completed', 0, complete],
    ['while it is received and deleted is received', 0, (queue) => queue.handOver(1)],
  ])('%s', async (_, expired, act) => {
    await open(aQueue('dropping'), aQueue('burying', { deadLetterExpired: true }))
    const queues = [bus.at('dropping'), bus.at('burying')]
    for (const queue of queues) await queue.enqueue([arrival('a', { ttl: 60_000 })])

    const acts = queues.map(act)
    bus.clock.pass(60_000)
    await Promise.all(acts)
    await bus.settled()

    expect(bus.countsOf('dropping')).toEqual({})
    expect(bus.countsOf('burying')).toEqual(expired === 0 ? {} : { deadLettered: expired })
  })

  it('and that was scheduled, both while the broker was down, has expired once', async () => {
    const orders = await openOrders({ deadLetterExpired: true })
    await orders.enqueue([arrival('a', { ttl: 1_000, ...inAMinute() })])

    await bus.restart()
    bus.clock.pass(3_600_000)
    await bus.settled()

    expect(bus.countsOf('orders')).toEqual({ deadLettered: 1 })
  })
})

describe('a scheduled message', () => {
  it.each<readonly [string, (queue: Queue, sequence: number) => Promise<unknown>]>([
    ['twice in one request', (queue, sequence) => queue.cancelScheduled([sequence, sequence])],
    [
      'by two at once',
      async (queue, sequence) => {
        const cancelled = queue.cancelScheduled([sequence])
        await expect(queue.cancelScheduled([sequence])).rejects.toMatchObject(notFound)
        await cancelled
      },
    ],
    [
      'as it is due',
      async (queue, sequence) => {
        const cancelled = queue.cancelScheduled([sequence])
        bus.clock.pass(60_000)
        await cancelled
      },
    ],
  ])('that is cancelled %s is gone, also for the next start', async (_, cancel) => {
    const orders = await openOrders()
    const [sequence = 0] = await orders.enqueue([arrival('a', inAMinute())])

    await cancel(orders, sequence)
    await bus.settled()

    expect(bus.countsOf('orders')).toEqual({})
    expect(orders.handOut()).toBeUndefined()
    await bus.restart()
    expect(bus.countsOf('orders')).toEqual({})
    expect(bus.at('orders').handOut()).toBeUndefined()
  })

  it('of a topic can not be cancelled any more while it goes on to the subscriptions', async () => {
    await open(aTopic('events'), aSubscription('events', 'all'))
    const events = bus.at('events')
    const [sequence = 0] = await events.enqueue([arrival('a', inAMinute())])

    bus.clock.pass(60_000)
    await expect(events.cancelScheduled([sequence])).rejects.toMatchObject(notFound)
    await bus.settled()

    expect(bus.countsOf('events')).toEqual({})
    expect(bus.countsOf('events/subscriptions/all')).toEqual({ active: 1 })
  })
})

describe('a deferred message', () => {
  async function deferred() {
    const orders = await openOrders()
    const [sequence = 0] = await orders.enqueue([arrival('a')])
    await orders.settle(take(orders).token, { kind: 'defer', properties: {} })
    return { orders, sequence }
  }

  it('that is asked for twice in one request is handed out once', async () => {
    const { orders, sequence } = await deferred()

    const handouts = orders.handOutDeferred([sequence, sequence])
    for (const { token } of handouts) await orders.settle(token, { kind: 'complete' })
    bus.clock.pass(60_000)
    await bus.settled()

    expect(handouts).toHaveLength(1)
    expect(bus.countsOf('orders')).toEqual({})
  })

  it('that two receive and delete at once is for one of them', async () => {
    const { orders, sequence } = await deferred()

    const first = orders.handOverDeferred([sequence])

    await expect(orders.handOverDeferred([sequence])).rejects.toMatchObject(notFound)
    expect(await first).toHaveLength(1)
    expect(bus.countsOf('orders')).toEqual({})
  })
})

describe('a purge', () => {
  it.each<readonly [string, (queue: Queue) => Promise<unknown>, object]>([
    ['completed', complete, {}],
    ['received and deleted', (queue) => queue.handOver(1), {}],
    ['abandoned', abandon, { active: 1 }],
  ])('leaves alone what is being %s', async (_, act, left) => {
    const orders = await openOrders()
    await orders.enqueue([arrival('a')])

    const [, purged] = await Promise.all([act(orders), orders.purge()])
    await bus.settled()

    expect(purged).toBe(0)
    expect(bus.countsOf('orders')).toEqual(left)
    expect(orders.peek(0, 10)).toHaveLength(orders.counts().active)
  })

  it('leaves alone what its sender has not been told of yet', async () => {
    const orders = await openOrders()
    bus.disk.keepWaiting()
    const sent = orders.enqueue([arrival('a')])
    await until('it is on disk', async () => orders.peek(0, 1).length === 1)

    const purging = orders.purge()
    bus.disk.answer()
    await sent

    expect(await purging).toBe(0)
    expect(bodyOf(take(orders))).toBe('a')
    expect(bus.countsOf('orders')).toEqual({ active: 1 })
  })

  it.each(['before', 'after'])(
    'of a deep queue leaves alone what is handed out meanwhile and completed %s its end',
    async (when) => {
      const orders = await openOrders({ maxMessageSize: 1e9 })
      await orders.enqueue(Array<Arrival>(10_002).fill(arrival('a')))

      const purging = orders.purge()
      const { token } = take(orders)
      if (when === 'after') await purging
      await orders.settle(token, { kind: 'complete' })

      expect(await purging).toBe(10_001)
      expect(bus.countsOf('orders')).toEqual({})
    },
  )
})

describe('a session that somebody waits for', () => {
  it.each<readonly [string, (queue: Queue, hold: Hold, token: Buffer) => Promise<unknown>]>([
    [
      'expires, and the disk takes its time',
      async () => {
        bus.disk.keepWaiting()
        bus.clock.pass(60_000)
        bus.clock.pass(1)
        await setImmediate()
        bus.disk.answer()
      },
    ],
    [
      'is closed with its link and its AMQP session',
      (queue, hold) => Promise.all([queue.releaseSession(hold, false), queue.releaseSession(hold, false)]),
    ],
    [
      'is closed while a message is abandoned',
      (queue, hold, token) =>
        Promise.all([queue.settle(token, { kind: 'abandon', properties: {} }), queue.releaseSession(hold, false)]),
    ],
  ])('keeps its order when it %s', async (_, end) => {
    const orders = await openOrders({ requiresSession: true })
    await orders.enqueue(['first', 'second'].map((body) => arrival(body, { group_id: 's' })))
    const hold = accept(orders, 's')
    const { token } = take(orders, hold)
    let next: unknown
    orders.sessions?.acceptNext(600_000, nothing, (taken) => {
      if ('session' in taken) next = bodyOf(take(orders, taken))
    })

    await end(orders, hold, token)
    await bus.settled()

    expect(next).toBe('first')
  })
})

describe('a session that is accepted again', () => {
  it('as soon as its link is closed is had when its messages are back', async () => {
    const orders = await openOrders({ requiresSession: true })
    await orders.enqueue([arrival('first', { group_id: 's' })])
    const hold = accept(orders, 's')
    take(orders, hold)
    const told: unknown[] = []
    const acceptAgain = () =>
      orders.sessions?.accept('s', nothing, (taken) =>
        told.push('session' in taken ? bodyOf(take(orders, taken)) : taken.condition),
      )
    acceptAgain()
    expect(told).toEqual(['com.microsoft:session-cannot-be-locked'])

    const released = orders.releaseSession(hold, false)
    acceptAgain()
    acceptAgain()
    expect(told).toHaveLength(1)
    await released

    expect(told.slice(1)).toEqual(['first', 'com.microsoft:session-cannot-be-locked'])
  })
})

describe('a duplicate', () => {
  it('is known although the window before it is tidied up as it is sent', async () => {
    const orders = await openOrders({ duplicateWindow: 60_000 })
    const send = (id: string) => orders.enqueue([arrival(id, { message_id: id })])
    await send('a')
    bus.clock.pass(60_001)

    await Promise.all([send('a'), send('b')])
    await send('a')

    expect(orders.peek(0, 10).map(bodyOf)).toEqual(['a', 'a', 'b'])
  })
})
