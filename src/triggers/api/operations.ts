// GET /api/operations: what operators did.

import { readOperations } from '../../operators/operations/log.js'
import type { Routes } from '../../operators/routes.js'
import type { Handler } from '../serve.js'

export const listOperations: Handler<Routes['listOperations']> = async ({ query }, { client }) =>
  readOperations(client, query)
