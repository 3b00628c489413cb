// A small HTTP door for who has no administration client: declare and remove entities, count and purge messages.
//
//   GET    /entities                                  definitions and message counts
//   PUT    /queues/{name}   /topics/{name}             with the properties of the emulator's configuration as JSON, or none
//   PUT    /topics/{topic}/subscriptions/{name}        with { Properties, Rules }, or nothing
//   DELETE /queues/{name}   /topics/{name}   /topics/{topic}/subscriptions/{name}
//   POST   /purge?entity={path}                        all that is not locked; sub-queues by their path
//
// Never: asks who is there. It listens on this machine only.

import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { z } from 'zod'
import { entityProperties, subscriptionOf, subscriptionProperties } from './config-file.js'
import { BrokerError, brokerErrorOf } from './errors.js'
import type { Namespace } from './namespace.js'

export interface Control {
  readonly port: number
  close(): Promise<void>
}

/** @param port 0 for any free port @throws the listener's error */
export async function startControl(namespace: Namespace, host: string, port: number): Promise<Control> {
  const server = createServer((request, response) => {
    handle(namespace, request)
      .catch((error: unknown) => {
        const isMistake = error instanceof z.ZodError || error instanceof SyntaxError
        const { status, condition, message } = brokerErrorOf(error)
        return { status: isMistake ? 400 : status, body: { error: isMistake ? 'malformed' : condition, message } }
      })
      .then(({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      )
      .catch(() => response.destroy())
  })
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function handle(namespace: Namespace, request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const [root, name = '', inner, subscription] = url.pathname.split('/').filter(Boolean).map(decodeURIComponent)
  const isSubscription = root === 'topics' && inner === 'subscriptions' && subscription !== undefined
  const isEntity = (root === 'queues' || root === 'topics') && name !== '' && (inner === undefined || isSubscription)
  if (request.method === 'GET' && root === 'entities')
    return { status: 200, body: { definitions: namespace.definitions(), counts: namespace.counts() } }
  if (request.method === 'POST' && root === 'purge')
    return { status: 200, body: { purged: await namespace.at(url.searchParams.get('entity') ?? '').purge() } }
  if (request.method === 'DELETE' && isEntity) {
    await namespace.remove(isSubscription ? `${name}/subscriptions/${subscription}` : name)
    return { status: 200, body: { removed: true } }
  }
  if (request.method === 'PUT' && isEntity) {
    const given = await jsonOf(request)
    if (isSubscription)
      await namespace.declare(
        subscriptionOf(name, subscriptionProperties.parse({ Name: subscription, ...recordOf(given) })),
      )
    else
      await namespace.declare({
        kind: root === 'queues' ? 'queue' : 'topic',
        name,
        settings: entityProperties.parse(given ?? {}),
      })
    return { status: 201, body: { declared: true } }
  }
  throw new BrokerError('amqp:not-found', 404, `There is nothing at ${request.method} ${url.pathname}.`)
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  return text === '' ? undefined : JSON.parse(text)
}

const recordOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})
