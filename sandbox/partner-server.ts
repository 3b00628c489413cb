// What all pretend partners have in common: an HTTP server with faults, a ledger to look at, and errors in JSON.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { answerWith, isBatch, requestsIn } from './batch.js'
import { type Fault, Faults, type Lots } from './faults.js'
import type { LaterAnswers } from './later.js'
import type { Ledger } from './ledger.js'

export interface Asked {
  readonly method: string
  readonly url: URL
  /** Decoded segments. */
  readonly path: readonly string[]
  /** Undefined when there is none. */
  readonly body: unknown
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

export interface Answer {
  readonly status: number
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, instead of a body. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface PartnerServer {
  readonly url: string
  close(): Promise<void>
}

/** Says no with a status and words of the partner's own. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly answer: Answer

  constructor(status: number, code: string, message: string) {
    super(message)
    this.answer = { status, body: { error: { code, message } } }
  }
}

const largestBody = 1024 * 1024

export async function startPartner(options: {
  readonly port: number
  readonly ledger: Ledger
  readonly answer: (asked: Asked) => Answer
  readonly later: LaterAnswers
}): Promise<PartnerServer> {
  const { port, ledger, answer, later } = options
  const faults = new Faults()
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal(400, 'BadRequest', String(error))
      if (!response.headersSent) send(response, refusal.answer)
    })
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = (await readBytes(request)).toString('utf8')
    const asked = readAsked(request, text)
    if (asked.path[0] === '_ledger') return send(response, tellLedger(asked, ledger))
    if (asked.path[0] === '_faults') return send(response, switchFaults(asked, faults))
    const answered = await meet(asked, text, new Map())
    if (answered) send(response, answered)
    else request.socket.destroy()
  }

  /** Undefined when the connection is to be cut. */
  async function meet(asked: Asked, text: string, lots: Lots): Promise<Answer | undefined> {
    const place = `${asked.url.pathname}${decodeURIComponent(asked.url.search)}`
    // What stands in a batch is met by itself.
    const fault = faults.meet(asked.method, place, isBatch(asked) ? '' : text, lots)
    if (fault && 'delayMs' in fault) await setTimeout(fault.delayMs)
    if (fault && 'status' in fault) return failureOf(fault)
    if (fault && 'drop' in fault && fault.drop === 'before') return undefined
    const answered = isBatch(asked) ? await meetEach(requestsIn(asked), lots) : answerOrRefuse(asked)
    if (fault && 'later' in fault && answered && later.canAnswer(asked)) {
      void later.answer(asked, answered, fault)
      return { status: 202 }
    }
    if (fault && 'drop' in fault) return undefined
    return fault && 'garbage' in fault ? { status: 200, text: '<html>' } : answered
  }

  async function meetEach(requests: readonly Asked[], lots: Lots): Promise<Answer | undefined> {
    const answers: (Answer | undefined)[] = []
    for (const one of requests) answers.push(await meet(one, JSON.stringify(one.body ?? null), lots))
    const told = answers.filter((answered) => answered !== undefined)
    return told.length === answers.length ? answerWith(told) : undefined
  }

  function answerOrRefuse(asked: Asked): Answer {
    try {
      return answer(asked)
    } catch (error) {
      if (error instanceof Refusal) return error.answer
      throw error
    }
  }

  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}

function failureOf({ status, retryAfter, code = `Fault${status}` }: Extract<Fault['do'], { status: number }>): Answer {
  return {
    status,
    body: { error: { code, message: 'A fault that was switched on.' } },
    ...(retryAfter === undefined ? {} : { headers: { 'retry-after': String(retryAfter) } }),
  }
}

function tellLedger({ method }: Asked, ledger: Ledger): Answer {
  if (method === 'DELETE') ledger.clear()
  return { status: 200, body: { entries: ledger.entries } }
}

function switchFaults({ method, body }: Asked, faults: Faults): Answer {
  if (method === 'PUT' || method === 'DELETE') faults.clear()
  if (method === 'PUT' || method === 'POST') faults.add(body)
  return { status: 200, body: faults.left }
}

/** @throws Refusal when there are more bytes than `largest` */
export async function readBytes(request: IncomingMessage, largest = largestBody): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue
    size += part.length
    if (size > largest) throw new Refusal(413, 'TooLarge', `The body has more than ${largest} bytes.`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function readAsked(request: IncomingMessage, text: string): Asked {
  const url = new URL(request.url ?? '/', 'http://localhost')
  return {
    method: request.method ?? 'GET',
    url,
    path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
    body: parseBody(text, request.headers['content-type']),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
  }
}

function parseBody(text: string, type = ''): unknown {
  if (text === '') return undefined
  if (type.startsWith('multipart/')) return text
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(400, 'NotJson', 'The body is not JSON.')
  }
}

function send(response: ServerResponse, { status, body, text, headers }: Answer): void {
  response.writeHead(status, { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers })
  response.end(body === undefined ? text : JSON.stringify(body))
}
