// GET /api/sagas and GET /api/sagas/{id}: what every saga did, does and waits for.

import type { Routes } from '../operators/routes.js'
import { instanceOf, listInstances } from './instances.js'
import type { Handler } from './serve.js'

export const listSagas: Handler<Routes['listSagas']> = async ({ query: { limit, prefix, since, token } }, { client }) =>
  listInstances(client, {
    limit,
    ...(prefix !== undefined && { prefix }),
    ...(since !== undefined && { since }),
    ...(token !== undefined && { token }),
  })

export const tellSaga: Handler<Routes['tellSaga']> = async ({ params: { id } }, { client }) => instanceOf(client, id)
