// GET /api/me and GET /api/openapi.json: who asks, and what may be asked.

import { openApiOf } from '../../operators/openapi.js'
import { type Routes, routes } from '../../operators/routes.js'
import type { Handler } from '../serve.js'

export const tellMe: Handler<Routes['tellMe']> = async ({ caller: { actor, role = 'Reader', isIdentified } }) => ({
  actor,
  role,
  isIdentified,
})

export const tellOpenApi: Handler<Routes['tellOpenApi']> = async () => openApiOf(routes)
