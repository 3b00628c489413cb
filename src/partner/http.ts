// One request to one partner, once. Trying again is the saga's business.
//
// Never: follows a redirect, retries, or reads an answer that is too long.

import { EventEmitter } from 'node:events'
import { type Dispatcher, errors, request } from 'undici'
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
export async function send(
  { address, dispatcher, answerWithin, largestAnswer }: Connection,
  asked: PartnerRequest,
  headers: Record<string, string>,
): Promise<Reply> {
  // Undici takes either: an AbortSignal with a time-out costs several times as much, and lives until its time has come.
  const impatience = new EventEmitter()
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    impatience.emit('abort')
  }, answerWithin)
  try {
    const {
      statusCode,
      headers: answered,
      body,
    } = await request(`${address}${asked.path}`, {
      dispatcher,
      method: asked.method,
      headers: {
        accept: 'application/json',
        ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...asked.headers,
      },
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
      ...(asked.text === undefined ? {} : { body: asked.text }),
      signal: impatience,
    })
    const retryAfterMs = readRetryAfter(answered['retry-after'], Date.now())
    return {
      status: statusCode,
      body: await readBody(body, largestAnswer),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    }
  } catch (error) {
    const failed = isLate ? `no whole answer within ${answerWithin} ms` : wordsOf(error)
    return { failed, sent: !isBeforeSending(error) }
  } finally {
    clearTimeout(deadline)
  }
}

/** Retry-After in seconds or as an HTTP date (RFC 9110 §10.2.3); milliseconds from `now`, or undefined if it says nothing readable. */
export function readRetryAfter(header: string | string[] | undefined, now: number): number | undefined {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined) return undefined
  if (/^\d+$/.test(text.trim())) return Number(text) * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

async function readBody(stream: AsyncIterable<Buffer>, largest: number): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of stream) {
    size += part.length
    if (size > largest) throw new Error(`the answer has more than ${largest} bytes`)
    parts.push(part)
  }
  const text = Buffer.concat(parts).toString('utf8')
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON is handed on as text: whether that matters is for the action's reader to say.
    return text
  }
}

const codesBeforeSending = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // What can't stand in a request, such as a key with a line feed at its end.
  'UND_ERR_INVALID_ARG',
])

function isBeforeSending(error: unknown): boolean {
  return error instanceof errors.ConnectTimeoutError || codesBeforeSending.has(codeOf(error))
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message || codeOf(error) : String(error)
}
