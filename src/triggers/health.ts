// GET /api/health: whether this app can do its work. Anonymous, so it says nothing but that.

import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { getClient } from 'durable-functions'
import { json } from './http-answer.js'
import { listInstances } from './instances.js'

/** 200 if instances can be read, else 503. */
export async function tellHealth(_: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  try {
    await listInstances(getClient(context), { limit: 1 })
    return json({ status: 'healthy', taskHub: 'reachable' })
  } catch (error) {
    context.error('The task hub can not be read', error)
    return json({ status: 'unhealthy', taskHub: 'not reachable' }, 503)
  }
}
