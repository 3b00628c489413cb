// Sessions as the unmodified client sees them.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aQueue, bodies, drain, TestNamespace } from './namespace.js'

let bus: TestNamespace

beforeEach(async () => {
  bus = await new TestNamespace([aQueue('orders', { requiresSession: true }), aQueue('plain')]).open()
})
afterEach(() => bus.end())

const send = (queue: string, ...sessions: string[]) =>
  bus.client
    .createSender(queue)
    .sendMessages(sessions.map((sessionId, number) => ({ body: `${sessionId}${number}`, sessionId })))
const quiet = { maxAutoLockRenewalDurationInMs: 0 }

describe('a session', () => {
  it('is received in order, by one receiver, while others wait for nothing', async () => {
    await send('orders', 'a', 'b', 'a', 'a')

    const a = await bus.client.acceptSession('orders', 'a')

    expect(bodies(await drain(a))).toEqual(['a0', 'a2', 'a3'])
    await expect(bus.client.acceptSession('orders', 'a')).rejects.toMatchObject({ code: 'SessionCannotBeLocked' })
    expect(a.sessionLockedUntilUtc.getTime()).toBeGreaterThan(Date.now() + 50_000)
  })

  it('that is abandoned in has the same message next', async () => {
    await send('orders', 'a', 'a')
    const a = await bus.client.acceptSession('orders', 'a')

    const [first] = await a.receiveMessages(1)
    if (first) await a.abandonMessage(first)

    expect(await drain(a)).toMatchObject([
      { body: 'a0', deliveryCount: 1 },
      { body: 'a1', deliveryCount: 0 },
    ])
  })

  it('that is next can be any that has messages, the one that waits longest first', async () => {
    await send('orders', 'b', 'a')

    const first = await bus.client.acceptNextSession('orders')
    const second = await bus.client.acceptNextSession('orders')

    expect([first.sessionId, second.sessionId]).toEqual(['b', 'a'])
  })

  it('that is next is waited for', async () => {
    const waiting = bus.client.acceptNextSession('orders')
    await send('orders', 'late')

    expect((await waiting).sessionId).toBe('late')
  })

  it('that does not come in time is a time-out', async () => {
    const impatient = bus.connect({ patience: 1_000 })
    await expect(
      Promise.resolve(impatient.acceptNextSession('orders', { ...quiet })).finally(() => impatient.close()),
    ).rejects.toMatchObject({ code: 'ServiceTimeout' })
  })

  it('that is closed gives its messages back, uncounted', async () => {
    await send('orders', 'a')
    const before = await bus.client.acceptSession('orders', 'a')
    await before.receiveMessages(1)
    await before.close()

    const after = await bus.client.acceptSession('orders', 'a')

    expect(await drain(after)).toMatchObject([{ body: 'a0', deliveryCount: 0 }])
  })

  it('that was next at once is free when it is closed', async () => {
    await send('orders', 'a')
    const before = await bus.client.acceptNextSession('orders')
    await before.close()

    expect((await bus.client.acceptNextSession('orders')).sessionId).toBe('a')
  })

  it('whose lock expires is lost, and its messages come again, counted', async () => {
    await send('orders', 'a')
    const before = await bus.client.acceptSession('orders', 'a', quiet)
    const [message] = await before.receiveMessages(1)
    bus.clock.pass(60_000)
    const after = await bus.client.acceptNextSession('orders', quiet)

    expect(await after.receiveMessages(1)).toMatchObject([{ body: 'a0', deliveryCount: 1 }])
    await expect(message && before.completeMessage(message)).rejects.toMatchObject({ code: 'SessionLockLost' })
  })

  it('can be renewed', async () => {
    await send('orders', 'a')
    const a = await bus.client.acceptSession('orders', 'a', quiet)
    const [message] = await a.receiveMessages(1)
    const before = a.sessionLockedUntilUtc.getTime()

    bus.clock.pass(30_000)
    const after = await a.renewSessionLock()

    expect(after.getTime()).toBeGreaterThanOrEqual(before + 30_000)
    if (message) await a.completeMessage(message)
  })

  it('keeps a state, also over a restart', async () => {
    await send('orders', 'a')
    const before = await bus.client.acceptSession('orders', 'a')
    await before.setSessionState({ seen: 7 })
    expect(await before.getSessionState()).toEqual({ seen: 7 })
    await before.close()

    await bus.restart()

    expect(await (await bus.client.acceptSession('orders', 'a')).getSessionState()).toEqual({ seen: 7 })
  })

  it('has deferred messages and peeks of its own', async () => {
    await send('orders', 'a', 'b')
    const a = await bus.client.acceptSession('orders', 'a')
    const [message] = await a.receiveMessages(1)
    if (message) await a.deferMessage(message)

    expect(bodies(await a.peekMessages(10))).toEqual(['a0'])
    const [deferred] = message?.sequenceNumber ? await a.receiveDeferredMessages(message.sequenceNumber) : []
    expect(deferred).toMatchObject({ body: 'a0', deliveryCount: 1 })
    if (deferred) await a.completeMessage(deferred)
    expect(bus.broker.namespace.counts()[0]).toMatchObject({ active: 1, deferred: 0 })
  })
})

describe.each(['peekLock', 'receiveAndDelete'] as const)('in the mode %s', (receiveMode) => {
  it('a session does not give out the deferred messages of another', async () => {
    await send('orders', 'a', 'b')
    const a = await bus.client.acceptSession('orders', 'a')
    const [message] = await a.receiveMessages(1)
    if (message) await a.deferMessage(message)

    const b = await bus.client.acceptSession('orders', 'b', { receiveMode })

    await expect(b.receiveDeferredMessages(message?.sequenceNumber ?? [])).rejects.toMatchObject({
      code: 'MessageNotFound',
    })
    expect(bus.broker.namespace.counts()[0]).toMatchObject({ deferred: 1 })
  })
})

describe('who gets it wrong is told', () => {
  it('a message without a session', async () => {
    await expect(bus.client.createSender('orders').sendMessages({ body: 'x' })).rejects.toThrow(
      /SessionId was not set on a message/,
    )
  })

  it('a receiver without a session, and a session on a plain queue', async () => {
    await expect(bus.client.createReceiver('orders').receiveMessages(1, { maxWaitTimeInMs: 500 })).rejects.toThrow(
      /requires sessions/,
    )
    await expect(bus.client.acceptSession('plain', 'a')).rejects.toMatchObject({ code: 'SessionCannotBeLocked' })
  })
})
