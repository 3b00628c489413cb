// How long a saga waits between two attempts.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FinitePolicy, waitAfter } from '../../src/saga/policy.js'

const doubling: FinitePolicy = {
  firstRetryIntervalInMilliseconds: 1_000,
  maxNumberOfAttempts: 10,
  backoffCoefficient: 2,
  maxRetryIntervalInMilliseconds: 60_000,
}

describe('the wait after a failed attempt', () => {
  it('lies between half and the whole of an interval that grows up to the longest', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (seed, attempts) => {
        const interval = Math.min(1_000 * 2 ** (attempts - 1), 60_000)

        const wait = waitAfter(doubling, attempts, seed)

        expect(wait).toBeGreaterThanOrEqual(interval / 2)
        expect(wait).toBeLessThanOrEqual(interval)
      }),
    )
  })

  it('is the same in every replay and differs between instances', () => {
    const waits = ['one', 'two', 'three', 'four'].map((seed) => waitAfter(doubling, 3, seed))

    expect(['one', 'two', 'three', 'four'].map((seed) => waitAfter(doubling, 3, seed))).toEqual(waits)
    expect(new Set(waits).size).toBe(4)
  })

  it('is what the partner asked for when that is longer, but never longer than the longest interval', () => {
    expect(waitAfter(doubling, 1, 'seed', 20_000)).toBe(20_000)
    expect(waitAfter(doubling, 1, 'seed', 86_400_000)).toBe(60_000)
  })

  it('does not grow without a coefficient', () => {
    const steady: FinitePolicy = { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts: 10 }

    expect(waitAfter(steady, 9, 'seed')).toBeLessThanOrEqual(1_000)
  })
})
