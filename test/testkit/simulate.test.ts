// The simulator as an author of sagas meets it: what it tells, and what it says to a test that does not fit.

import { anEvent, applied, deferred, inDoubt, refused, simulate } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineAction } from '../../src/saga/action.js'
import { defineSaga } from '../../src/saga/define.js'

const reserve = defineAction('shop', 'reserve', {
  input: z.object({ item: z.string() }),
  output: z.object({ number: z.number() }),
  keys: 'honoured',
  retry: {
    firstRetryIntervalInMilliseconds: 86_400_000,
    maxNumberOfAttempts: 30,
    maxRetryIntervalInMilliseconds: 604_800_000,
  },
  request: ({ item }) => ({ method: 'POST', path: `/items/${item}/reservations` }),
  undo: { request: ({ output }) => ({ method: 'DELETE', path: `/reservations/${output.number}` }) },
})
const bill = defineAction('bank', 'bill', {
  input: z.object({ reservation: z.number() }),
  output: z.unknown(),
  keys: 'honoured',
  request: (body) => ({ method: 'POST', path: '/bills', body }),
  undo: { request: ({ input }) => ({ method: 'DELETE', path: `/bills/${input.reservation}` }) },
})
const on = { table: 'contact', message: 'Create' }
const renting = defineSaga('renting', { version: 1, on })
  .step('reserve', reserve, ({ event }) => ({ item: event.table }))
  .step('bill', bill, ({ outputs }) => ({ reservation: outputs.reserve.number }))
  .end()

describe('a simulated saga', () => {
  it('tells its calls with the requests that partners get, its waits, and its end', () => {
    const { phase, calls, undo, waits, took } = simulate(renting, anEvent(), {
      answers: { reserve: [deferred('busy', 5_000), applied({ number: 7 })], bill: refused('no credit') },
    })

    expect(phase).toBe('compensated')
    expect(calls.map(({ what, step, attempt, request }) => [what, step, attempt, request?.path])).toEqual([
      ['do', 'reserve', 1, '/items/contact/reservations'],
      ['do', 'reserve', 2, '/items/contact/reservations'],
      ['do', 'bill', 1, '/bills'],
      ['undo', 'reserve', 1, '/reservations/7'],
    ])
    expect(undo).toHaveLength(1)
    expect(waits).toEqual([{ at: 0, until: took, why: 'busy' }])
  })

  it('runs through weeks of retries in no time', () => {
    const busy = Array.from({ length: 29 }, () => deferred('busy'))

    const { phase, took } = simulate(renting, anEvent(), { answers: { reserve: [...busy, applied({ number: 7 })] } })

    expect(phase).toBe('completed')
    expect(took).toBeGreaterThan(14 * 86_400_000)
  })

  it('has a timeline for people', () => {
    const { timeline } = simulate(renting, anEvent(), {
      answers: { reserve: applied({ number: 7 }), bill: [inDoubt('no answer'), refused('no credit')] },
    })

    expect(timeline).toMatch(
      new RegExp(
        [
          'renting',
          ' +\\+0 s  reserve → applied {"number":7}',
          ' +\\+0 s  bill → in doubt: no answer',
          ' +\\+0 s  waits 0\\.\\d+ s: no answer',
          ' +\\+0\\.\\d+ s  bill #2 → refused: no credit',
          ' +\\+0\\.\\d+ s  undo reserve → applied',
          ' +\\+0\\.\\d+ s  compensated$',
        ].join('\n'),
      ),
    )
  })

  it('hears what people and partners say while it waits for them', () => {
    const held = { answers: { reserve: applied({ number: 7 }), bill: inDoubt() } }
    const by = { actor: 'ops', reason: 'looked into the bank' }

    const { phase, status } = simulate(renting, anEvent(), {
      ...held,
      words: [{ kind: 'supply', step: 'bill', output: 'B', ...by }],
    })

    expect(phase).toBe('completed')
    expect(status.log).toMatchObject([{ command: 'supply', step: 'bill', actor: 'ops' }])
  })
})

describe('a test that does not fit is told so', () => {
  it('when it answers a step that is not there', () => {
    expect(() => simulate(renting, anEvent(), { answers: { resrve: refused() } })).toThrow(
      "Saga 'renting' has no step 'resrve'; it has 'reserve', 'bill'.",
    )
  })

  it('when a step must bring something, with step, attempt and time', () => {
    const forgetful = { answers: { reserve: [deferred('busy', 5_000), applied()] } }

    expect(() => simulate(renting, anEvent(), forgetful)).toThrow(
      /Saga 'renting', 'reserve #2' at \+\d+ h \d+ min: what 'reserve' brings is not what action 'shop\.reserve' declares.*\nSay in the answers what it brings: \{ 'reserve': applied\(\{ \.\.\. \}\) \}/,
    )
  })

  it.each([
    ['Date.now()', () => `${Date.now()}`],
    ['new Date()', () => new Date().toISOString()],
    ['Math.random()', () => `${Math.random()}`],
    ['crypto.randomUUID()', () => crypto.randomUUID()],
  ])('when a mapping asks for %s, with the step', (what, item) => {
    const impure = defineSaga('impure', { version: 1, on })
      .step('reserve', reserve, () => ({ item: item() }))
      .end()

    expect(() => simulate(impure, anEvent())).toThrow(
      `Saga 'impure', when it began, beginning 'reserve': a mapping asked for ${what}.`,
    )
  })

  it('when a mapping remembers, or changes what it is given', () => {
    let count = 0
    const remembering = defineSaga('remembering', { version: 1, on })
      .step('reserve', reserve, () => ({ item: `${(count += 1)}` }))
      .end()
    const changing = defineSaga('changing', { version: 1, on })
      .step('reserve', reserve, ({ event }) => ({ item: Object.assign(event, { table: 'account' }).table }))
      .end()

    expect(() => simulate(remembering, anEvent())).toThrow('the same facts gave two different results')
    expect(() => simulate(changing, anEvent())).toThrow('Cannot assign to read only property')
  })
})
