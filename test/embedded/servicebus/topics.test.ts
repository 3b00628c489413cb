// Topics, subscriptions and rules as the unmodified client sees them.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compileAction, compileFilter, type Facts } from '../../../embedded/servicebus/sql.js'
import { aQueue, aSubscription, aTopic, bodies, drain, TestNamespace } from './namespace.js'

let bus: TestNamespace

beforeEach(async () => {
  bus = await new TestNamespace([
    aTopic('events'),
    aSubscription('events', 'all'),
    aSubscription('events', 'red', {}, [
      { name: 'red', filter: { kind: 'sql', expression: "color = 'red' AND sys.Label <> 'test'" } },
    ]),
    aSubscription('events', 'none', {}, [{ name: 'none', filter: { kind: 'false' } }]),
    aSubscription('events', 'sessions', { requiresSession: true }),
    aSubscription('events', 'onward', { forwardTo: 'collected' }),
    aQueue('collected'),
  ]).open()
})
afterEach(() => bus.end())

const from = (subscription: string) => bus.client.createReceiver('events', subscription)

describe('a topic', () => {
  it('gives each subscription that wants it a copy, with the topic’s number', async () => {
    await bus.client.createSender('events').sendMessages([
      { body: 1, sessionId: 's', applicationProperties: { color: 'red' } },
      { body: 2, sessionId: 's', subject: 'test', applicationProperties: { color: 'red' } },
      { body: 3, sessionId: 's', applicationProperties: { color: 'blue' } },
    ])

    expect(bodies(await drain(from('all')))).toEqual([1, 2, 3])
    // What has no label has none that is unlike 'test': the condition is not known to hold.
    expect(bodies(await drain(from('red')))).toEqual([])
    expect(bodies(await drain(from('none')))).toEqual([])
    const collected = await drain(bus.client.createReceiver('collected'))
    expect(collected.map(({ body, enqueuedSequenceNumber }) => [body, enqueuedSequenceNumber])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
  })

  it('buries what a session subscription can not take', async () => {
    await bus.client.createSender('events').sendMessages({ body: 1 })

    const buried = await drain(bus.client.createReceiver('events', 'sessions', { subQueueType: 'deadLetter' }))
    expect(buried).toMatchObject([{ body: 1, deadLetterReason: 'Session ID is null.' }])
  })

  it('gives the others their copies where one subscription forwards to a queue that can not take the message', async () => {
    const { namespace } = bus.broker
    await namespace.declare(aQueue('in sessions', { requiresSession: true }))
    await namespace.declare(aSubscription('events', 'stuck', { forwardTo: 'in sessions' }))
    await bus.client.createSender('events').sendMessages({ body: 1 })

    expect(bodies(await drain(from('all')))).toEqual([1])
    expect(namespace.counts().find(({ name }) => name === 'events/subscriptions/stuck')).toMatchObject({
      transferDeadLettered: 1,
    })
  })

  it('keeps scheduled messages until they are due, and can take them back', async () => {
    const sender = bus.client.createSender('events')
    const soon = new Date(bus.clock.now() + 60_000)
    await sender.scheduleMessages({ body: 'soon', sessionId: 's' }, soon)
    const taken = await sender.scheduleMessages({ body: 'never', sessionId: 's' }, soon)
    await sender.cancelScheduledMessages(taken)
    expect(bus.broker.namespace.counts().find(({ name }) => name === 'events')?.scheduled).toBe(1)

    bus.clock.pass(60_000)
    const [message] = await from('all').receiveMessages(1)

    expect(message?.body).toBe('soon')
    expect(message?.enqueuedTimeUtc?.getTime()).toBeGreaterThanOrEqual(soon.getTime())
  })

  it('can not be received from, nor a subscription sent to', async () => {
    await expect(bus.client.createReceiver('events').receiveMessages(1, { maxWaitTimeInMs: 500 })).rejects.toThrow(
      /from a topic/,
    )
    await expect(bus.client.createSender('events/Subscriptions/all').sendMessages({ body: 1 })).rejects.toThrow(
      /to a subscription/,
    )
  })
})

describe('rules', () => {
  it('are added, listed by name and removed, and outlive a restart', async () => {
    const rules = bus.client.createRuleManager('events', 'none')
    await rules.deleteRule('none')
    await rules.createRule('b', { correlationId: 'c-1', applicationProperties: { at: new Date(5), count: 3 } })
    await rules.createRule(
      'a',
      { sqlExpression: "color LIKE 'bl%'" },
      { sqlExpression: "SET priority = 'high'; REMOVE color" },
    )
    await bus.restart()

    const found = []
    for await (const rule of bus.client.createRuleManager('events', 'none').listRules()) found.push(rule)

    expect(found).toMatchObject([
      {
        name: 'a',
        filter: { sqlExpression: "color LIKE 'bl%'" },
        action: { sqlExpression: "SET priority = 'high'; REMOVE color" },
      },
      { name: 'b', filter: { correlationId: 'c-1', applicationProperties: { at: new Date(5), count: 3 } } },
    ])
  })

  it('decide who gets a copy, and what is changed in it', async () => {
    const rules = bus.client.createRuleManager('events', 'none')
    await rules.createRule(
      'changed',
      { sqlExpression: 'size > 10' },
      { sqlExpression: "SET sys.Label = 'big'; SET size = size * 2" },
    )
    await rules.createRule('correlated', { correlationId: 'c-1' })

    await bus.client.createSender('events').sendMessages([
      { body: 1, sessionId: 's', applicationProperties: { size: 20 } },
      { body: 2, sessionId: 's', correlationId: 'c-1', applicationProperties: { size: 5 } },
      { body: 3, sessionId: 's' },
    ])

    const got = await drain(from('none'))
    expect(
      got.map(({ body, subject, applicationProperties }) => [body, subject, applicationProperties?.['size']]),
    ).toEqual([
      [1, 'big', 40],
      [2, undefined, 5],
    ])
  })

  it('can put a message into a session', async () => {
    const rules = bus.client.createRuleManager('events', 'sessions')
    await rules.deleteRule('$Default')
    await rules.createRule('by color', { sqlExpression: '1=1' }, { sqlExpression: 'SET sys.SessionId = color' })

    await bus.client.createSender('events').sendMessages({ body: 1, applicationProperties: { color: 'red' } })

    const session = await bus.client.acceptNextSession('events', 'sessions')
    expect([session.sessionId, ...bodies(await drain(session))]).toEqual(['red', 1])
  })

  it('that are there already, that are not there, or that can not be read, are refused', async () => {
    const rules = bus.client.createRuleManager('events', 'all')

    await expect(rules.createRule('$Default', { sqlExpression: '1=1' })).rejects.toMatchObject({
      code: 'MessagingEntityAlreadyExists',
    })
    await expect(rules.deleteRule('nobody')).rejects.toMatchObject({ code: 'MessagingEntityNotFound' })
    await expect(rules.createRule('bad', { sqlExpression: 'color = = 1' })).rejects.toThrow(
      /can not be understood: '=' was not expected/,
    )
  })
})

describe('the SQL of rules', () => {
  const facts: Facts = {
    system: (name) => ({ label: 'yellow', correlationid: "it's" })[name],
    user: (name) => ({ Color: 'red', size: 10, half: 0.5, yes: true, empty: undefined, 'two words': 'x' })[name],
  }

  it.each([
    ["sys.label = 'yellow'", true],
    ["sys.CorrelationId = 'it''s'", true],
    ["Color = 'red' AND size >= 10", true],
    ["Color = 'red' AND size > 10", false],
    ['size = 10 OR nothing = 1', true],
    ['NOT nothing = 1', false],
    ['nothing IS NULL AND Color IS NOT NULL', true],
    ['EXISTS(Color) AND NOT EXISTS(nothing)', true],
    ["Color IN ('blue', 'red')", true],
    ["Color NOT IN ('blue', 'green')", true],
    ["Color LIKE 'r%' AND Color LIKE '_e_'", true],
    ["Color NOT LIKE 'R%'", true],
    ["'50%' LIKE '50!%' ESCAPE '!'", true],
    ['size * 2 + 1 = 21 AND size % 3 = 1 AND -size < 0', true],
    ['half <> 0.5 OR yes', true],
    ["[two words] = 'x' AND \"two words\" = 'x'", true],
    ["user.Color = p('Color')", true],
    ["(Color = 'red' OR size = 1) AND yes = TRUE", true],
    ["size = '10'", false],
    ['1=1', true],
  ])('%s is %s', (expression, holds) => {
    expect(compileFilter(expression)(facts)).toBe(holds)
  })

  it.each(['color =', "color = 'red", 'AND', 'x y', 'sys..label = 1', 'other.color = 1', 'a IN ()', 'a LIKE'])(
    '%s is refused',
    (expression) => {
      expect(() => compileFilter(expression)).toThrow(/can not be understood/)
    },
  )

  it('sets and removes', () => {
    expect(compileAction('SET a = size + 1; SET sys.Label = Color; REMOVE user.b')(facts)).toEqual([
      { scope: 'user', name: 'a', value: 11 },
      { scope: 'sys', name: 'Label', value: 'red' },
      { scope: 'user', name: 'b', value: undefined },
    ])
    expect(() => compileAction('SET a')).toThrow(/can not be understood/)
  })
})
