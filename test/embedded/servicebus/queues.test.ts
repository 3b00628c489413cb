// What queues can be told to do beyond keeping messages: time to live, duplicates, forwarding, receive-and-delete, keys.

import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../../local/installation.js'
import { aQueue, bodies, drain, TestNamespace } from './namespace.js'

let bus: TestNamespace
afterEach(() => bus.end())

const open = async (...all: ConstructorParameters<typeof TestNamespace>[0][number][]) =>
  (bus = await new TestNamespace(all).open())
const countsOf = (name: string) => bus.broker.namespace.counts().find((one) => one.name === name)
const quiet = { maxAutoLockRenewalDurationInMs: 0 }

describe('time to live', () => {
  it('ends in the dead-letter queue where that is wanted, unattended', async () => {
    await open(aQueue('short', { timeToLive: 60_000, deadLetterExpired: true }))
    await bus.client.createSender('short').sendMessages([
      { body: 1, timeToLive: 90_000 },
      { body: 2, timeToLive: 30_000 },
    ])

    bus.clock.pass(30_000)
    await until('the shorter one has expired', async () => countsOf('short')?.deadLettered === 1)
    bus.clock.pass(30_000)
    await until('so has the other, as the queue allows it no longer', async () => countsOf('short')?.deadLettered === 2)

    const dead = await drain(bus.client.createReceiver('short', { subQueueType: 'deadLetter' }))
    expect(dead).toMatchObject([{ body: 2, deadLetterReason: 'TTLExpiredException' }, { body: 1 }])
  })

  it('drops where nothing else is wanted, and never hands out what has expired', async () => {
    await open(aQueue('dropping'))
    await bus.client.createSender('dropping').sendMessages([{ body: 'gone', timeToLive: 60_000 }, { body: 'here' }])
    bus.clock.pass(60_000)
    await until('it has expired', async () => countsOf('dropping')?.active === 1)

    expect(bodies(await drain(bus.client.createReceiver('dropping')))).toEqual(['here'])
  })

  it('waits for the end of a lock, and outlives a restart', async () => {
    await open(aQueue('locked', { timeToLive: 60_000, deadLetterExpired: true, lockDuration: 300_000 }))
    await bus.client.createSender('locked').sendMessages([{ body: 'held' }, { body: 'waiting' }])
    const receiver = bus.client.createReceiver('locked', quiet)
    const [held] = await receiver.receiveMessages(1)

    bus.clock.pass(60_000)
    await until('the one that nobody holds has expired', async () => countsOf('locked')?.deadLettered === 1)
    if (held) await receiver.abandonMessage(held)
    await bus.restart()

    await until('the other has expired', async () => countsOf('locked')?.deadLettered === 2)
    expect(countsOf('locked')?.active).toBe(0)
  })
})

describe('duplicate detection', () => {
  it('takes a message that came before and drops it, also after a restart, until the window is over', async () => {
    await open(aQueue('once', { duplicateWindow: 600_000 }))
    const send = (...ids: string[]) =>
      bus.client.createSender('once').sendMessages(ids.map((messageId) => ({ body: messageId, messageId })))
    await send('a', 'b', 'a')
    await bus.restart()
    await send('b', 'c')
    expect(countsOf('once')?.active).toBe(3)

    bus.clock.pass(600_000)
    await send('a')

    expect(bodies(await drain(bus.client.createReceiver('once')))).toEqual(['a', 'b', 'c', 'a'])
  })
})

