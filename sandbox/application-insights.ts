// A pretend Application Insights: takes what its SDKs send, keeps the latest of it on disk, and shows the trace of one saga: GET /traces/{instance id}.
//
// What a saga's instance and its trace have in common is the id of the saga's span: 16 hexadecimal digits of SHA-256 over ["saga","<instance id>"].

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { readBytes } from './partner-server.js'
import { tracePage } from './trace-page.js'

/** Bytes in one file, and files; the oldest goes when there would be more. */
const largestFile = 4 * 1024 * 1024
const mostFiles = 4
const largestBody = 16 * 1024 * 1024

/** As much of an item as traces are made of; everything else is kept as it came. */
const item = z.looseObject({
  time: z.string(),
  tags: z.record(z.string(), z.unknown()).optional(),
  data: z.looseObject({
    baseType: z.string(),
    baseData: z.looseObject({
      id: z.string().optional(),
      name: z.string().optional(),
      duration: z.string().optional(),
      success: z.boolean().optional(),
      target: z.string().optional(),
      resultCode: z.string().optional(),
      properties: z.record(z.string(), z.string()).optional(),
    }),
  }),
})

export interface Span {
  readonly id: string
  readonly parent?: string
  readonly name: string
  readonly kind: 'request' | 'dependency'
  /** ISO 8601 in UTC. */
  readonly startedAt: string
  readonly durationMs: number
  readonly isSuccess: boolean
  /** Who was called, and the status of the answer. */
  readonly target?: string
  readonly status?: string
  readonly attributes: Readonly<Record<string, string>>
}

interface Kept extends Pick<Span, 'id' | 'parent' | 'startedAt'> {
  readonly trace: string
  readonly told: Span
}

interface File {
  readonly path: string
  readonly spans: Kept[]
  size: number
}

/** The items that were sent, in files, and their spans by trace. */
export class Captured {
  readonly #folder: string
  readonly #files: File[]
  readonly #traces = new Map<string, Map<string, Kept>>()
  /** The trace that a span, or the parent of one, is in. */
  readonly #traceOf = new Map<string, string>()

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    const names = readdirSync(folder).filter((name) => /^\d{8}\.jsonl$/.test(name))
    this.#files = names.toSorted().map((name) => {
      const path = join(folder, name)
      const lines = readFileSync(path, 'utf8').split('\n')
      return { path, size: statSync(path).size, spans: lines.flatMap((line) => spansOf(parsed(line))) }
    })
    this.#index()
  }

  take(items: readonly unknown[]): void {
    const file = this.#current()
    const text = items.map((one) => `${JSON.stringify(one)}\n`).join('')
    appendFileSync(file.path, text)
    file.size += Buffer.byteLength(text)
    for (const span of items.flatMap(spansOf)) {
      file.spans.push(span)
      this.#add(span)
    }
  }

  /** The spans of one saga, what brought it, and nothing of other sagas in its trace; in the order in which they began. */
  traceOf(instance: string): { readonly trace: string; readonly spans: readonly Span[] } | undefined {
    const saga = createHash('sha256')
      .update(JSON.stringify(['saga', instance]))
      .digest('hex')
      .slice(0, 16)
    const trace = this.#traceOf.get(saga)
    const all = trace === undefined ? undefined : this.#traces.get(trace)
    if (trace === undefined || !all) return undefined
    const found = new Set<Kept>()
    for (let span = all.get(saga); span && !found.has(span); span = all.get(span.parent ?? '')) found.add(span)
    // Its own span comes when it has ended; until then nothing says which message brought it, but that it is one of the trace.
    if (found.size === 0) for (const span of all.values()) if (span.told.kind === 'request') found.add(span)
    const below = new Set([saga])
    for (let before = 0; before < below.size; ) {
      before = below.size
      for (const span of all.values())
        if (below.has(span.parent ?? '')) {
          below.add(span.id)
          found.add(span)
        }
    }
    const spans = [...found].toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0))
    return { trace, spans: spans.map(({ told }) => told) }
  }

  #current(): File {
    const last = this.#files.at(-1)
    if (last && last.size < largestFile) return last
    const number = last ? Number(/(\d{8})\.jsonl$/.exec(last.path)?.[1]) + 1 : 1
    const file = { path: join(this.#folder, `${String(number).padStart(8, '0')}.jsonl`), size: 0, spans: [] }
    this.#files.push(file)
    if (this.#files.length > mostFiles) {
      for (const { path } of this.#files.splice(0, this.#files.length - mostFiles)) rmSync(path, { force: true })
      this.#index()
    }
    return file
  }

  #index(): void {
    this.#traces.clear()
    this.#traceOf.clear()
    for (const { spans } of this.#files) spans.forEach((span) => this.#add(span))
  }

  /** What is told twice under one id is one. */
  #add(span: Kept): void {
    const trace = this.#traces.get(span.trace) ?? new Map<string, Kept>()
    this.#traces.set(span.trace, trace.set(span.id, span))
    this.#traceOf.set(span.id, span.trace)
    if (span.parent !== undefined) this.#traceOf.set(span.parent, span.trace)
  }
}

