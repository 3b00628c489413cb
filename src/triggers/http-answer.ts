// What all HTTP endpoints answer with: JSON, and for errors the problem details of RFC 9457 with a stable code.

import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { type ErrorCode, SagaError } from '../saga/errors.js'

type Handler = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>

/** The codes that callers can cause, and their HTTP statuses. */
const statuses: Partial<Record<ErrorCode, number>> = {
  EVENT_NOT_JSON: 400,
  EVENT_NOT_XML: 400,
  EVENT_NOT_BINARY_XML: 400,
  EVENT_NOT_A_CONTEXT: 400,
  EVENT_CUT: 400,
  EVENT_TOO_LARGE: 413,
  QUERY_MALFORMED: 400,
  INSTANCE_UNKNOWN: 404,
  HISTORY_PARTED: 409,
  CALLBACK_UNKNOWN: 404,
  CALLBACK_MALFORMED: 400,
  CALLBACK_LATE: 410,
  COMMAND_ILLEGAL: 409,
  COMMAND_MALFORMED: 400,
}

export function json(body: unknown, status = 200): HttpResponseInit {
  return { status, jsonBody: body, headers: { 'cache-control': 'no-store' } }
}

/** Turns an error that the caller caused into a problem document; any other is the host's to log and to answer with 500. */
export function answering(handle: Handler): Handler {
  return async (request, context) => {
    try {
      return await handle(request, context)
    } catch (error) {
      const status = error instanceof SagaError ? statuses[error.code] : undefined
      if (!(error instanceof SagaError) || status === undefined) throw error
      return problem(status, error)
    }
  }
}

function problem(status: number, { code, what, remedy }: SagaError): HttpResponseInit {
  return {
    status,
    body: JSON.stringify({ type: `urn:dataverse-saga:error:${code}`, code, status, title: what, detail: remedy }),
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  }
}
