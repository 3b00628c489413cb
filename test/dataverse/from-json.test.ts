// JSON as it is read off a message: with every digit of its numbers.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJson } from '../../src/dataverse/from-json.js'

describe('JSON', () => {
  it('keeps the digits of its numbers', () => {
    expect(readJson('{"a":12345678901234567890,"b":[-0.10,1E+400,0],"c":-7}')).toEqual({
      a: { kind: 'number', text: '12345678901234567890' },
      b: ['-0.10', '1E+400', '0'].map((text) => ({ kind: 'number', text })),
      c: { kind: 'number', text: '-7' },
    })
  })

  it('leaves texts alone, whatever stands in them', () => {
    const texts = ['5', '-1.5e3', '"12"', '\\', '\\"7', '{"a":1}', 'é\u2028\n', '[[[']
    expect(readJson(JSON.stringify({ '3': texts }))).toEqual({ '3': texts })
  })

  it('is read as the platform reads it, but for its numbers', () => {
    const numberToText = (_: string, value: unknown) =>
      typeof value === 'number' ? { kind: 'number', text: JSON.stringify(value) } : value
    fc.assert(
      fc.property(fc.json(), (text) => {
        // What is encoded twice is decoded twice.
        if (/^"\s*\{/.test(text)) return
        expect(readJson(text)).toEqual(JSON.parse(JSON.stringify(JSON.parse(text), numberToText)))
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    '{"a":01}',
    '{"a":-}',
    '{"a":1.}',
    '{"a":.5}',
    '{"a":1 2}',
    '{"a":"1}',
    '{"a":"\\"}',
    '"',
    '1e',
    '--1',
    '[1,]',
  ])('%s can not be parsed', (text) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError)
    expect(() => readJson(text)).toThrow('it can not be parsed')
  })
})
