// All partners of contact-onboarding in one lean process: answers at once, or after so many milliseconds, and counts what each row has.
//
// node dist/bench/partner.js, forked: tells its port, and each row's last call as a message to its parent.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerWith, requestsIn } from '../sandbox/batch.js'
import type { Answer } from '../sandbox/partner-server.js'

/** What a row has at the end: a key, a customer, or nothing. */
interface Held {
  registered: number
  retired: number
  stored: number
  cleared: number
  customers: number
}

const rows = new Map<string, Held>()
let delay = 0

function of(rowId: string): Held {
  const known = rows.get(rowId) ?? { registered: 0, retired: 0, stored: 0, cleared: 0, customers: 0 }
  rows.set(rowId, known)
  return known
}

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const text = Buffer.concat(parts).toString()
    if (delay > 0) setTimeout(serve, delay, request, text, response)
    else serve(request, text, response)
  })
})
// Keep-alive for as long as the bench lasts: a connection that is closed under a request would be a fault of the bench.
server.keepAliveTimeout = 600_000

function serve({ method = 'GET', url = '', headers }: IncomingMessage, text: string, response: ServerResponse): void {
  const { status, body, text: raw, headers: answered } = answerTo(method, url, text, headers['content-type'])
  const json = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', ...answered }).end(raw ?? json)
}

function answerTo(method: string, url: string, text: string, contentType = ''): Answer {
  if (url.startsWith('/_delay/')) {
    delay = Number(url.slice('/_delay/'.length))
    return { status: 200, body: {} }
  }
  if (url === '/_rows') return { status: 200, body: Object.fromEntries(rows) }
  if (url.endsWith('/$batch')) return answerToMany(text, contentType)
  const rowId = /contacts\(([^)]*)\)/.exec(url)?.[1]
  if (rowId !== undefined && method === 'GET')
    return { status: 200, body: { fullname: 'Ada Berg', emailaddress1: `${rowId}@example.org` } }
  const body = text === '' ? {} : JSON.parse(text)
  if (rowId !== undefined) {
    const held = of(rowId)
    if (body.dvs_masterdataid === null) held.cleared += 1
    else held.stored += 1
    return { status: 204 }
  }
  if (url.endsWith('/retire')) {
    const id = decodeURIComponent(url.split('/').at(-2) ?? '')
    of(id).retired += 1
    process.send?.({ ended: id })
    return { status: 200, body: {} }
  }
  if (url === '/customers') {
    const isRefused = body.rowId.startsWith('f')
    if (isRefused) return { status: 422, body: { error: { code: 'EMAIL_MISSING' } } }
    of(body.rowId).customers += 1
    process.send?.({ ended: body.rowId })
    return { status: 201, body: { number: 'C-1' } }
  }
  of(body.rowId).registered += 1
  return { status: 201, body: { id: body.rowId } }
}

/** Writes to Dataverse that waited for their turn. */
function answerToMany(text: string, contentType: string): Answer {
  const outer = { method: 'POST', path: [], body: text, headers: { 'content-type': contentType } }
  const asked = requestsIn({ ...outer, url: new URL('http://localhost') })
  return answerWith(asked.map(({ method, url, body }) => answerTo(method, url.pathname, JSON.stringify(body ?? {}))))
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 })
})
process.once('disconnect', () => process.exit(0))
