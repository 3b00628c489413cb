// Random sagas with random partners and random people: whatever happens, the invariants of src/saga/machine.ts hold.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instanceIdOf } from '../../src/saga/ids.js'
import { begin, turn } from '../../src/saga/machine.js'
import { nextOf } from '../../src/saga/next.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { isOver } from '../../src/saga/phase.js'
import { mostAttempts } from '../../src/saga/policy.js'
import { anEvent, beginning } from '../../testkit/event.js'
import { play, type Run, runs } from './random-saga.js'

/** Checks 2,000 runs; says at least in how many of them the question came up at all. */
const always = (check: (run: Run, played: ReturnType<typeof play>) => boolean | undefined) => {
  let asked = 0
  fc.assert(
    fc.property(runs, (run) => {
      const holds = check(run, play(run))
      if (holds !== undefined) asked += 1
      return holds !== false
    }),
    { numRuns: 2_000 },
  )
  return asked
}

describe('whatever happens', () => {
  it('nothing is held by a partner after compensated or cancelled, but what a person vouched for', () => {
    const asked = always((_, { status, partners }) => {
      if (status.phase !== 'compensated' && status.phase !== 'cancelled') return undefined
      const vouchedFor = new Set(status.log.map(({ step }) => step))
      return partners.held.every((step) => vouchedFor.has(step))
    })

    expect(asked).toBeGreaterThan(100)
  })

  it('a completed saga’s steps are all applied or skipped', () => {
    const asked = always((_, { status }) =>
      status.phase === 'completed'
        ? status.steps.every(({ outcome }) => outcome === 'applied' || outcome === 'skipped')
        : undefined,
    )

    expect(asked).toBeGreaterThan(100)
  })

  it('undoing runs in the reverse order of the stages, each step at most once, and nothing is asked forward after it began', () => {
    const asked = always(({ saga }, { partners: { calls } }) => {
      const firstUndo = calls.findIndex(({ ask }) => ask.what === 'undo')
      if (firstUndo < 0) return undefined
      const back = calls.slice(firstUndo)
      const stages = back.map(({ ask }) => saga.steps.find(({ name }) => name === ask.step)?.stage ?? -1)
      const undone = back.filter(({ outcome }) => outcome.kind === 'applied').map(({ ask }) => ask.step)
      return (
        back.every(({ ask }) => ask.what === 'undo') &&
        stages.join() === stages.toSorted((a, b) => b - a).join() &&
        new Set(undone).size === undone.length
      )
    })

    expect(asked).toBeGreaterThan(100)
  })

  it('one key always stands for one input', () => {
    const asked = always((_, { partners: { calls } }) => {
      const inputs = new Map<string, string>()
      return calls.every(({ ask }) => {
        if (ask.what !== 'do') return true
        const input = JSON.stringify(ask.input)
        const before = inputs.get(ask.key) ?? input
        inputs.set(ask.key, input)
        return before === input
      })
    })

    expect(asked).toBe(2_000)
  })

  it('nobody is asked more often than the policy allows, or after a refusal, unless a person said so', () => {
    const asked = always(({ saga }, { partners: { calls }, status }) => {
      if (status.log.length > 0) return undefined
      return saga.steps.every(({ name, action }) => {
        const isTried = (outcome: Outcome) => outcome.kind !== 'deferred' || !outcome.parked
        const own = calls.filter(({ ask, outcome }) => ask.step === name && ask.what !== 'undo' && isTried(outcome))
        const isRefused = own.slice(0, -1).some(({ ask, outcome }) => ask.what === 'do' && outcome.kind === 'refused')
        return own.length <= mostAttempts(action.retry) && !isRefused
      })
    })

    expect(asked).toBeGreaterThan(100)
  })

  it('nothing happens after the end', () => {
    const asked = always(({ saga }, { states }) => {
      const last = states.at(-1)
      if (!last?.end) return undefined
      const isSilent = turn(saga, last, { kind: 'woken', at: last.updatedAt }) === last
      return isOver(last.end) && isSilent && nextOf(saga, last).kind === 'end'
    })

    expect(asked).toBeGreaterThan(100)
  })

  it('past the pivot nothing is undone', () => {
    const asked = always(({ saga }, { partners: { calls } }) => {
      const pivot = saga.steps.find(({ kind }) => kind === 'pivot')?.name
      const isPast = calls.some(
        ({ ask, outcome }) => ask.step === pivot && ask.what !== 'undo' && outcome.kind === 'applied',
      )
      return isPast ? calls.every(({ ask }) => ask.what !== 'undo') : undefined
    })

    expect(asked).toBeGreaterThan(100)
  })

  it('the state is the fold of what happened, and survives being written down', () => {
    const written = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))
    const asked = always(({ saga }, { events, states }) => {
      const event = anEvent()
      const at = new Date(beginning).toISOString()
      const first = begin(saga, { instance: instanceIdOf(saga.name, event), event, at })
      const rebuilt = events.reduce((state, happened) => turn(saga, written(state), happened), first)
      return JSON.stringify(rebuilt) === JSON.stringify(states.at(-1))
    })

    expect(asked).toBe(2_000)
  })

  it('an instance that has not ended says for whom it waits', () => {
    const asked = always((_, { status }) =>
      isOver(status.phase) ? undefined : status.phase === 'held' && status.waitsFor?.kind === 'operator',
    )

    expect(asked).toBeGreaterThan(100)
  })
})
