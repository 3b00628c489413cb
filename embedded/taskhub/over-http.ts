// The durable management API on a socket.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HubApi } from './hub-api.js'

export function overHttp(api: HubApi) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = request
    const token = headers['x-ms-continuation-token']
    const answer = await api({
      method,
      url,
      host: headers.host ?? 'localhost',
      ...(typeof token === 'string' ? { continuationToken: token } : {}),
      body: await bodyOf(request),
    })
    response.writeHead(answer.status, answer.headers).end(answer.body)
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}
