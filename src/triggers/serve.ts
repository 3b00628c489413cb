// From a route and its handler to an HTTP function: who asks is admitted, what is asked is read, what is told is written down.

import type { HttpFunctionOptions, HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { type DurableClient, input } from 'durable-functions'
import type { z } from 'zod'
import { authLevelOf, type Caller, callerOf, mayAsk } from '../operators/access.js'
import { record } from '../operators/operations/log.js'
import { type Answer, type Asked, Reply, type Route } from '../operators/route.js'
import { SagaError } from '../saga/errors.js'
import { json, problemOf, streamed } from './http-answer.js'
import { clientOf } from '../task-hub.js'

/** What a handler may use. */
export interface Hands {
  readonly client: DurableClient
  readonly log: (line: string) => void
  /** As the caller's header has it. */
  readonly traceparent?: string | null
}

export type Handler<Of> = (asked: Asked<Of>, hands: Hands) => Promise<Answer<Of>>

/** One for each route. */
export type Handlers<Routes> = { readonly [Name in keyof Routes]: Handler<Routes[Name]> }

/** Names and options of the HTTP functions, as the platform wants them. */
export function served<const Routes extends { readonly [Name in keyof Routes]: Route }>(
  routes: Routes,
  handlers: Handlers<Routes>,
): readonly (readonly [string, HttpFunctionOptions])[] {
  return namesOf(routes).map((name) => {
    const { path, method, access }: Route = routes[name]
    return [
      String(name),
      {
        route: path,
        methods: [method],
        authLevel: authLevelOf(access, process.env),
        extraInputs: [input.durableClient()],
        handler: httpHandler(routes[name], handlers[name]),
      },
    ]
  })
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table is written by hand and has no other members than its type
const namesOf = <Routes extends object>(routes: Routes) => Object.keys(routes) as (keyof Routes)[]

/** Never rejects: every error is a problem document. */
export function httpHandler<const Of extends Route>(
  route: Of,
  handle: Handler<Of>,
): (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit> {
  return async (request, context) => {
    try {
      const client = clientOf(context)
      const caller = await admitted(route, request, client)
      const asked = { ...(await readAll(route, request)), caller }
      const traceparent = request.headers.get('traceparent')
      const hands = { client, log: (line: string) => context.log(line), traceparent }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each part was parsed by the schema that its type is made of
      const answer: unknown = await handle(asked as Asked<Of>, hands)
      if (route.streams !== undefined && isStream(answer)) return streamed(route.streams, answer)
      return answer instanceof Reply ? json(answer.body, answer.status) : json(answer, route.statuses?.[0])
    } catch (error) {
      return problemOf(error, (what, why) => context.error(what, why))
    }
  }
}

const isStream = (answer: unknown): answer is AsyncIterable<unknown> =>
  typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer

/** @throws SagaError `CALLER_UNKNOWN`, `ROLE_MISSING`: who wanted to do what they may not leaves a trace */
async function admitted({ access, method }: Route, request: HttpRequest, client: DurableClient): Promise<Caller> {
  const { headers, query, url } = request
  const credentials = {
    principal: headers.get('x-ms-client-principal'),
    key: headers.get('x-functions-key') ?? query.get('code'),
  }
  const caller = callerOf(access, credentials, process.env)
  if (mayAsk(caller, access)) return caller
  const { actor, role = 'none' } = caller
  const refusal = SagaError.of('ROLE_MISSING', { actor, role: access })
  const target = new URL(url).pathname
  if (method !== 'GET')
    await record(client, { actor, role, what: method, target, reason: '' }, { refused: refusal.what })
  throw refusal
}

/** @throws SagaError `QUERY_MALFORMED`, `BODY_MALFORMED` */
async function readAll({ params, query, body }: Route, request: HttpRequest) {
  return {
    params: params && readTexts(params, request.params),
    query: query && readTexts(query, Object.fromEntries(request.query)),
    body: body === 'bytes' ? new Uint8Array(await request.arrayBuffer()) : body && (await readBody(body, request)),
  }
}

function readTexts(schema: z.ZodObject, texts: Readonly<Record<string, string>>): unknown {
  const read = schema.safeParse(texts)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw SagaError.of('QUERY_MALFORMED', {
    parameter: issue?.path.join('.') ?? '',
    expected: issue?.message ?? 'as it should be',
  })
}

/** Only what calls itself JSON: a page of somebody else's can make a browser that has signed in, or runs on the local machine, send any other text. */
async function readBody(schema: z.ZodType, request: HttpRequest): Promise<unknown> {
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? ''))
    throw SagaError.of('BODY_MALFORMED', { member: 'the header content-type', why: 'it is not application/json' })
  const read = schema.safeParse(await request.json().catch(() => undefined))
  if (read.success) return read.data
  const [issue] = read.error.issues
  // The reader's words name types, never values.
  throw SagaError.of('BODY_MALFORMED', {
    member: issue?.path.join('.') || 'the whole of it',
    why: issue?.message ?? 'it is not what is expected',
  })
}
