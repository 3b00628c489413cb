// The port on which the app's own durable client finds the hub.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Log } from '../log.js'
import { durableHttpApi } from './http-api.js'
import type { TaskHub } from './hub.js'

export interface RpcEndpoint {
  /** Ends with a slash: the client appends to it. */
  readonly baseUrl: string
  close(): Promise<void>
}

/** @param key goes into the URLs that are handed out; here itself none is asked for */
export async function startRpcEndpoint(hub: TaskHub, log: Log, key: string): Promise<RpcEndpoint> {
  const answer = durableHttpApi(hub, '/durabletask', key)
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
    baseUrl: `http://127.0.0.1:${port}/durabletask/`,
    async close() {
      server.close()
      server.closeIdleConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}
