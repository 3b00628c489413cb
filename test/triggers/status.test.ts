// What may be asked of the list of sagas.

import { describe, expect, it } from 'vitest'
import { readPageQuery } from '../../src/triggers/status.js'

const read = (query: string) => readPageQuery(new URLSearchParams(query))

describe('the query of a page', () => {
  it('may say nothing at all', () => {
    expect(read('')).toEqual({ limit: 50 })
  })

  it('may say how many, which, since when, and where to go on', () => {
    expect(read('limit=500&prefix=contact-onboarding:contact:&since=2026-01-31T08:00:00%2B02:00&token=abc')).toEqual({
      limit: 500,
      prefix: 'contact-onboarding:contact:',
      since: '2026-01-31T06:00:00.000Z',
      token: 'abc',
    })
  })

  it.each(['limit=0', 'limit=501', 'limit=ten', 'limit=', 'since=yesterday'])('%s is refused, by name', (query) => {
    const parameter = query.split('=')[0]

    expect(() => read(query)).toThrow(
      expect.objectContaining({
        code: 'QUERY_MALFORMED',
        message: expect.stringContaining(`Query parameter '${parameter}' is not`),
      }),
    )
  })
})
