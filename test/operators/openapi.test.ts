// The description of the HTTP API is valid OpenAPI, and complete.

import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { openApiOf } from '../../src/operators/openapi.js'
import { routes } from '../../src/operators/routes.js'

describe('openapi.json', () => {
  const document = JSON.parse(JSON.stringify(openApiOf(routes)))

  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()

    expect(await validator.validate(document)).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  it('describes every route under its name', () => {
    const operations = Object.values<object>(document.paths).flatMap((path) => Object.values(path))

    expect(new Set(operations.map(({ operationId }) => operationId))).toEqual(new Set(Object.keys(routes)))
  })

  it('names every document that it refers to', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
      ([, id]) => id,
    )

    expect(references.length).toBeGreaterThan(10)
    expect(references.filter((id) => !Object.hasOwn(document.components.schemas, id ?? ''))).toEqual([])
  })
})
