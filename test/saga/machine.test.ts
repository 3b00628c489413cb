// What becomes of a saga, told as stories.

import { describe, expect, it } from 'vitest'
import { simulate } from '../../testkit/simulate.js'
import { answering, applied, deferred, inDoubt, inShort, refused, threeSteps } from './three-steps.js'

const tell = (
  deviations: Parameters<typeof answering>[0],
  { saga = threeSteps(), retries = 0 }: { saga?: ReturnType<typeof threeSteps>; retries?: number } = {},
) => {
  let left = retries
  const story = simulate(saga, {
    answer: answering(deviations),
    onHold: () => (left-- > 0 ? 'retry' : 'leave'),
  })
  return { ...story, asked: story.asked.map(inShort), asks: story.asked }
}

describe('a saga whose partners all agree', () => {
  it('asks them in order, each once, and is completed', () => {
    const { asked, status } = tell({})

    expect(asked).toEqual(['a', 'b', 'c'])
    expect(status).toMatchObject({ phase: 'completed', owed: [] })
    expect(status.steps.map(({ outcome, attempts }) => `${outcome} ${attempts}`)).toEqual([
      'applied 1',
      'applied 1',
      'applied 1',
    ])
  })

  it('gives a step what earlier steps brought', () => {
    const { asks } = tell({ a: [{ kind: 'applied', output: 'A-1' }] })

    expect(asks[1]).toMatchObject({ what: 'do', input: ['b after', 'A-1'] })
  })
})

describe('a refused step', () => {
  it('undoes what was applied, in reverse, and is never asked again', () => {
    const { asked, status } = tell({ c: [refused] })

    expect(asked).toEqual(['a', 'b', 'c', 'undo b', 'undo a'])
    expect(status).toMatchObject({ phase: 'compensated', owed: [] })
    expect(status.steps[2]).toMatchObject({ outcome: 'refused', reason: 'no' })
  })

  it('undoes nothing when it is the first', () => {
    const { asked, status } = tell({ a: [refused] })

    expect(asked).toEqual(['a'])
    expect(status.phase).toBe('compensated')
  })

  it('hands to an undo what the step was asked and what it brought', () => {
    const { asks } = tell({ a: [{ kind: 'applied', output: 'A-1' }], b: [refused] })

    expect(asks.at(-1)).toMatchObject({
      what: 'undo',
      step: 'a',
      done: { input: 'c0ffee00-0000-4000-8000-000000000001', output: 'A-1' },
    })
  })
})

describe('a deferred step', () => {
  it('is asked again after a wait, under the same key and with the same input', () => {
    const { asked, asks, status, took } = tell({ b: [deferred, applied] })

    expect(asked).toEqual(['a', 'b', 'b', 'c'])
    expect(asks[2]).toEqual({ ...asks[1], attempt: 2 })
    expect(status.phase).toBe('completed')
    expect(took).toBeGreaterThanOrEqual(500)
  })

  it('waits as long as the partner asks', () => {
    const { took } = tell({ b: [{ kind: 'deferred', reason: 'later', retryAfterMs: 42_000 }, applied] })

    expect(took).toBe(42_000)
  })

  it('tells while it waits until when, and why', () => {
    const { states } = tell({ b: [deferred, applied] })

    expect(states.find(({ phase }) => phase === 'waiting')?.waitsFor).toEqual({
      kind: 'retry',
      until: expect.stringMatching(/^2026-01-01T00:00:0\d\.\d{3}Z$/),
      why: 'not now',
    })
  })

  it('is given up when its policy is exhausted: what was applied is undone', () => {
    const { asked, status } = tell({ b: [deferred] })

    expect(asked).toEqual(['a', 'b', 'b', 'b', 'undo a'])
    expect(status.phase).toBe('compensated')
  })
})

describe('a step in doubt', () => {
  it('is asked again under the same key where the partner honours keys', () => {
    const { asked, asks, status } = tell({ b: [inDoubt, applied] })

    expect(asked).toEqual(['a', 'b', 'b', 'c'])
    expect(asks[2]?.key).toBe(asks[1]?.key)
    expect(status.phase).toBe('completed')
  })

  it('is held at once where the partner ignores keys', () => {
    const { asked, status } = tell({ b: [inDoubt] }, { saga: threeSteps({ keys: 'ignored' }) })

    expect(asked).toEqual(['a', 'b'])
    expect(status).toMatchObject({ phase: 'held', waitsFor: { kind: 'operator' } })
    expect(status.steps[1]?.outcome).toBe('inDoubt')
  })

  it('is held, not undone, when its policy is exhausted', () => {
    const { asked, status } = tell({ b: [inDoubt] })

    expect(asked).toEqual(['a', 'b', 'b', 'b'])
    expect(status.phase).toBe('held')
  })

  it('stays in doubt when later attempts do not get through', () => {
    const { asked, status } = tell({ b: [inDoubt, deferred] })

    expect(asked).toEqual(['a', 'b', 'b', 'b'])
    expect(status).toMatchObject({
      phase: 'held',
      waitsFor: { why: 'it is in doubt whether this was applied: not now' },
    })
  })

  it('ends with a refusal under the same key: then what was applied before is undone', () => {
    const { asked, status } = tell({ b: [inDoubt, refused] })

    expect(asked).toEqual(['a', 'b', 'b', 'undo a'])
    expect(status.phase).toBe('compensated')
  })

  it('goes on after a person said retry, with its policy anew', () => {
    const { asked, status } = tell({ b: [inDoubt, inDoubt, inDoubt, deferred, applied] }, { retries: 1 })

    expect(asked).toEqual(['a', 'b', 'b', 'b', 'b', 'b', 'c'])
    expect(status.phase).toBe('completed')
  })
})

describe('an undo that does not succeed', () => {
  it('is retried, then held, and what is owed is told', () => {
    const { asked, status } = tell({ c: [refused], 'undo b': [deferred] })

    expect(asked).toEqual(['a', 'b', 'c', 'undo b', 'undo b'])
    expect(status).toMatchObject({
      phase: 'held',
      owed: [
        { step: 'a', partner: 'first', reason: 'not undone yet' },
        { step: 'b', partner: 'second', reason: 'not now' },
      ],
    })
  })

  it('is held at once when the partner refuses it, and continues in reverse after a person said retry', () => {
    const { asked, status } = tell({ c: [refused], 'undo b': [refused, applied] }, { retries: 1 })

    expect(asked).toEqual(['a', 'b', 'c', 'undo b', 'undo b', 'undo a'])
    expect(status).toMatchObject({ phase: 'compensated', owed: [] })
  })

  it('is held when the action has no undo at all, however often a person says retry', () => {
    const { asked, status } = tell({ b: [refused] }, { saga: threeSteps({ undoable: false }), retries: 3 })

    expect(asked).toEqual(['a', 'b'])
    expect(status).toMatchObject({ phase: 'held', owed: [{ step: 'a' }] })
  })
})
