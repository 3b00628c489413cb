// What all HTTP endpoints answer with: JSON, and for errors the problem details of RFC 9457 with a stable code.

import type { HttpResponseInit } from '@azure/functions'
import { eventStream } from '../operators/event-stream.js'
import { type ErrorCode, SagaError } from '../saga/errors.js'

/** The codes that callers can cause, and their HTTP statuses. */
const statuses: Partial<Record<ErrorCode, number>> = {
  EVENT_NOT_JSON: 400,
  EVENT_NOT_XML: 400,
  EVENT_NOT_BINARY_XML: 400,
  EVENT_NOT_A_CONTEXT: 400,
  EVENT_CUT: 400,
  EVENT_TOO_LARGE: 413,
  QUERY_MALFORMED: 400,
  BODY_MALFORMED: 400,
  CALLER_UNKNOWN: 401,
  ROLE_MISSING: 403,
  INSTANCE_UNKNOWN: 404,
  HISTORY_PARTED: 409,
  SAGA_UNKNOWN: 409,
  BULK_UNKNOWN: 404,
  DEAD_LETTER_UNKNOWN: 404,
  CALLBACK_UNKNOWN: 404,
  CALLBACK_MALFORMED: 400,
  CALLBACK_LATE: 410,
  COMMAND_ILLEGAL: 409,
  COMMAND_MALFORMED: 400,
}

/** Answers change at any time, and may hold what only this caller may see. */
const notStored = { 'cache-control': 'no-store' }

export function json(body: unknown, status = 200): HttpResponseInit {
  return { status, jsonBody: body, headers: notStored }
}

/** As server-sent events, one by one as they come. */
export function streamed(name: string, items: AsyncIterable<unknown>): HttpResponseInit {
  // Some proxies hold answers back until they are whole, unless they are told not to.
  const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no', ...notStored }
  return { body: eventStream(name, items), headers }
}

/** What the caller did not cause is an error of ours: the log has it, the caller only learns that it happened. */
export function problemOf(error: unknown, log: (what: string, error: unknown) => void): HttpResponseInit {
  const status = error instanceof SagaError ? statuses[error.code] : undefined
  if (error instanceof SagaError && status !== undefined) return problem(status, error)
  log('A request has failed', error)
  return problem(500, SagaError.of('UNEXPECTED', undefined))
}

function problem(status: number, { code, what, remedy }: SagaError): HttpResponseInit {
  return {
    status,
    body: JSON.stringify({ type: `urn:dataverse-saga:error:${code}`, code, status, title: what, detail: remedy }),
    headers: { 'content-type': 'application/problem+json', ...notStored },
  }
}
