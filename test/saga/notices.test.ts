// What others are told of a saga's life, and what they are never told.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { names } from '../../src/names.js'
import { sagaOrchestrator } from '../../src/orchestrators/saga.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import { type Notice, noticesOf } from '../../src/saga/notices.js'
import { anEvent } from '../../testkit/event.js'
import { runOrchestration } from '../../testkit/durable.js'
import { simulate } from '../../testkit/simulate.js'
import { Partners, runs } from './random-saga.js'
import { applied, aSaga, by, deferred, inDoubt, refused, tell, threeSteps } from './three-steps.js'

/** All that is told over a life, each once. */
function toldOf(...story: Parameters<typeof tell>): Notice[] {
  const news = tell(...story).states.flatMap((state) => noticesOf(story[0], state))
  return [...new Map(news.map((notice) => [notice.id, notice])).values()]
}
const inShort = ({ kind, phase, steps }: Notice) =>
  [kind, phase, ...steps.map(({ step, code }) => [step, code].filter(Boolean).join(' '))].join(', ')

describe('notices', () => {
  it.each([
    ['completes', toldOf(threeSteps(), {}), ['completed, completed']],
    ['is compensated', toldOf(threeSteps(), { c: [refused] }), ['compensated, compensated']],
    [
      'is held, cancelled, owed and written off',
      toldOf(threeSteps({ keys: 'ignored' }), { b: [{ kind: 'inDoubt', reason: 'HTTP 502 for Ann' }] }, [
        { kind: 'cancel', ...by },
        { kind: 'writeOff', step: 'b', ...by },
      ]),
      ['held, held, b', 'owed, held, b', 'owed, indebted, b'],
    ],
    [
      'is held for what HTTP said',
      toldOf(threeSteps({ keys: 'ignored' }), { b: [{ kind: 'inDoubt', reason: 'HTTP 502 for ANN_BERG' }] }),
      ['held, held, b HTTP 502'],
    ],
    [
      'is held for an error of ours',
      toldOf(threeSteps({ keys: 'ignored' }), { b: [{ kind: 'inDoubt', reason: 'VALUE_TOO_LARGE: ANN_BERG' }] }),
      ['held, held, b VALUE_TOO_LARGE'],
    ],
  ])('of a saga that %s tell that, each news under one id', (_, told, expected) => {
    expect(told.map(inShort)).toEqual(expected)
    expect(new Set(told.map(({ id }) => id)).size).toBe(told.length)
  })

  it('tell of a debt as long as it is one', () => {
    const saga = aSaga([[{ name: 'a' }, { name: 'b' }], [{ name: 'c' }]])
    const { states } = tell(saga, { c: [refused], 'undo a': [refused], 'undo b': [deferred, deferred, applied] })
    const owed = states.map((state) => noticesOf(saga, state).find(({ kind }) => kind === 'owed'))
    const steps = owed.flatMap((notice) => (notice ? [notice.steps.map(({ step }) => step)] : []))

    expect(steps).toContainEqual(['a', 'b'])
    expect(steps.at(-1)).toEqual(['a'])
  })

  it('tell that a person has put a saga on hold, and not who or why', () => {
    const [state] = tell(threeSteps(), { b: [deferred] }).states
    if (!state) throw new Error('there is no state')
    const at = '2026-01-01T01:00:00.000Z'

    const [notice] = noticesOf(threeSteps(), { ...state, held: { ...by, by: 'Ann', at } })

    expect(notice).toEqual({
      id: `${state.instance}:held:${Date.parse(at).toString(36)}`,
      kind: 'held',
      at,
      saga: 'test',
      version: 1,
      instance: state.instance,
      table: 'contact',
      rowId: state.event.rowId,
      phase: 'held',
      steps: [],
    })
  })

  it('have the same id whenever they are read, and another when it happens again', () => {
    const saga = threeSteps({ keys: 'ignored' })
    const { states } = tell(saga, { b: [inDoubt, inDoubt, applied] }, [
      { kind: 'retry', ...by },
      { kind: 'retry', ...by },
    ])
    const held = states.flatMap((state) => noticesOf(saga, state).filter(({ kind }) => kind === 'held'))

    expect(held.length).toBeGreaterThanOrEqual(2)
    expect(states.map((state) => noticesOf(saga, JSON.parse(JSON.stringify(state))))).toEqual(
      states.map((state) => noticesOf(saga, state)),
    )
  })

  it('quote nobody: no row, no partner and no person, whatever happens', () => {
    const canary = 'ANN_CANARY'
    const quoting = (outcome: ReturnType<Partners['answer']>) =>
      outcome.kind === 'applied'
        ? { ...outcome, output: canary }
        : { ...outcome, reason: `HTTP 422 ${canary}: ${canary} is not welcome` }
    let told = 0
    fc.assert(
      fc.property(runs, ({ saga, script, lied }) => {
        const partners = new Partners(script, lied)
        const { states } = simulate(saga, anEvent(), {
          answers: (ask) => quoting(partners.answer(saga, ask)),
          words: [{ kind: 'cancel', actor: canary, reason: canary }],
        })
        const news = states.flatMap((state) => noticesOf(saga, state))
        told += news.length
        expect(JSON.stringify(news)).not.toContain(canary)
        for (const { id } of news) expect(id).toMatch(/^[\w:~-]{1,128}$/)
      }),
      { numRuns: 200 },
    )
    expect(told).toBeGreaterThan(100)
  })
})

describe('an orchestration', () => {
  const event = anEvent()
  const saga = aSaga([[{ name: 'a' }]])
  const orchestrator = sagaOrchestrator(() => saga)
  const run = (more: object) => {
    const posted: unknown[] = []
    const activities = {
      [names.askPartner]: () => applied,
      [names.postNotices]: (news: unknown) => posted.push(news) > 0,
    }
    const input = { saga: saga.name, version: 1, event, ...more }
    return runOrchestration(orchestrator, { input, instanceId: instanceIdOf(saga.name, event), activities }).then(
      ({ history, status }) => ({ posted, status, tasks: history.filter(({ EventType }) => EventType === 4).length }),
    )
  }

  it('hands its notices on when they were wanted at its start, and otherwise has not an activity more for them', async () => {
    const without = await run({})
    const wanted = await run({ notices: true })

    expect(without).toEqual({ status: 'completed', posted: [], tasks: 1 })
    expect(wanted).toMatchObject({ status: 'completed', posted: [[{ kind: 'completed' }]], tasks: 2 })
  })
})
