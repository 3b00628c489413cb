// The description of the HTTP API, made of the table of routes: OpenAPI 3.1.

import { z } from 'zod'
import type { Route } from './route.js'
import { documents } from './schemas/named.js'
import { problem } from './schemas/problem.js'

export type OpenApi = Readonly<Record<string, unknown>> & { readonly openapi: string }

export function openApiOf(routes: Readonly<Record<string, Route>>): OpenApi {
  const paths: Record<string, Record<string, object>> = {}
  for (const [name, route] of Object.entries(routes))
    (paths[`/${route.path}`] ??= {})[route.method.toLowerCase()] = operationOf(name, route)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Dataverse Saga',
      version: '1',
      description: 'What sagas did, do and wait for, and what people may say to them.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api' }],
    paths,
    components: {
      schemas: componentsOf(),
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'x-functions-key' },
        entra: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  }
}

function operationOf(name: string, route: Route): object {
  const { access, summary, body, statuses = [200], streams } = route
  const answer = {
    description: summary,
    content: { [streams === undefined ? 'application/json' : 'text/event-stream']: { schema: schemaOf(route) } },
  }
  const error = {
    description: 'What went wrong, and what to do.',
    content: { 'application/problem+json': { schema: referenceTo(problem) } },
  }
  return {
    operationId: name,
    summary,
    ...(access === 'anonymous' || access === 'key' ? {} : { description: `Needs the role ${access}.` }),
    security: access === 'anonymous' ? [] : access === 'key' ? [{ key: [] }] : [{ key: [] }, { entra: [] }],
    parameters: [...parametersOf(route, 'path'), ...parametersOf(route, 'query')],
    ...(body && {
      requestBody: {
        required: body !== 'bytes',
        content: body === 'bytes' ? { '*/*': {} } : { 'application/json': { schema: referenceTo(body) } },
      },
    }),
    responses: { ...Object.fromEntries(statuses.map((status) => [status, answer])), default: error },
  }
}

/** A stream is text; what each of its events holds is said beside. */
function schemaOf({ answer, streams }: Route): object {
  return streams === undefined
    ? referenceTo(answer)
    : {
        type: 'string',
        description: `Events '${streams}', each with this as its data.`,
        'x-event': referenceTo(answer),
      }
}

function parametersOf({ params, query }: Route, place: 'path' | 'query'): object[] {
  const shape: Readonly<Record<string, z.ZodType>> = (place === 'path' ? params : query)?.shape ?? {}
  return Object.entries(shape).map(([name, schema]) => {
    const { $schema: _, description, ...json } = z.toJSONSchema(schema, { io: 'input' })
    return { name, in: place, required: place === 'path', ...(description && { description }), schema: json }
  })
}

function referenceTo(schema: z.ZodType): object {
  const { id } = documents.get(schema) ?? {}
  if (id === undefined) throw new Error('A document of the HTTP API has no name.')
  return { $ref: `#/components/schemas/${id}` }
}

function componentsOf(): object {
  const { schemas } = z.toJSONSchema(documents, { io: 'input', uri: (id) => `#/components/schemas/${id}` })
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema]),
  )
}
