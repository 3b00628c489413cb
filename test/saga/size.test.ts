// How much a saga may carry, told without writing its JSON.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSize, fitsIn, sizeOf } from '../../src/saga/size.js'

describe('what fits', () => {
  it('is what has at most so many characters of JSON', () => {
    const anything = fc.anything({
      withDate: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    })
    fc.assert(
      fc.property(anything, fc.integer({ min: -3, max: 3 }), (value, more) => {
        const size = sizeOf(value)

        expect(fitsIn(size + more, value)).toBe(more >= 0)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['\u0000\u0001'],
    ['\ud800'],
    [{ '"\\\n': '"\\\n' }],
    [-1.2345678901234567e-308],
    [[undefined, Number.NaN]],
  ])('counts what is written longer than it is: %j', (value) => {
    expect(fitsIn(sizeOf(value), value)).toBe(true)
    expect(fitsIn(sizeOf(value) - 1, value)).toBe(false)
  })

  it('leaves to JSON to say what it can not write', () => {
    const circle: { itself?: unknown } = {}
    circle.itself = circle

    expect(() => checkSize('input', circle)).toThrow(/circular/)
    expect(() => checkSize('input', { big: 1n })).toThrow(/BigInt/)
  })
})
