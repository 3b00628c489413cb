// GET /api/health: whether this app can do its work. Anonymous, so it says nothing but that.

import { Reply } from '../../operators/route.js'
import type { Routes } from '../../operators/routes.js'
import { listInstances } from '../instances.js'
import type { Handler } from '../serve.js'

/** 200 if instances can be read, else 503. */
export const tellHealth: Handler<Routes['tellHealth']> = async (_, { client, log }) => {
  try {
    await listInstances(client, { limit: 1 })
    return { status: 'healthy', taskHub: 'reachable' }
  } catch (error) {
    log(`The task hub can not be read: ${String(error)}`)
    return new Reply(503, { status: 'unhealthy', taskHub: 'not reachable' })
  }
}