function spansOf(value: unknown): Kept[] {
  const { data: read } = item.safeParse(value)
  if (!read) return []
  const { time, tags = {}, data } = read
  const { id, name = '', duration = '', success = true, target, resultCode, properties = {} } = data.baseData
  if (id === undefined || !/^(RequestData|RemoteDependencyData)$/.test(data.baseType)) return []
  const parent = tags['ai.operation.parentId']
  const isCall = target !== undefined
  const told: Span = {
    id,
    ...(typeof parent === 'string' && { parent }),
    name,
    kind: data.baseType === 'RequestData' ? 'request' : 'dependency',
    startedAt: new Date(time).toISOString(),
    durationMs: millisecondsOf(duration),
    isSuccess: success,
    ...(isCall && { target }),
    ...(isCall && resultCode !== undefined && { status: resultCode }),
    attributes: properties,
  }
  return [{ ...told, trace: String(tags['ai.operation.id']), told }]
}

/** Of `days.hours:minutes:seconds.fraction`. */
function millisecondsOf(span: string): number {
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)\.)?(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(span) ?? []
  return Math.round((((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000)
}

export async function startApplicationInsights(port: number, folder: string): Promise<{ readonly url: string }> {
  const captured = new Captured(folder)
  const server = createServer((request, response) => {
    serve(captured, request, response).catch((error: unknown) => answer(response, 400, { message: String(error) }))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}` }
}

async function serve(captured: Captured, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  const [, first, second = ''] = pathname.split('/')
  if (request.method === 'POST' && /^\/v2(\.1)?\/track$/.test(pathname)) {
    const items = itemsIn(await bodyOf(request))
    captured.take(items)
    return answer(response, 200, { itemsReceived: items.length, itemsAccepted: items.length, errors: [] })
  }
  if (request.method === 'GET' && first === 'traces') {
    // The operators' page is of another port of this machine.
    const origin = request.headers.origin ?? ''
    if (/^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?$/.test(origin))
      response.setHeader('access-control-allow-origin', origin)
    const instance = decodeURIComponent(second)
    const trace = captured.traceOf(instance)
    if (trace && (request.headers.accept ?? '').includes('text/html')) {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      return void response.end(tracePage(instance, trace.trace, trace.spans))
    }
    return trace ? answer(response, 200, trace) : answer(response, 404, { message: 'Nothing was told of it.' })
  }
  answer(response, 404, { message: 'There are POST /v2.1/track and GET /traces/{instance id}.' })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const bytes = await readBytes(request, largestBody)
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8')
}

/** A JSON array, as the SDK for Node sends it, or one item in a line, as others do. */
function itemsIn(text: string): readonly unknown[] {
  if (text.trimStart().startsWith('[')) return z.array(z.unknown()).parse(JSON.parse(text))
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line)]))
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
