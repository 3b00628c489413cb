// GET /api/sagas and GET /api/sagas/{id}: what every saga did, does and waits for.

import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { getClient } from 'durable-functions'
import { SagaError } from '../saga/errors.js'
import { isInstanceId } from '../saga/ids.js'
import type { InstanceQuery } from '../task-hub.js'
import { json } from './http-answer.js'
import { findInstance, listInstances } from './instances.js'

const largestPage = 500
const usualPage = 50

/** Query parameters: `limit` (1 to 500), `prefix` of the id, `since` (start time, ISO 8601), `token` (`next` of the page before). */
export async function listSagas(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  return json(await listInstances(getClient(context), readPageQuery(request.query)))
}

export async function tellSaga(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const id = request.params['id'] ?? ''
  const status = isInstanceId(id) ? await findInstance(getClient(context), id) : undefined
  if (!status) throw SagaError.of('INSTANCE_UNKNOWN', { id: id.slice(0, 100) })
  return json(status)
}

/** @throws SagaError `QUERY_MALFORMED` */
export function readPageQuery(query: URLSearchParams): InstanceQuery {
  const prefix = query.get('prefix')
  const since = query.get('since')
  const token = query.get('token')
  return {
    limit: readLimit(query.get('limit')),
    ...(prefix ? { prefix } : {}),
    ...(since ? { since: readTime(since) } : {}),
    ...(token ? { token } : {}),
  }
}

function readLimit(text: string | null): number {
  if (text === null) return usualPage
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= largestPage) return limit
  throw SagaError.of('QUERY_MALFORMED', { parameter: 'limit', expected: `a number from 1 to ${largestPage}` })
}

function readTime(text: string): string {
  const ms = Date.parse(text)
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  throw SagaError.of('QUERY_MALFORMED', {
    parameter: 'since',
    expected: 'a time in ISO 8601 such as 2026-01-31T08:00:00Z',
  })
}
