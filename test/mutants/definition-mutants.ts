// Ways to write a wrong saga: what the compiler would refuse, forced past it, and what it can't see.

import { z } from 'zod'
import type { AnyAction } from '../../src/saga/action.js'
import type { Saga, Step } from '../../src/saga/define.js'
import { relentless } from '../../src/saga/policy.js'
import type { Script } from '../../testkit/partners.js'
import { anAction, aSaga, thrice } from '../saga/three-steps.js'

export interface DefinitionMutant {
  readonly what: string
  readonly saga: () => Saga
  readonly answers: Script
}

/** Two good steps, of which the second is spoilt. */
const spoilt = (what: string, spoil: (step: Step) => Partial<Step>): DefinitionMutant => ({
  what,
  answers: {},
  saga: () => {
    const sound = aSaga([[{ name: 'a' }], [{ name: 'b' }], [{ name: 'c' }]])
    return { ...sound, steps: sound.steps.map((step) => (step.name === 'b' ? { ...step, ...spoil(step) } : step)) }
  },
})

const withAction = (what: string, change: (action: AnyAction) => Partial<AnyAction>): DefinitionMutant =>
  spoilt(what, ({ action }) => ({ action: { ...action, ...change(action) } }))

const whole = (what: string, saga: () => Saga): DefinitionMutant => ({ what, saga, answers: {} })

const request = (path: string) => ({ method: 'POST', path }) as const
let count = 0
const counted = () => (count += 1)

export const definitionMutants: readonly DefinitionMutant[] = [
  withAction('the undo is missing', () => ({ undoable: false })),
  withAction('a reason without words', () => ({ undoable: false, irreversible: '' })),
  withAction('less than one attempt', () => ({ retry: { ...thrice, maxNumberOfAttempts: 0 } })),
  withAction('retries without a wait', () => ({ retry: { ...thrice, firstRetryIntervalInMilliseconds: 0 } })),
  withAction('waits that shrink', () => ({ retry: { ...thrice, backoffCoefficient: 0.5 } })),
  withAction('a longest wait below the first', () => ({ retry: { ...thrice, maxRetryIntervalInMilliseconds: 1 } })),
  withAction('an undo that is never tried', () => ({ undoRetry: { ...thrice, maxNumberOfAttempts: 0 } })),
  withAction('an answer that is late before it is asked for', () => ({ answeredWithin: 0 })),
  withAction('a request with the time in it', () => ({ requestFor: () => request(`/${Date.now()}`) })),
  withAction('a request with chance in it', () => ({ requestFor: () => request(`/${Math.random()}`) })),
  withAction('a request with a fresh id in it', () => ({ requestFor: () => request(`/${crypto.randomUUID()}`) })),
  withAction('a request that counts', () => ({ requestFor: () => request(`/${counted()}`) })),
  withAction('a request that can not be made', () => ({
    requestFor: (input) => z.object({ id: z.string() }).parse(input) && request('/'),
  })),
  withAction('an undo with the time in it', () => ({ undoRequestFor: () => request(`/${new Date().toISOString()}`) })),
  withAction('an undo that counts', () => ({ undoRequestFor: () => request(`/${counted()}`) })),
  withAction('an undo that can not be made', () => ({
    undoRequestFor: (done) => z.object({ output: z.object({ id: z.string() }) }).parse(done) && request('/'),
  })),
  withAction('an undo in doubt that is promised and not there', ({ undoRequestFor }) => ({
    undoableInDoubt: true,
    undoRequestFor: (done) => {
      if ('key' in done) throw new Error('not written')
      return undoRequestFor(done)
    },
  })),
  withAction('a probe that is promised and not there', () => ({ probed: true, keys: 'ignored' })),
  spoilt('a mapping with the time in it', () => ({ inputFor: () => Date.now() })),
  spoilt('a mapping with chance in it', () => ({ inputFor: () => Math.random() })),
  spoilt('a mapping with a fresh id in it', () => ({ inputFor: () => crypto.randomUUID() })),
  spoilt('a mapping that counts', () => ({ inputFor: counted })),
  spoilt('a mapping that changes the event', () => ({
    inputFor: ({ event }) => Object.assign(event, { table: 'account' }).table,
  })),
  spoilt('a condition that tosses a coin', () => ({ when: () => Math.random() < 2 })),
  spoilt('a condition that counts', () => ({ when: () => counted() % 2 === 0 })),
  spoilt('a name that is two', () => ({ name: 'b:undo' })),
  spoilt('the name of another step', () => ({ name: 'a' })),
  spoilt('a time limit that is over at once', () => ({ timeout: 0 })),
  spoilt('a refusal that is held for no time', () => ({ holdRefusalFor: -1 })),
  spoilt('a stage that is left out', () => ({ stage: 7 })),
  spoilt('a stage that came before', () => ({ stage: 0.5 })),
  spoilt('a snapshot in the middle', () => ({ kind: 'snapshot' })),
  spoilt('a pivot before steps that give up', () => ({ kind: 'pivot' })),
  whole('two pivots', () =>
    aSaga([
      [{ name: 'a', kind: 'pivot', shape: { retry: relentless } }],
      [{ name: 'b', kind: 'pivot', shape: { retry: relentless } }],
    ]),
  ),
  whole('a pivot in a block', () => aSaga([[{ name: 'a', kind: 'pivot' }, { name: 'b' }]])),
  whole('no step at all', () => aSaga([])),
  whole('a deadline before the start', () => aSaga([[{ name: 'a' }]], { deadline: -1 })),
  whole('a key of its own for every attempt', () => {
    const action = anAction('partner')
    return aSaga([
      [
        {
          name: 'a',
          action: {
            ...action,
            requestFor: () => ({ ...request('/'), headers: { 'idempotency-key': `${counted()}` } }),
          },
        },
      ],
    ])
  }),
]
