// Those who may not see values see the same documents without them.

import { assert, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { masked, maskedPreview } from '../../src/operators/masked.js'
import { withoutTexts, withoutValues } from '../../src/saga/masking.js'

describe('a document', () => {
  it('keeps its form, its ids and its times', () => {
    const rowId = '00000000-0000-4000-8000-000000000001'
    const call = {
      step: 'register',
      at: '2026-01-01T00:00:00Z',
      input: { rowId, name: 'Ada', tags: ['a', 1], gone: null, isVip: true },
      output: 'MD-1',
      reason: "HTTP 409 TAKEN: 'Ada' is known",
    }

    expect(masked({ calls: [call] })).toEqual({
      calls: [
        {
          ...call,
          input: { rowId, name: '•••', tags: ['•••', '•••'], gone: null, isVip: '•••' },
          output: '•••',
          reason: 'HTTP 409 TAKEN: ••• is known',
        },
      ],
    })
  })
})

describe('a preview', () => {
  it.each([
    ['/people?email=ada.berg%40example.org&name=Ada+Berg', '/people?email=•••&name=•••'],
    ['/people/MD-000017/retire?reason=50%25', '/people/MD-000017/retire?reason=50%25'],
    ['/broken%', '/broken%'],
  ])('shows no value in the path of a request: %s', (path, shown) => {
    const call = { partner: 'p', action: 'a', step: 's', what: 'do', method: 'GET', path } as const
    const preview = {
      allowed: true,
      calls: [call],
      becomesIrreversible: [],
      phaseAfter: 'completed',
      plan: [],
    } as const
    const values = [{ email: 'ada.berg@example.org', name: 'Ada Berg', key: 'MD-000017' }]

    expect(maskedPreview(preview, values).calls).toEqual([{ ...call, path: shown }])
  })
})

describe('the words of a partner', () => {
  it.each([
    ["The contact 'Ada Berg' has no e-mail", 'The contact ••• has no e-mail'],
    ['A "customer" of “that” name, „Berg“ or «Berg», is `known`', 'A ••• of ••• name, ••• or •••, is •••'],
    ["It can't be done, the partner's clock isn't right", "It can't be done, the partner's clock isn't right"],
    ["Cut in 'the mid", 'Cut in •••'],
    ["Name 'O'Brien' is taken", 'Name ••• is taken'],
    ['Write to ada.berg@example.org, or call +49 30 123456-7.', 'Write to •••, or call •••.'],
    ['HTTP 422 EMAIL_MISSING', 'HTTP 422 EMAIL_MISSING'],
  ])('%s', (said, told) => {
    expect(withoutValues(said)).toBe(told)
  })
})

describe('a reason', () => {
  const asked = {
    rowId: '00000000-0000-4000-8000-000000000001',
    name: 'Ada Berg',
    note: 'a (b) c*',
    characters: 'x-y ^$\\.+?{}|[/]#&~ z',
    key: 'MD-000017',
    vip: true,
    tags: ['VIP', 'no'],
  }

  it.each([
    ['HTTP 409 TAKEN: Ada Berg is known, ADA BERG too', 'HTTP 409 TAKEN: ••• is known, ••• too'],
    ['HTTP 409 TAKEN: Ada Bergmann is known', 'HTTP 409 TAKEN: Ada Bergmann is known'],
    [`HTTP 404: MD-000017 of ${asked.rowId} is gone`, `HTTP 404: MD-000017 of ${asked.rowId} is gone`],
    ['HTTP 400: a (b) c*, vip, no', 'HTTP 400: •••, •••, no'],
    [`HTTP 400: ${asked.characters} twice: X-Y`, 'HTTP 400: ••• twice: X-Y'],
  ])('loses the texts of its request, and keeps keys: %s', (said, told) => {
    expect(withoutTexts(said, asked)).toBe(told)
  })

  it('loses any text, whatever signs it is made of', () => {
    const text = string({ unit: 'grapheme', minLength: 3 }).filter((one) => !/[a-z]/i.test(one) || !/\d/.test(one))

    assert(
      property(text, (name) => {
        expect(withoutTexts(`TAKEN: (${name})`, { name })).toContain('•••')
      }),
    )
    expect(withoutTexts('TAKEN: Anna-Lena/Berg', { name: 'Anna-Lena/Berg' })).toBe('TAKEN: •••')
  })
})
