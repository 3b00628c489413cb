// The port on which the app's own durable client finds the hub.
//
// It is opened before the app is loaded, whose client is to be told of it; until it is served nobody is there who would ask.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Log } from '../log.js'
import type { HubApi } from './hub-api.js'
import { overHttp } from './over-http.js'

export interface RpcEndpoint {
  /** Ends with a slash: the client appends to it. */
  readonly baseUrl: string
  /** The same without a socket, from within this thread. */
  readonly ask: HubApi
  serve(api: HubApi): void
  close(): Promise<void>
}

/** What comes before `instances` and `orchestrators` in its URLs. */
export const rpcPath = '/durabletask'

const notServed: HubApi = () => Promise.resolve({ status: 503, headers: { 'retry-after': '1' } })

export async function openRpcEndpoint(log: Log): Promise<RpcEndpoint> {
  let served = notServed
  const ask: HubApi = (request) => served(request)
  const answer = overHttp(ask)
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log('error', 'hub', `${request.method} ${request.url}: ${error instanceof Error ? error.message : String(error)}`)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    baseUrl: `http://127.0.0.1:${port}${rpcPath}/`,
    ask,
    serve(api) {
      served = api
    },
    async close() {
      server.close()
      server.closeIdleConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}