describe('forwarding', () => {
  it('goes on to the target, and remembers where it came in', async () => {
    await open(aQueue('in', { forwardTo: 'middle' }), aQueue('middle', { forwardTo: 'out' }), aQueue('out'))
    await bus.client.createSender('in').sendMessages({ body: 1 })

    expect(await drain(bus.client.createReceiver('out'))).toMatchObject([{ body: 1, enqueuedSequenceNumber: 1 }])
    expect(countsOf('in')?.active).toBe(0)
  })

  it('of dead letters goes to the target with its reason and its source', async () => {
    await open(aQueue('work', { forwardDeadLettersTo: 'morgue' }), aQueue('morgue'))
    await bus.client.createSender('work').sendMessages({ body: 1 })
    const receiver = bus.client.createReceiver('work')
    const [message] = await receiver.receiveMessages(1)
    if (message)
      await receiver.deadLetterMessage(message, { deadLetterReason: 'no', deadLetterErrorDescription: 'really' })

    expect(await drain(bus.client.createReceiver('morgue'))).toMatchObject([
      { body: 1, deadLetterReason: 'no', deadLetterErrorDescription: 'really', deadLetterSource: 'work' },
    ])
  })

  it('of dead letters goes to the target also when the broker was down meanwhile', async () => {
    await open(aQueue('a', { forwardDeadLettersTo: 'z', maxDeliveryCount: 1 }), aQueue('z'))
    await bus.client.createSender('a').sendMessages({ body: 1 })
    await bus.client.createReceiver('a', quiet).receiveMessages(1)
    await bus.restart()

    expect(await drain(bus.client.createReceiver('z'))).toMatchObject([{ body: 1, deadLetterSource: 'a' }])
    expect(countsOf('a')).toMatchObject({ active: 0, deadLettered: 0 })
  })

  it('of dead letters to a target that can not take them leaves them in their own dead-letter queue', async () => {
    await open(
      aQueue('work', { forwardDeadLettersTo: 'sessions', maxDeliveryCount: 1 }),
      aQueue('sessions', { requiresSession: true }),
    )
    await bus.client.createSender('work').sendMessages([{ body: 'refused' }, { body: 'exhausted' }])
    const receiver = bus.client.createReceiver('work', quiet)
    const [refused] = await receiver.receiveMessages(2)
    if (refused) await receiver.deadLetterMessage(refused)
    bus.clock.pass(60_000)
    await until('the lock of the other has ended', async () => countsOf('work')?.active === 0)

    expect(bodies(await drain(bus.client.createReceiver('work', { subQueueType: 'deadLetter' })))).toEqual([
      'refused',
      'exhausted',
    ])
  })

  it.each<readonly [string, number]>([
    ['at once', 0],
    ['when it is due', 60_000],
  ])('to a target that can not take a message ends among the transfer dead letters, %s', async (_, delay) => {
    await open(aQueue('in', { forwardTo: 'sessions' }), aQueue('sessions', { requiresSession: true }))
    const at = new Date(bus.clock.now() + delay)
    await bus.client.createSender('in').sendMessages({ body: 1, ...(delay > 0 && { scheduledEnqueueTimeUtc: at }) })
    bus.clock.pass(delay)

    await until('it is there', async () => countsOf('in')?.transferDeadLettered === 1)
    expect(countsOf('in')).toMatchObject({ active: 0, scheduled: 0 })
  })

  it('to a target that is not there, or in a circle, ends among the transfer dead letters', async () => {
    await open(aQueue('lost', { forwardTo: 'nowhere' }), aQueue('ring', { forwardTo: 'ring' }))
    await bus.client.createSender('lost').sendMessages({ body: 1 })
    await bus.client.createSender('ring').sendMessages({ body: 2 })

    expect(countsOf('lost')?.transferDeadLettered).toBe(1)
    const ring = await drain(bus.client.createReceiver('ring', { subQueueType: 'transferDeadLetter' }))
    expect(ring).toMatchObject([{ body: 2, deadLetterReason: 'MaxTransferHopCountExceeded' }])
  })
})

describe('receive and delete', () => {
  it('takes messages out before they are seen, deferred ones too', async () => {
    await open(aQueue('plain'))
    const sender = bus.client.createSender('plain')
    await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }])
    const locking = bus.client.createReceiver('plain')
    const [first] = await locking.receiveMessages(1)
    if (first) await locking.deferMessage(first)
    await locking.close()
    const receiver = bus.client.createReceiver('plain', { receiveMode: 'receiveAndDelete' })

    const got = await receiver.receiveMessages(2, { maxWaitTimeInMs: 500 })
    const deferred = first?.sequenceNumber ? await receiver.receiveDeferredMessages(first.sequenceNumber) : []

    expect([...bodies(got), ...bodies(deferred)]).toEqual([2, 3, 1])
    expect(countsOf('plain')).toMatchObject({ active: 0, deferred: 0 })
  })
})

describe('shared access keys', () => {
  it('are checked when they are configured', async () => {
    bus = await new TestNamespace([aQueue('orders')], new Map([['app', 'c2VjcmV0']])).open()
    const right = bus.connect({ name: 'app', key: 'c2VjcmV0' })
    const wrong = bus.connect({ name: 'app', key: 'wrong' })
    const nobody = bus.connect({ name: 'nobody', key: 'c2VjcmV0' })

    await right.createSender('orders').sendMessages({ body: 1 })

    await expect(wrong.createSender('orders').sendMessages({ body: 1 })).rejects.toThrow(
      /not signed with the key 'app'/,
    )
    await expect(nobody.createSender('orders').sendMessages({ body: 1 })).rejects.toThrow(
      /no shared access key 'nobody'/,
    )
    await Promise.all([right, wrong, nobody].map((client) => client.close()))
  })
})
