// The documents of the HTTP API by their names: under these they stand in openapi.json.

import { z } from 'zod'

export const documents = z.registry<{ id?: string }>()

export function named<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  documents.add(schema, { id })
  return schema
}
