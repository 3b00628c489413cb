// From a route to an HTTP function: who asks, what is read, what is told, and what is told when something goes wrong.

import { HttpRequest, type HttpRequestInit, InvocationContext } from '@azure/functions'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { actorOf } from '../../src/operators/access.js'
import { Reply } from '../../src/operators/route.js'
import { type Handler, httpHandler, served } from '../../src/triggers/serve.js'

const world = vi.hoisted(() => ({ signalled: new Array<unknown>() }))
vi.mock('durable-functions', async (original) => ({
  ...(await original<object>()),
  getClient: () => ({ signalEntity: async (...all: unknown[]) => void world.signalled.push(all[2]) }),
}))

const route = {
  method: 'POST',
  path: 'things/{name}',
  access: 'Operator',
  summary: 'A thing',
  params: z.object({ name: z.string().max(5, 'a short name') }),
  query: z.object({ times: z.coerce.number().default(1) }),
  body: z.object({ actor: z.string().exactOptional(), size: z.number() }),
  answer: z.object({ name: z.string(), times: z.number(), size: z.number(), by: z.string() }),
  statuses: [201],
} as const

const make: Handler<typeof route> = async ({ params: { name }, query: { times }, body, caller }) => ({
  name,
  times,
  size: body.size,
  by: actorOf(caller, body.actor),
})

const logged: unknown[] = []

async function ask(handle: Handler<typeof route>, request: Partial<HttpRequestInit> = {}) {
  const context = new InvocationContext({ logHandler: (level, ...all) => void logged.push([level, ...all].join(' ')) })
  const all = {
    method: 'POST',
    url: 'http://127.0.0.1/api/things/cup',
    params: { name: 'cup' },
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: { string: '{"size":3,"actor":"Bo"}' },
  }
  const answer = await httpHandler(route, handle)(
    new HttpRequest({ ...all, ...request, headers: { ...all.headers, ...request.headers } }),
    context,
  )
  const body = typeof answer.body === 'string' ? JSON.parse(answer.body) : answer.jsonBody
  return { status: answer.status, body, headers: answer.headers }
}

const principal = (role: string) =>
  Buffer.from(
    JSON.stringify({
      claims: [
        { typ: 'roles', val: role },
        { typ: 'preferred_username', val: 'ada@contoso.com' },
      ],
    }),
  ).toString('base64')

beforeEach(() => {
  logged.length = 0
  world.signalled.length = 0
})
afterEach(() => void vi.unstubAllEnvs())

describe('a request', () => {
  it('is read by its route, and answered with what the handler tells', async () => {
    const { status, body, headers } = await ask(make, { query: { times: '2', code: 'any' } })

    expect([status, body]).toEqual([201, { name: 'cup', times: 2, size: 3, by: 'Bo' }])
    expect(headers).toMatchObject({ 'cache-control': 'no-store' })
  })

  it('may be answered with another status', async () => {
    expect((await ask(async (asked, hands) => new Reply(202, await tellOf(make, asked, hands)))).status).toBe(202)
  })

  it.each([
    ['QUERY_MALFORMED', 'name', { params: { name: 'too long' } }],
    ['QUERY_MALFORMED', 'times', { query: { times: 'many' } }],
    ['BODY_MALFORMED', 'size', { body: { string: '{"size":"Zephyrine"}' } }],
    ['BODY_MALFORMED', 'the whole of it', { body: { string: '{' } }],
    ['BODY_MALFORMED', 'content-type', { headers: { 'content-type': 'text/plain' } }],
    ['BODY_MALFORMED', 'actor', { body: { string: '{"size":3}' } }],
  ])('that is malformed is refused with %s, naming %s and no value', async (code, member, request) => {
    const { status, body } = await ask(make, request)

    expect([status, body.code]).toEqual([400, code])
    expect(body.title).toContain(member)
    expect(body.title).not.toContain('Zephyrine')
  })

  it('that fails for a reason of ours tells only that, and the log tells the rest', async () => {
    const failing = async () => {
      throw new Error('the hub of contoso is down')
    }
    const { status, body } = await ask(failing)

    expect([status, body]).toEqual([500, expect.objectContaining({ code: 'UNEXPECTED' })])
    expect(JSON.stringify(body)).not.toContain('contoso')
    expect(logged).toEqual([expect.stringContaining('the hub of contoso is down')])
  })
})

describe('a person who signed in', () => {
  beforeEach(() => {
    vi.stubEnv('OPERATOR_AUTH', 'entra')
    vi.stubEnv('WEBSITE_AUTH_ENABLED', 'True')
  })

  it('is the actor, whoever they say they are', async () => {
    const headers = { 'x-ms-client-principal': principal('Saga.Operator') }

    expect((await ask(make, { headers })).body.by).toBe('ada@contoso.com')
  })

  it('without the role is refused, and leaves a trace', async () => {
    const { status, body } = await ask(make, { headers: { 'x-ms-client-principal': principal('Saga.Reader') } })

    expect([status, body.code]).toEqual([403, 'ROLE_MISSING'])
    expect(world.signalled).toMatchObject([
      {
        actor: 'ada@contoso.com',
        role: 'Reader',
        target: '/api/things/cup',
        refused: expect.stringContaining('Operator'),
      },
    ])
  })

  it('is let through by the platform without a key', () => {
    const [[name, options] = []] = served({ make: route }, { make })

    expect([name, options]).toEqual([
      'make',
      expect.objectContaining({ route: 'things/{name}', methods: ['POST'], authLevel: 'anonymous' }),
    ])
  })
})

async function tellOf(handle: Handler<typeof route>, ...asked: Parameters<Handler<typeof route>>) {
  const answer = await handle(...asked)
  return answer instanceof Reply ? answer.body : answer
}
