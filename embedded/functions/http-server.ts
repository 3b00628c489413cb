// Serves an app's HTTP triggers, and whatever is mounted beside them.
//
// The port is opened before the app is loaded, for the app must know its own address; until it is served, every request is told to come back.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Log } from '../log.js'
import { answerAdmin } from './admin-api.js'
import { wordsOf } from './errors.js'
import { type ExtraInput, inputsOf } from './extra-inputs.js'
import { BodyTooLarge, readBody, requestData, sendAnswer } from './http-exchange.js'
import { matchRoute, type Route, type RouteMatch, routeOf } from './http-routes.js'
import { answerStreamed } from './http-stream.js'
import { type Keys, mayCall } from './keys.js'
import type { FunctionApp } from './function-app.js'
import type { RegisteredFunction } from './worker.js'

export interface Mount {
  /** For example `/runtime/webhooks/durabletask`. */
  readonly path: string
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}

export interface Served {
  readonly app: FunctionApp
  readonly mounts: readonly Mount[]
  readonly extraInput: ExtraInput
  readonly keys: Keys
}

export interface HttpServer {
  readonly port: number
  serve(served: Served): void
  /** Takes no new requests, waits for those that run; event streams, which would go on, are ended. */
  close(): Promise<void>
}

/** @throws the listener's error, for example EADDRINUSE */
export async function openHttpServer(options: { host: string; port: number; log: Log }): Promise<HttpServer> {
  const { host, port, log } = options
  let answer = tellStarting
  const answering = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    answering.add(response)
    response.once('close', () => answering.delete(response))
    answer(request, response).catch((error: unknown) => {
      log('error', 'host', `${request.method} ${request.url}: ${wordsOf(error)}`)
      if (!response.headersSent) response.writeHead(error instanceof BodyTooLarge ? 413 : 500)
      response.end()
    })
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    serve(served) {
      answer = answererOf(served, log)
    },
    async close() {
      server.close()
      server.closeIdleConnections()
      for (const response of answering) if (isEventStream(response)) response.destroy()
      if (server.listening) await once(server, 'close')
    },
  }
}

const isEventStream = (response: ServerResponse) =>
  String(response.getHeader('content-type')).startsWith('text/event-stream')

function answererOf({ app, mounts, extraInput, keys }: Served, log: Log) {
  const prefix = app.hostJson.extensions.http.routePrefix.split('/').filter(Boolean)
  const functions = new Map(app.functions.map((one) => [one.name, one]))
  const routes = app.functions.flatMap(httpRouteOf)
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = urlOf(request)
    if (!url) return void response.writeHead(400).end()
    const mount = mounts.find(({ path }) => url.pathname.toLowerCase().startsWith(`${path}/`))
    if (mount) return mayCall(keys, 'function', request, url) ? mount.handle(request, response) : refuse(response)
    const adminPath = pathUnder(['admin'], url.pathname)
    if (adminPath)
      return mayCall(keys, 'admin', request, url)
        ? answerAdmin({ app, log, extraInput }, adminPath, request, response)
        : refuse(response)
    const path = pathUnder(prefix, url.pathname)
    const match = path && matchRoute(routes, request.method ?? 'GET', path)
    const found = match && functions.get(match.name)
    if (!match || !found) return void response.writeHead(404).end()
    const { authLevel } = found.trigger
    if (!mayCall(keys, typeof authLevel === 'string' ? authLevel : 'anonymous', request, url)) return refuse(response)
    await answerWith(found, match, url, request, response)
  }

  async function answerWith(
    called: RegisteredFunction,
    match: RouteMatch,
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { name, trigger } = called
    const inputs = inputsOf(called.inputs, extraInput)
    try {
      if (app.streamUri !== undefined)
        return await answerStreamed({ app, called, inputs, match, url, request, response }, app.streamUri)
      const body = await readBody(request)
      const { returnValue } = await app.invoke(name, {
        inputs: { ...inputs, [trigger.key]: requestData(request, url, match, body) },
      })
      sendAnswer(response, returnValue)
    } catch (error) {
      if (error instanceof BodyTooLarge) throw error
      log('error', name, wordsOf(error))
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    }
  }
}

function httpRouteOf({ name, trigger }: RegisteredFunction): Route[] {
  if (trigger.type.toLowerCase() !== 'httptrigger') return []
  const { route, methods } = trigger
  return [routeOf(name, typeof route === 'string' ? route : name, Array.isArray(methods) ? methods.map(String) : [])]
}

function urlOf({ headers, url = '/' }: IncomingMessage): URL | undefined {
  const text = `http://${headers.host ?? 'localhost'}${url}`
  return url.startsWith('/') && URL.canParse(text) ? new URL(text) : undefined
}

/** The segments of a path below the prefix; undefined if it is not below it, or not well encoded. */
function pathUnder(prefix: readonly string[], pathname: string): readonly string[] | undefined {
  try {
    const path = pathname.split('/').filter(Boolean).map(decodeURIComponent)
    const isUnder = prefix.every((part, index) => path[index]?.toLowerCase() === part.toLowerCase())
    return isUnder ? path.slice(prefix.length) : undefined
  } catch {
    return undefined
  }
}

async function tellStarting(_: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(503, { 'retry-after': '1' }).end('The app is starting.')
  return Promise.resolve()
}

function refuse(response: ServerResponse): void {
  response.writeHead(401).end()
}
