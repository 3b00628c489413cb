// Exploration: everything that ships holds, wrong definitions are found with the shortest schedule, and the same is found again.

import { anEvent, applied, ExplorationError, explore, follow } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import type { Saga } from '../../src/saga/define.js'
import { relentless } from '../../src/saga/policy.js'
import { anAction, aSaga, broughtAtOnce, threeSteps, twice } from '../saga/three-steps.js'

const onboarding = {
  snapshot: applied({ fullname: 'Astrid Lindqvist', emailaddress1: null }),
  register: applied({ id: 'MD-000001' }),
  'create-customer': applied({ number: 'C-17' }),
}

function found(run: () => unknown): ExplorationError {
  try {
    run()
  } catch (error) {
    if (error instanceof ExplorationError) return error
    throw error
  }
  throw new Error('Nothing was found.')
}

describe('exploring', () => {
  it('a saga that ships finds nothing, up to two things going wrong and in 1,000 samples beyond', {
    timeout: 120_000,
  }, () => {
    const { text, ends } = explore(contactOnboarding, anEvent(), { answers: onboarding, depth: 2, samples: 1_000 })

    process.stdout.write(`${text}\n`)
    expect(Object.keys(ends).toSorted()).toEqual(['cancelled', 'compensated', 'completed', 'held'])
  })

  it.each<[string, Saga]>([
    ['keys ignored', threeSteps({ keys: 'ignored' })],
    ['a probe', threeSteps({ keys: 'ignored', probed: true })],
    ['an undo of what is in doubt', threeSteps({ keys: 'ignored', back: 'undoableInDoubt' })],
    [
      'what can not be undone',
      aSaga([[{ name: 'a' }], [{ name: 'mail', shape: { back: 'irreversible' } }], [{ name: 'c' }]]),
    ],
    ['a later answer', aSaga([[{ name: 'a' }], [{ name: 'b', shape: { answeredWithin: 60_000 } }], [{ name: 'c' }]])],
    [
      'an answer at once or later',
      aSaga([
        [{ name: 'a' }],
        [{ name: 'b', shape: { answeredWithin: 60_000, mayAnswerAtOnce: true } }],
        [{ name: 'c' }],
      ]),
    ],
    [
      'a later answer from one that ignores keys',
      aSaga([[{ name: 'a' }], [{ name: 'b', shape: { answeredWithin: 60_000, keys: 'ignored' } }]]),
    ],
    [
      'a pivot',
      aSaga([[{ name: 'a' }], [{ name: 'p', kind: 'pivot' }], [{ name: 'z', shape: { retry: relentless } }]]),
    ],
    ['a block', aSaga([[{ name: 'a' }], [{ name: 'b1' }, { name: 'b2', shape: { retry: twice } }], [{ name: 'c' }]])],
    ['a step left out', aSaga([[{ name: 'a', when: () => false }], [{ name: 'b' }]])],
    [
      'time limits',
      aSaga([[{ name: 'a' }], [{ name: 'b', holdRefusalFor: 60_000 }], [{ name: 'c', timeout: 3_000 }]], {
        deadline: 600_000,
      }),
    ],
  ])('a saga with %s finds nothing', { timeout: 60_000 }, (_, saga) => {
    const { schedules } = explore(saga, anEvent(), { answers: broughtAtOnce(saga), depth: 2, samples: 200 })

    expect(schedules).toBeGreaterThan(100)
  })

  it('five steps at depth 2 is a matter of seconds, and says how much it tried', () => {
    const five = aSaga(['a', 'b', 'c', 'd', 'e'].map((name) => [{ name }]))

    const { text, schedules, states } = explore(five, anEvent(), { depth: 2 })

    process.stdout.write(`${text}\n`)
    expect(schedules).toBeGreaterThan(1_000)
    expect(states).toBeGreaterThan(schedules)
  })

  it('gives the same report every time', () => {
    const options = { answers: onboarding, depth: 1, samples: 50, seed: 7 }

    expect(explore(contactOnboarding, anEvent(), options)).toEqual(explore(contactOnboarding, anEvent(), options))
  })

  it('tells what nobody can promise: a worker that dies in the middle of a call', () => {
    expect(explore(threeSteps({ keys: 'ignored' }), anEvent(), { depth: 1 }).risks).toEqual([
      'a: if the worker dies in the call, partner-a does it twice, for it ignores keys',
      'b: if the worker dies in the call, partner-b does it twice, for it ignores keys',
      'c: if the worker dies in the call, partner-c does it twice, for it ignores keys',
    ])
  })
})

describe('what is found', () => {
  /** Steps a and b, of which the second has this author's own promise broken. */
  const saga = threeSteps()
  const invariants = {
    'c never without b': ({ held }: { held: readonly string[] }) => !held.includes('c') || held.includes('b'),
  }
  const skipping = { invariants, depth: 3 }

  it('is the shortest schedule, with its timeline and a test to paste', () => {
    const error = found(() => explore(saga, anEvent(), skipping))

    expect(error.invariant).toBe('c never without b')
    expect(error.schedule).toEqual(['b #1: deferred', 'wait 0: skip b'])
    expect(error.message).toContain(
      "Saga 'test' breaks 'c never without b': It does not hold when the saga is completed",
    )
    expect(error.message).toContain('+0 s  b #1: deferred\n')
    expect(error.message).toContain(
      `it('c never without b', () => {\n  follow(test, event, options, ["b #1: deferred","wait 0: skip b"])\n})`,
    )
  })

  it('is found again by the test that was pasted, until it is mended', () => {
    const schedule = ['b #1: deferred', 'wait 0: skip b']

    expect(found(() => follow(saga, anEvent(), { invariants }, schedule)).invariant).toBe('c never without b')
    expect(follow(saga, anEvent(), {}, schedule)).toContain('completed')
  })

  it('is no mystery when a schedule does not come to pass any more', () => {
    expect(() => follow(saga, anEvent(), {}, ['d #1: refused'])).toThrow("'d #1: refused' did not come to pass:")
  })

  it('by samples comes with its schedule too', () => {
    const error = found(() => explore(saga, anEvent(), { invariants, depth: 0, samples: 2_000 }))

    expect(found(() => follow(saga, anEvent(), { invariants }, error.schedule)).invariant).toBe('c never without b')
  })
})

describe('wrong definitions', () => {
  it.each<[string, Saga, string]>([
    ['a step without undo', threeSteps({ back: 'none' }), 'a definition makes sense'],
    [
      'a pivot too early for what follows',
      aSaga([[{ name: 'p', kind: 'pivot' }], [{ name: 'b' }]]),
      'a definition makes sense',
    ],
    ['two steps of one name', aSaga([[{ name: 'a' }], [{ name: 'a' }]]), 'a definition makes sense'],
    ['a mapping with a clock', aSaga([[{ name: 'a', inputFor: () => Date.now() }]]), 'mappings are pure functions'],
    [
      'a request with chance in it',
      aSaga([
        [
          {
            name: 'a',
            action: {
              ...anAction('a'),
              requestFor: () => ({ method: 'POST', path: `/${Math.random()}` }),
            },
          },
        ],
      ]),
      'one key, one request',
    ],
    [
      'an undo that can not be made',
      aSaga([[{ name: 'a', action: { ...anAction('a'), undoRequestFor: () => JSON.parse('{') } }], [{ name: 'b' }]]),
      'every request can be made',
    ],
  ])('%s is found', (_, saga, invariant) => {
    expect(found(() => explore(saga, anEvent())).invariant).toBe(invariant)
  })
})
