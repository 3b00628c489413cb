// A partner's later answer: who may give it, what it may say, and that it reaches the instance and no other.

import { HttpRequest, InvocationContext } from '@azure/functions'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { callbackToken } from '../../../src/partner/callback-token.js'
import { defineAction } from '../../../src/saga/action.js'
import { defineSaga } from '../../../src/saga/define.js'
import { instanceIdOf, keyOf } from '../../../src/saga/ids.js'
import { takeCallback } from '../../../src/triggers/in/callbacks.js'
import { routes } from '../../../src/operators/routes.js'
import { httpHandler } from '../../../src/triggers/serve.js'
import { onPartnerReply } from '../../../src/triggers/in/partner-replies.js'
import type { WaitsFor } from '../../../src/saga/status.js'
import { anEvent } from '../../../testkit/event.js'

const order = defineAction('shop', 'order', {
  input: z.object({}),
  output: z.object({ number: z.string() }),
  keys: 'honoured',
  answeredWithin: 60_000,
  request: (_, callback) => ({ method: 'POST', path: '/orders', body: { answerTo: callback } }),
  undo: { request: ({ output }) => ({ method: 'DELETE', path: `/orders/${output.number}` }) },
})
const saga = defineSaga('ordering', { version: 1, on: { table: 'contact', message: 'Create' } })
  .step('order', order, () => ({}))
  .end()

const world = vi.hoisted(() => ({
  phase: 'waiting',
  waitsFor: undefined as WaitsFor | undefined,
  raised: new Array<unknown>(),
  buried: new Array<unknown>(),
  secret: 'a-secret-of-the-tests',
}))

vi.mock('../../../src/app/index.js', () => ({ sagaNamed: () => saga }))
vi.mock('../../../src/triggers/instances.js', async (original) => ({
  ...(await original<object>()),
  findInstance: async (_: unknown, id: string) =>
    id === instance ? { saga: 'ordering', version: 1, phase: world.phase, waitsFor: world.waitsFor } : undefined,
}))
vi.mock('../../../src/triggers/in/dead-letter.js', () => ({
  deadLetter: async ({ queue }: { queue: string }, _: unknown, { code }: { code: string }) =>
    void world.buried.push([queue, code]),
}))
vi.mock('durable-functions', async (original) => ({
  ...(await original<object>()),
  getClient: () => ({ raiseEvent: async (...all: unknown[]) => void world.raised.push(all) }),
}))

const instance = instanceIdOf('ordering', anEvent())
const tokenOf = (key: string) => callbackToken(key, world.secret)
const token = tokenOf(keyOf(instance, 'order', 'do'))

beforeEach(() => {
  vi.stubEnv('CALLBACK_SECRET', world.secret)
  Object.assign(world, { phase: 'waiting', waitsFor: undefined, raised: [], buried: [] })
})

async function post(to: string, body: string, query: Record<string, string> = {}) {
  const url = 'http://127.0.0.1/api/callbacks/x'
  const request = new HttpRequest({ method: 'POST', url, params: { token: to }, query, body: { string: body } })
  const answer = await httpHandler(routes.takeCallback, takeCallback)(request, new InvocationContext())
  return { status: answer.status, code: typeof answer.body === 'string' ? JSON.parse(answer.body).code : undefined }
}

