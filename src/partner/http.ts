// One request to one partner, once. Trying again is the saga's business.
//
// Never: follows a redirect, retries, or reads an answer that is too long.

import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { PartnerRequest } from '../saga/action.js'
import type { Reply } from './classify.js'

export interface Connection {
  readonly address: string
  readonly dispatcher: Dispatcher
  /** Milliseconds from the request to the end of the answer. */
  readonly answerWithin: number
  /** Bytes. */
  readonly largestAnswer: number
}

/** @param headers what is sent besides what the request itself asks for. */
export function send(
  { address, dispatcher, answerWithin, largestAnswer }: Connection,
  asked: PartnerRequest,
  headers: Record<string, string>,
): Promise<Reply> {
  return new Promise((resolve) => {
    const call = new Call(answerWithin, largestAnswer, resolve)
    try {
      const { origin, pathname, search } = new URL(`${address}${asked.path}`)
      dispatcher.dispatch(
        {
          origin,
          path: pathname + search,
          method: asked.method,
          headers: {
            accept: 'application/json',
            ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
            ...asked.headers,
          },
          ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
          ...(asked.text === undefined ? {} : { body: asked.text }),
        },
        call,
      )
    } catch (error) {
      call.fail(error)
    }
  })
}

/** What undici tells of one request. Its promises and streams would cost a partner's call half as much again. */
class Call implements Dispatcher.DispatchHandler {
  readonly #largest: number
  readonly #resolve: (reply: Reply) => void
  readonly #deadline: NodeJS.Timeout
  /** There from the moment in which the request may have been sent. */
  #controller: Dispatcher.DispatchController | undefined
  #failure: Error | undefined
  #status = 0
  #retryAfterMs: number | undefined
  readonly #parts: Buffer[] = []
  #size = 0

  constructor(answerWithin: number, largest: number, resolve: (reply: Reply) => void) {
    this.#largest = largest
    this.#resolve = resolve
    this.#deadline = setTimeout(() => this.#abort(`no whole answer within ${answerWithin} ms`), answerWithin)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Nobody waits for it any more.
    if (this.#failure) controller.abort(this.#failure)
    else this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#retryAfterMs = readRetryAfter(headers['retry-after'], Date.now())
  }

  onResponseData(_: Dispatcher.DispatchController, part: Buffer): void {
    this.#size += part.length
    this.#parts.push(part)
    if (this.#size > this.#largest) this.#abort(`the answer has more than ${this.#largest} bytes`)
  }

  onResponseEnd(): void {
    clearTimeout(this.#deadline)
    this.#resolve({
      status: this.#status,
      body: bodyIn(this.#parts),
      ...(this.#retryAfterMs === undefined ? {} : { retryAfterMs: this.#retryAfterMs }),
    })
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  fail(error: unknown): void {
    clearTimeout(this.#deadline)
    this.#resolve({ failed: wordsOf(error), sent: this.#controller !== undefined })
  }

  #abort(why: string): void {
    this.#failure = new Error(why)
    this.#controller?.abort(this.#failure)
    this.fail(this.#failure)
  }
}

/** Retry-After in seconds or as an HTTP date (RFC 9110 §10.2.3); milliseconds from `now`, or undefined if it says nothing readable. */
export function readRetryAfter(header: string | string[] | undefined, now: number): number | undefined {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined) return undefined
  if (/^\d+$/.test(text.trim())) return Number(text) * 1_000
  // A number that is no count of seconds would be taken for a year.
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

function bodyIn(parts: readonly Buffer[]): unknown {
  const text = Buffer.concat(parts).toString('utf8')
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON is handed on as text: whether that matters is for the action's reader to say.
    return text
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message || codeOf(error) : String(error)
}
