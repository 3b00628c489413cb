// What lists may be asked for, and what is said to a question that makes no sense.

import { describe, expect, it } from 'vitest'
import { bulkBody } from '../../src/operators/schemas/acts.js'
import { sagaQuery } from '../../src/operators/schemas/filter.js'

const read = (query: string) => sagaQuery.safeParse(Object.fromEntries(new URLSearchParams(query)))

describe('the query of a list', () => {
  it('may say nothing at all', () => {
    expect(read('').data).toEqual({ limit: 50 })
  })

  it('may say how many, which, since when, and where to go on', () => {
    expect(
      read('limit=500&prefix=contact-onboarding:contact:&since=2026-01-31T08:00:00%2B02:00&token=abc').data,
    ).toEqual({
      limit: 500,
      prefix: 'contact-onboarding:contact:',
      since: '2026-01-31T06:00:00.000Z',
      token: 'abc',
    })
  })

  it.each([
    ['held,compensating', ['held', 'compensating']],
    ['open', ['pending', 'running', 'waiting', 'held', 'compensating']],
    ['indebted,open', ['pending', 'running', 'waiting', 'held', 'compensating', 'indebted']],
  ])('may name phases: %s', (phase, expected) => {
    expect(read(`phase=${phase}`).data?.phase).toEqual(expected)
  })

  it.each([
    'limit=0',
    'limit=501',
    'limit=ten',
    'limit=',
    'limit=1.5',
    'since=yesterday',
    'phase=lost',
    'phase=',
    'text=',
    'token=',
  ])('%s is refused, by name', (query) => {
    const issue = read(query).error?.issues[0]

    expect(issue?.path).toEqual([query.split('=')[0]])
    expect(issue?.message).not.toMatch(/yesterday|lost/)
  })
})

describe('the filter of a bulk command', () => {
  const readBulk = (filter: object) =>
    bulkBody.safeParse({ command: 'cancel', actor: 'ops', reason: 'because', filter: { phase: 'held', ...filter } })

  it('may say which', () => {
    expect(readBulk({ partner: 'erp' }).success).toBe(true)
  })

  it.each([{ rowID: 'c0ffee00-0000-4000-8000-000000000001' }, { partners: 'erp' }])(
    'with a member that nobody knows is refused, not widened: %j',
    (typo) => {
      expect(readBulk(typo).success).toBe(false)
    },
  )
})