describe('a callback', () => {
  it('brings the output of the step to its instance', async () => {
    expect(await post(token, '{"number":"A-1"}')).toMatchObject({ status: 202 })
    expect(world.raised).toEqual([
      [
        instance,
        'signal',
        { kind: 'reply', step: 'order', edition: 1, outcome: { kind: 'applied', output: { number: 'A-1' } } },
      ],
    ])
  })

  it('can be a refusal, with its reason', async () => {
    await post(token, '{"reason":"out of stock"}', { outcome: 'refused' })

    expect(world.raised).toMatchObject([
      [instance, 'signal', { step: 'order', outcome: { kind: 'refused', reason: 'out of stock' } }],
    ])
  })

  it('says for which edition of the input it is', async () => {
    await post(tokenOf(keyOf(instance, 'order', 'do', 3)), '{"number":"A-1"}')

    expect(world.raised).toMatchObject([[instance, 'signal', { step: 'order', edition: 3 }]])
  })

  it.each([
    ['that nobody has signed', `${token.split('.')[0]}.${Buffer.alloc(32).toString('base64url')}`],
    ['that was signed with another secret', callbackToken(keyOf(instance, 'order', 'do'), 'another')],
    ['for an instance that is not there', tokenOf(keyOf(instanceIdOf('other', anEvent()), 'order', 'do'))],
    ['for a step that is not there', tokenOf(keyOf(instance, 'pay', 'do'))],
    ['for an undo', tokenOf(keyOf(instance, 'order', 'undo'))],
    ['that is no token', 'no-token'],
  ])('with a token %s is unknown', async (_, wrong) => {
    expect(await post(wrong, '{"number":"A-1"}')).toEqual({ status: 404, code: 'CALLBACK_UNKNOWN' })
    expect(world.raised).toEqual([])
  })

  it.each([
    ['no JSON', '{', {}],
    ['not what the action declares', '{"number":1}', {}],
    ['too large', JSON.stringify({ number: 'x'.repeat(50_000) }), {}],
    ['a refusal without a reason', '', { outcome: 'refused' }],
  ])('that is %s is refused, and the step goes on waiting', async (_, body, query) => {
    expect(await post(token, body, query)).toEqual({ status: 400, code: 'CALLBACK_MALFORMED' })
    expect(world.raised).toEqual([])
  })

  it('that comes when the saga is over is told so', async () => {
    world.phase = 'compensated'

    expect(await post(token, '{"number":"A-1"}')).toEqual({ status: 410, code: 'CALLBACK_LATE' })
  })

  it('is not taken while its instance is stopped, for nobody would hear it', async () => {
    Object.assign(world, { phase: 'held', waitsFor: { kind: 'repair', why: 'the orchestration was terminated' } })

    expect(await post(token, '{"number":"A-1"}')).toMatchObject({ status: 500 })
    expect(world.raised).toEqual([])
  })

  it('is taken while its instance is suspended, which hears it when it goes on', async () => {
    Object.assign(world, { phase: 'held', waitsFor: { kind: 'repair', why: 'the orchestration is suspended' } })

    expect(await post(token, '{"number":"A-1"}')).toMatchObject({ status: 202 })
    expect(world.raised).toHaveLength(1)
  })
})

describe('an answer on the queue partner-replies', () => {
  const receive = async (applicationProperties: object | undefined, body: string) => {
    const context = new InvocationContext({ triggerMetadata: { applicationProperties, lockToken: 'lock' } })
    await onPartnerReply(Buffer.from(body), context)
  }

  it('is the same as a callback: its address is a property', async () => {
    await receive({ callback: `https://app.example/api/callbacks/${token}` }, '{"number":"A-1"}')
    await receive({ callback: token, outcome: 'refused' }, '{"reason":"sold out"}')

    expect(world.raised).toMatchObject([
      [instance, 'signal', { step: 'order', outcome: { kind: 'applied', output: { number: 'A-1' } } }],
      [instance, 'signal', { step: 'order', outcome: { kind: 'refused', reason: 'sold out' } }],
    ])
  })

  it('comes again while its instance is stopped', async () => {
    Object.assign(world, { phase: 'held', waitsFor: { kind: 'repair', why: 'the orchestration was terminated' } })

    await expect(receive({ callback: token }, '{"number":"A-1"}')).rejects.toThrow('can not be kept')
    expect([world.raised, world.buried]).toEqual([[], []])
  })

  it.each([
    ['no address', undefined, '{}', 'CALLBACK_MALFORMED'],
    ['an address of nobody', { callback: 'x' }, '{}', 'CALLBACK_UNKNOWN'],
    ['an output that is none', { callback: token }, '{}', 'CALLBACK_MALFORMED'],
  ])('with %s goes to the dead-letter queue', async (_, applicationProperties, body, code) => {
    await receive(applicationProperties, body)

    expect(world.raised).toEqual([])
    expect(world.buried).toEqual([['partner-replies', code]])
  })
})
