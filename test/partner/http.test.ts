// One request over a real connection, with partners that behave badly.

import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { Agent, type Dispatcher, getGlobalDispatcher } from 'undici'
import type { PartnerRequest } from '../../src/saga/action.js'
import { readRetryAfter, send as sendTo } from '../../src/partner/http.js'

let server: Server | undefined
afterEach(() => server?.close())

const send = (address: string, asked: PartnerRequest, headers: Record<string, string>, answerWithin = 5_000) =>
  sendTo({ address, dispatcher: getGlobalDispatcher(), answerWithin, largestAnswer: 1_000_000 }, asked, headers)

async function partner(listener: RequestListener): Promise<string> {
  const listening = createServer(listener)
  server = listening
  await new Promise<void>((resolve) => void listening.listen(0, '127.0.0.1', resolve))
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}

describe('a request', () => {
  it('carries method, path, JSON body and headers, and brings back status and parsed body', async () => {
    const url = await partner((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const { method, url: path, headers } = request
        const told = { method, path, key: headers['idempotency-key'], body: Buffer.concat(parts).toString() }
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(told))
      })
    })

    const reply = await send(url, { method: 'POST', path: '/things', body: { a: 1 } }, { 'idempotency-key': 'k' })

    expect(reply).toEqual({ status: 201, body: { method: 'POST', path: '/things', key: 'k', body: '{"a":1}' } })
  })

  it('brings back text that is no JSON as text, and no body as undefined', async () => {
    const url = await partner((request, response) => response.end(request.url === '/text' ? 'hello' : undefined))

    expect(await send(url, { method: 'GET', path: '/text' }, {})).toMatchObject({ body: 'hello' })
    expect(await send(url, { method: 'GET', path: '/' }, {})).toEqual({ status: 200, body: undefined })
  })

  it('brings back how long to wait', async () => {
    const url = await partner((_, response) => response.writeHead(429, { 'retry-after': '7' }).end())

    expect(await send(url, { method: 'GET', path: '/' }, {})).toMatchObject({ status: 429, retryAfterMs: 7_000 })
  })

  it('does not follow a redirect', async () => {
    const url = await partner((_, response) => response.writeHead(302, { location: '/elsewhere' }).end())

    expect(await send(url, { method: 'GET', path: '/' }, {})).toMatchObject({ status: 302 })
  })

  it('that nobody listens to was not sent', async () => {
    const url = await partner(() => undefined)
    server?.close()

    expect(await send(url, { method: 'GET', path: '/' }, {})).toMatchObject({ sent: false })
  })

  it('that could not begin in time was not sent, and will not be', async () => {
    const handlers: Dispatcher.DispatchHandler[] = []
    const busy: Pick<Dispatcher, 'dispatch'> = { dispatch: (_, handler) => handlers.push(handler) > 0 }
    const dispatcher = Object.assign(new Agent(), busy)
    const connection = { address: 'http://127.0.0.1:9', dispatcher, answerWithin: 20, largestAnswer: 1_000 }

    const reply = await sendTo(connection, { method: 'POST', path: '/', body: {} }, {})
    const aborted: unknown[] = []
    const controller = { aborted: false, paused: false, reason: null, pause() {}, resume() {} }
    handlers[0]?.onRequestStart?.({ ...controller, abort: (reason) => void aborted.push(reason.message) }, {})

    expect(reply).toEqual({ failed: 'no whole answer within 20 ms', sent: false })
    expect(aborted).toEqual(['no whole answer within 20 ms'])
  })

  it('whose connection is cut before the answer was sent', async () => {
    const url = await partner((request) => request.socket.destroy())

    expect(await send(url, { method: 'POST', path: '/', body: {} }, {})).toMatchObject({ sent: true })
  })

  it('whose answer is cut, or endless, was sent', async () => {
    const url = await partner((request, response) => {
      response
        .writeHead(200, { 'content-length': '5000000' })
        .write(Buffer.alloc(request.url === '/big' ? 2_000_000 : 10))
      if (request.url !== '/big') request.socket.destroySoon()
    })

    expect(await send(url, { method: 'POST', path: '/cut', body: {} }, {})).toMatchObject({ sent: true })
    expect(await send(url, { method: 'POST', path: '/big', body: {} }, {})).toEqual({
      failed: 'the answer has more than 1000000 bytes',
      sent: true,
    })
  })

  it('that is answered drop by drop, or never, was sent', async () => {
    const url = await partner((request, response) => {
      if (request.url === '/never') return
      response.writeHead(200)
      const drip = setInterval(() => response.write('x'), 20)
      response.on('close', () => clearInterval(drip))
    })

    const late = { failed: 'no whole answer within 200 ms', sent: true }
    expect(await send(url, { method: 'POST', path: '/never' }, {}, 200)).toEqual(late)
    expect(await send(url, { method: 'POST', path: '/drip' }, {}, 200)).toEqual(late)
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0)

  it.each([
    ['120', 120_000],
    [' 3 ', 3_000],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['0x10', undefined],
    ['5 seconds', undefined],
    [undefined, undefined],
  ])('of %j means %j milliseconds', (header, ms) => {
    expect(readRetryAfter(header, now)).toBe(ms)
  })
})
