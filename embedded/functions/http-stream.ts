// An HTTP call of an app that streams: its library opened a server of its own, through which request and answer flow while the function runs.
//
// What the function returns goes to that server, not to the host; only when it returns nothing, or throws, has the host to answer.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request as askHttp, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { RouteMatch } from './http-routes.js'
import type { FunctionApp } from './function-app.js'
import type { Invocation, RegisteredFunction } from './worker.js'
import type { TypedData } from './typed-data.js'

/** By which the library knows which request is for which call. */
const invocationIdHeader = 'x-ms-invocation-id'

export interface StreamedCall {
  readonly app: FunctionApp
  readonly called: RegisteredFunction
  readonly inputs: Invocation['inputs']
  readonly match: RouteMatch
  readonly url: URL
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** Rejects with what the function threw, before anything is answered. */
export async function answerStreamed(call: StreamedCall, streamUri: string): Promise<void> {
  const { app, called, inputs, request, response } = call
  const invocationId = randomUUID()
  const { 'transfer-encoding': _, connection: __, ...headers } = request.headers
  const asked = askHttp(new URL(request.url ?? '/', streamUri), {
    method: request.method,
    headers: {
      ...headers,
      [invocationIdHeader]: invocationId,
      'x-forwarded-host': request.headers.host ?? 'localhost',
      'x-forwarded-proto': 'http',
    },
  })
  const answered = once(asked, 'response').then(([answer]: IncomingMessage[]) => answer)
  // A client that goes away, and a request that is given up below, are no errors of the host.
  pipeline(request, asked).catch(() => asked.destroy())
  const nothing = app
    .invoke(called.name, {
      invocationId,
      inputs: { ...inputs, [called.trigger.key]: { http: {} } },
      triggerMetadata: metadataOf(call),
    })
    .then(({ isNothing }) => (isNothing ? undefined : answered))
  try {
    const answer = await Promise.race([answered, nothing])
    if (answer) await passOn(answer, response)
    else response.writeHead(204).end()
  } finally {
    asked.destroy()
  }
}

async function passOn(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const { [invocationIdHeader]: _, connection: __, 'keep-alive': ___, ...headers } = answer.headers
  response.writeHead(answer.statusCode ?? 500, headers)
  // Events are waited for: whoever listens is to know at once that they are told.
  response.flushHeaders()
  try {
    await pipeline(answer, response)
  } catch (error) {
    // A client that goes away in the middle has its reasons.
    if (!response.closed && !response.destroyed) throw error
  }
}

/** Where the library finds the headers, and what it makes the parameters of: those of the route and, as on the platform, of the query. */
function metadataOf({ request, url, match }: StreamedCall): Record<string, TypedData> {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const texts = { ...Object.fromEntries(url.searchParams), ...match.parameters }
  return {
    ...Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, { string: value }])),
    Headers: { json: JSON.stringify(headers) },
  }
}
