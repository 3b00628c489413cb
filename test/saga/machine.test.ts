// What becomes of a saga, told as stories.

import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/saga/outcome.js'
import { relentless } from '../../src/saga/policy.js'
import { anEvent } from '../../testkit/event.js'
import { type SagaWord, simulate } from '../../testkit/simulate.js'
import {
  answering,
  applied,
  aSaga,
  by,
  deferred,
  inDoubt,
  inShort,
  parked,
  refused,
  tell,
  threeSteps,
} from './three-steps.js'

describe('a saga whose partners all agree', () => {
  it('asks them in order, each once, and is completed', () => {
    const { asked, status, waits } = tell(threeSteps(), {})

    expect(asked).toEqual(['a', 'b', 'c'])
    expect(waits).toEqual([])
    expect(status).toMatchObject({ phase: 'completed', owed: [] })
    expect(status.steps.map(({ outcome, attempts }) => `${outcome} ${attempts}`)).toEqual([
      'applied 1',
      'applied 1',
      'applied 1',
    ])
  })

  it('gives a step what earlier steps brought', () => {
    const { asks } = tell(threeSteps(), { a: [{ kind: 'applied', output: 'A-1' }] })

    expect(asks[1]).toMatchObject({ what: 'do', input: ['b', expect.anything(), ['A-1']] })
  })
})

describe('a refused step', () => {
  it('undoes what was applied, in reverse, and is never asked again', () => {
    const { asked, status } = tell(threeSteps(), { c: [refused] })

    expect(asked).toEqual(['a', 'b', 'c', 'undo b', 'undo a'])
    expect(status).toMatchObject({ phase: 'compensated', owed: [], undoneBecause: 'c: no' })
    expect(status.steps[2]).toMatchObject({ outcome: 'refused', reason: 'no' })
  })

  it('undoes nothing when it is the first', () => {
    const { asked, status } = tell(threeSteps(), { a: [refused] })

    expect(asked).toEqual(['a'])
    expect(status.phase).toBe('compensated')
  })

  it('hands to an undo what the step was asked and what it brought', () => {
    const { asks } = tell(threeSteps(), { a: [{ kind: 'applied', output: 'A-1' }], b: [refused] })

    expect(asks.at(-1)).toMatchObject({
      what: 'undo',
      step: 'a',
      done: { input: ['a', expect.anything(), []], output: 'A-1' },
    })
  })

  it('can be held for a person, for a time, and is undone when nobody came', () => {
    const saga = aSaga([[{ name: 'a' }], [{ name: 'b', holdRefusalFor: 60_000 }]])

    const alone = tell(saga, { b: [refused] })
    const helped = tell(saga, { b: [refused, applied] }, [{ kind: 'retry', ...by }])

    expect(alone).toMatchObject({ asked: ['a', 'b', 'undo a'], took: 60_000, status: { phase: 'compensated' } })
    expect(helped).toMatchObject({ asked: ['a', 'b', 'b'], status: { phase: 'completed' } })
  })
})

describe('a deferred step', () => {
  it('is asked again after a wait, under the same key and with the same input', () => {
    const { asked, asks, status, took } = tell(threeSteps(), { b: [deferred, applied] })

    expect(asked).toEqual(['a', 'b', 'b', 'c'])
    expect(asks[2]).toEqual({ ...asks[1], attempt: 2 })
    expect(status.phase).toBe('completed')
    expect(took).toBeGreaterThanOrEqual(500)
  })

  it('waits as long as the partner asks', () => {
    const { took } = tell(threeSteps(), { b: [{ kind: 'deferred', reason: 'later', retryAfterMs: 42_000 }, applied] })

    expect(took).toBe(42_000)
  })

  it('is given up when its policy is exhausted: what was applied is undone', () => {
    const { asked, status } = tell(threeSteps(), { b: [deferred] })

    expect(asked).toEqual(['a', 'b', 'b', 'b', 'undo a'])
    expect(status.phase).toBe('compensated')
  })

  it('spends no attempt while its partner is known to be down', () => {
    const { asked, status } = tell(threeSteps(), { b: [parked, parked, parked, parked, parked, applied] })

    expect(asked).toEqual(['a', 'b', 'b', 'b', 'b', 'b', 'b', 'c'])
    expect(status).toMatchObject({ phase: 'completed', steps: [{}, { attempts: 1 }, {}] })
  })

  it('waits no longer than its own time for a partner that is known to be down', () => {
    const saga = aSaga([[{ name: 'a' }], [{ name: 'b', timeout: 12_000 }]])

    expect(tell(saga, { b: [parked] })).toMatchObject({
      asked: ['a', 'b', 'b', 'b', 'undo a'],
      took: 10_000,
      status: { phase: 'compensated', undoneBecause: 'b: known to be down' },
    })
  })

  it('is held before anything is asked when its input is larger than can be carried', () => {
    const saga = aSaga([[{ name: 'a', inputFor: () => 'x'.repeat(50_000) }]])

    const { asked, status } = tell(saga, {})

    expect(asked).toEqual([])
    expect(status.waitsFor).toMatchObject({
      kind: 'operator',
      why: expect.stringContaining('50002 characters of JSON'),
    })
  })

  it('is held when all that the saga carries would be larger than can be carried', () => {
    const saga = aSaga(Array.from({ length: 10 }, (_, n) => [{ name: `s${n}`, inputFor: () => 'x'.repeat(45_000) }]))

    const { asked, status } = tell(saga, {})

    expect(asked).toHaveLength(8)
    expect(status.waitsFor).toMatchObject({ kind: 'operator', why: expect.stringContaining('whole of all inputs') })
  })

  it('is given up when its time is over, however many attempts are left', () => {
    const saga = aSaga([[{ name: 'a' }], [{ name: 'b', timeout: 100 }]])

    expect(tell(saga, { b: [deferred] })).toMatchObject({ asked: ['a', 'b', 'undo a'], took: 0 })
  })
})

describe('a step in doubt', () => {
  it('spends no probe while its partner is known to be down', () => {
    const { asked, status } = tell(threeSteps({ probed: true, keys: 'ignored' }), {
      b: [inDoubt],
      'probe b': [parked, parked, parked, parked, applied],
    })

    expect(asked).toEqual(['a', 'b', 'probe b', 'probe b', 'probe b', 'probe b', 'probe b', 'c'])
    expect(status.phase).toBe('completed')
  })

  it('is asked again under the same key where the partner honours keys', () => {
    const { asked, asks, status } = tell(threeSteps(), { b: [inDoubt, applied] })

    expect(asked).toEqual(['a', 'b', 'b', 'c'])
    expect(asks[2]?.key).toBe(asks[1]?.key)
    expect(status.phase).toBe('completed')
  })

  it('is probed first where there is a probe, and taken for what the probe says', () => {
    const saga = threeSteps({ probed: true, keys: 'ignored' })

    const wasApplied = tell(saga, { b: [inDoubt], 'probe b': [applied] })
    const wasNot = tell(saga, { b: [inDoubt, applied], 'probe b': [refused] })
    const unknown = tell(saga, { b: [inDoubt], 'probe b': [deferred] })

    expect(wasApplied).toMatchObject({ asked: ['a', 'b', 'probe b', 'c'], status: { phase: 'completed' } })
    expect(wasNot).toMatchObject({ asked: ['a', 'b', 'probe b', 'b', 'c'], status: { phase: 'completed' } })
    expect(unknown).toMatchObject({ asked: ['a', 'b', 'probe b', 'probe b'], status: { phase: 'held' } })
  })

  it('is probed again, and not asked again, after a person said retry where there is a probe', () => {
    const { asked, status } = tell(
      threeSteps({ probed: true, keys: 'ignored' }),
      { b: [inDoubt], 'probe b': [deferred, deferred, applied] },
      [{ kind: 'retry', ...by }],
    )

    expect(asked).toEqual(['a', 'b', 'probe b', 'probe b', 'probe b', 'c'])
    expect(status.phase).toBe('completed')
  })

  it('is held at once where the partner ignores keys and there is no probe', () => {
    const { asked, status } = tell(threeSteps({ keys: 'ignored' }), { b: [inDoubt] })

    expect(asked).toEqual(['a', 'b'])
    expect(status).toMatchObject({ phase: 'held', waitsFor: { kind: 'operator' } })
    expect(status.steps[1]?.outcome).toBe('inDoubt')
  })

  it('is held, not undone around, when its policy is exhausted and it can not be undone in doubt', () => {
    const { asked, status } = tell(threeSteps(), { b: [inDoubt, deferred] })

    expect(asked).toEqual(['a', 'b', 'b', 'b'])
    expect(status).toMatchObject({
      phase: 'held',
      waitsFor: { why: 'it is in doubt whether this was applied: not now' },
    })
  })

  it('is itself undone when it is given up, where that can be done in doubt', () => {
    const { asked, asks, status } = tell(threeSteps({ back: 'undoableInDoubt' }), { b: [inDoubt] })

    expect(asked).toEqual(['a', 'b', 'b', 'b', 'undo b', 'undo a'])
    expect(asks[4]).toMatchObject({ done: { key: asks[1]?.key } })
    expect(status.phase).toBe('compensated')
  })

  it('is owed when it is given up and can not be undone in doubt', () => {
    const { status } = tell(threeSteps(), { b: [inDoubt] }, [{ kind: 'cancel', ...by }])

    expect(status).toMatchObject({
      phase: 'held',
      owed: [
        { step: 'a', reason: 'not undone yet' },
        { step: 'b', reason: 'nobody knows whether it was applied', since: expect.any(String) },
      ],
    })
  })

  it('ends with a refusal under the same key: then what was applied before is undone', () => {
    expect(tell(threeSteps(), { b: [inDoubt, refused] })).toMatchObject({
      asked: ['a', 'b', 'b', 'undo a'],
      status: { phase: 'compensated' },
    })
  })

  it('goes on after a person said retry, with its policy anew', () => {
    const { asked, status } = tell(threeSteps(), { b: [inDoubt, inDoubt, inDoubt, deferred, applied] }, [
      { kind: 'retry', step: 'b', ...by },
    ])

    expect(asked).toEqual(['a', 'b', 'b', 'b', 'b', 'b', 'c'])
    expect(status.phase).toBe('completed')
  })
})

describe('an undo that does not succeed', () => {
  it('is owed when its policy is exhausted, asked for at long intervals, and paid without anybody’s help', () => {
    const { asked, states, status } = tell(threeSteps(), {
      c: [refused],
      'undo b': [deferred, deferred, deferred, deferred, applied],
    })

    expect(asked).toEqual(['a', 'b', 'c', 'undo b', 'undo b', 'undo b', 'undo b', 'undo b', 'undo a'])
    expect(states.some(({ steps }) => steps[1]?.undoing?.debtSince !== undefined)).toBe(true)
    expect(status).toMatchObject({ phase: 'compensated', owed: [] })
  })

  it('is held at once when the partner refuses it, and goes on in reverse after a person said retry', () => {
    const { asked, status } = tell(threeSteps(), { c: [refused], 'undo b': [refused, applied] }, [
      { kind: 'retry', ...by },
    ])

    expect(asked).toEqual(['a', 'b', 'c', 'undo b', 'undo b', 'undo a'])
    expect(status).toMatchObject({ phase: 'compensated', owed: [] })
  })

  it('is told as owed, with its partner, its age and the last error', () => {
    const { status } = tell(threeSteps(), { c: [refused], 'undo b': [refused] })

    expect(status.owed).toEqual([
      { step: 'a', partner: 'partner-a', reason: 'not undone yet' },
      { step: 'b', partner: 'partner-b', reason: 'the undo was refused: no', since: '2026-01-01T00:00:00.000Z' },
    ])
  })

  it('can be written off by a person: then the saga ends indebted, and says so', () => {
    const { asked, status } = tell(threeSteps(), { c: [refused], 'undo b': [refused] }, [
      { kind: 'writeOff', step: 'b', ...by },
    ])

    expect(asked.at(-1)).toBe('undo a')
    expect(status).toMatchObject({
      phase: 'indebted',
      steps: [{}, { undo: { outcome: 'skipped', reason: 'written off by ops: because' } }, {}],
    })
  })

  it('can not be written off when it has succeeded after all', () => {
    const saga = aSaga([[{ name: 'a' }, { name: 'b' }], [{ name: 'c' }]])

    const { status } = simulate(saga, anEvent(), {
      answers: answering({ c: [refused], 'undo a': [refused], 'undo b': [deferred, deferred, applied] }),
      words: ({ owed, log, waitsFor }) =>
        waitsFor?.kind === 'operator' && owed.length === 1 && log.length === 0
          ? { kind: 'writeOff', step: 'b', ...by }
          : undefined,
    })

    expect(status).toMatchObject({
      phase: 'held',
      owed: [{ step: 'a' }],
      log: [{ command: 'writeOff', step: 'b', refused: 'nothing is owed of it' }],
    })
  })

  it('is written off by the definition where the effect is irreversible', () => {
    const saga = aSaga([[{ name: 'mail', shape: { back: 'irreversible' } }], [{ name: 'b' }]])

    expect(tell(saga, { b: [refused] }).status).toMatchObject({
      phase: 'indebted',
      steps: [{ undo: { reason: 'written off by the definition: it is sent' } }, {}],
    })
  })
})

describe('a block of steps', () => {
  const saga = aSaga([[{ name: 'a' }], [{ name: 'b1' }, { name: 'b2' }], [{ name: 'c' }]])

  it('is asked at the same time, and waited for as a whole', () => {
    const { asked, states } = tell(saga, { b1: [deferred, applied] })

    expect(asked).toEqual(['a', 'b1', 'b2', 'b1', 'c'])
    expect(states.filter(({ stage }) => stage === 1).length).toBeGreaterThan(2)
  })

  it('keeps every branch’s outcome when one is refused, and is undone together', () => {
    const { asked, status } = tell(saga, { b1: [refused], b2: [deferred, applied] })

    expect(asked).toEqual(['a', 'b1', 'b2', 'b2', 'undo b2', 'undo a'])
    expect(status.steps.map(({ outcome }) => outcome)).toEqual(['applied', 'refused', 'applied', 'pending'])
  })

  it('undoes its branches at the same time, before what came before it', () => {
    expect(tell(saga, { c: [refused], 'undo b1': [deferred, applied] }).asked).toEqual([
      'a',
      'b1',
      'b2',
      'c',
      'undo b1',
      'undo b2',
      'undo b1',
      'undo a',
    ])
  })
})

describe('a conditional step', () => {
  it('is left out when it is not needed, and later steps know nothing of it', () => {
    const { asks, asked, status } = tell(
      aSaga([[{ name: 'a' }], [{ name: 'b', when: () => false }], [{ name: 'c' }]]),
      {},
    )

    expect(asked).toEqual(['a', 'c'])
    expect(asks[1]).toMatchObject({ input: ['c', expect.anything(), ['done']] })
    expect(status.steps[1]).toMatchObject({ outcome: 'skipped', attempts: 0 })
  })
})

describe('the pivot', () => {
  const saga = aSaga([
    [{ name: 'a' }],
    [{ name: 'p', kind: 'pivot', shape: { back: 'none' } }],
    [{ name: 'z', shape: { retry: relentless } }],
  ])

  it('that is refused undoes what came before it', () => {
    expect(tell(saga, { p: [refused] })).toMatchObject({
      asked: ['a', 'p', 'undo a'],
      status: { phase: 'compensated' },
    })
  })

  it('that is applied is the point of no return: later steps are asked until they succeed', () => {
    const { asked, status } = tell(saga, { z: [...Array.from({ length: 40 }, () => deferred), applied] })

    expect(asked).toHaveLength(43)
    expect(status.phase).toBe('completed')
  })

  it('can not be skipped: what comes after it relies on it', () => {
    const held = aSaga([[{ name: 'a' }], [{ name: 'p', kind: 'pivot', holdRefusalFor: 60_000 }], [{ name: 'z' }]])

    expect(tell(held, { p: [refused] }, [{ kind: 'skip', step: 'p', ...by }])).toMatchObject({
      asked: ['a', 'p', 'undo a'],
      status: {
        phase: 'compensated',
        log: [{ refused: 'what comes after the pivot relies on it: supply its result, or cancel' }],
      },
    })
  })

  it('leaves a later refusal to a person, and can not be cancelled', () => {
    const { asked, status } = tell(saga, { z: [refused, applied] }, [
      { kind: 'cancel', ...by },
      { kind: 'retry', ...by },
    ])

    expect(asked).toEqual(['a', 'p', 'z', 'z'])
    expect(status).toMatchObject({
      phase: 'completed',
      log: [{ command: 'cancel', refused: 'the saga is past its pivot and only goes forward' }, { command: 'retry' }],
    })
  })
})

describe('an answer that comes later', () => {
  const saga = aSaga([[{ name: 'a' }], [{ name: 'b', shape: { answeredWithin: 60_000 } }], [{ name: 'c' }]])
  const reply = (outcome: typeof applied) => ({ kind: 'reply', step: 'b', outcome }) as const

  it('is waited for, and is the step’s output', () => {
    const { asks, asked, status } = tell(saga, {}, [reply({ kind: 'applied', output: 'B-7' })])

    expect(asked).toEqual(['a', 'b', 'c'])
    expect(asks[2]).toMatchObject({ input: ['c', expect.anything(), ['done', 'B-7']] })
    expect(status.phase).toBe('completed')
  })

  it('can be a refusal', () => {
    expect(tell(saga, {}, [reply(refused)])).toMatchObject({
      asked: ['a', 'b', 'undo a'],
      status: { phase: 'compensated' },
    })
  })

  it('is not waited for when the partner brings it at once, and may', () => {
    const at = (mayAnswerAtOnce?: true) =>
      aSaga([[{ name: 'b', shape: { answeredWithin: 60_000, ...(mayAnswerAtOnce && { mayAnswerAtOnce }) } }]])
    const taken: Outcome = { kind: 'applied', output: undefined }

    expect(tell(at(true), {}).status.phase).toBe('completed')
    expect(tell(at(true), { b: [taken] }).states[1]).toMatchObject({ steps: [{ doing: { stand: { at: 'answer' } } }] })
    expect(tell(at(), {}).states[1]).toMatchObject({ steps: [{ doing: { stand: { at: 'answer' } } }] })
  })

  it('is still to be reckoned with when a person has the call made again', () => {
    const late = aSaga([[{ name: 'a' }], [{ name: 'b', shape: { answeredWithin: 60_000 } }]])

    const { asked, status } = tell(late, { b: [applied, deferred] }, [{ kind: 'retry', ...by }])

    expect(asked).toEqual(['a', 'b', 'b', 'b', 'b'])
    expect(status).toMatchObject({ phase: 'held', steps: [{}, { outcome: 'inDoubt' }] })
  })

  it('for a step that is not there, or for an input that was replaced, changes nothing', () => {
    const strange = { kind: 'reply', step: 'x', outcome: applied } as const
    const stale = { ...reply({ kind: 'applied', output: 'B-6' }), edition: 2 }

    const { asks } = tell(saga, {}, [strange, stale, reply({ kind: 'applied', output: 'B-7' })])

    expect(asks[2]).toMatchObject({ input: ['c', expect.anything(), ['done', 'B-7']] })
  })

  it('that does not come leaves the step in doubt', () => {
    const { asked, states } = tell(aSaga([[{ name: 'b', shape: { answeredWithin: 60_000, keys: 'ignored' } }]]), {})

    expect(asked).toEqual(['b'])
    expect(states.at(-1)?.steps[0]?.doing).toMatchObject({ outcome: 'inDoubt', stand: { at: 'person' } })
  })

  it('that comes when the step was given up in doubt tells whether there is something to undo', () => {
    const late = tell(saga, {}, [{ kind: 'cancel', ...by }, reply({ kind: 'applied', output: 'B-7' })])
    const never = tell(saga, {}, [{ kind: 'cancel', ...by }, reply(refused)])

    expect(late).toMatchObject({ asked: ['a', 'b', 'undo b', 'undo a'], status: { phase: 'cancelled' } })
    expect(never).toMatchObject({ asked: ['a', 'b', 'undo a'], status: { phase: 'cancelled' } })
  })

  it('that comes when the undo is in doubt, at a partner that ignores keys, does not have it asked again', () => {
    const shape = { answeredWithin: 60_000, keys: 'ignored', back: 'undoableInDoubt' } as const

    const { asked, status } = tell(aSaga([[{ name: 'b', shape }]]), { 'undo b': [inDoubt] }, [
      { kind: 'cancel', ...by },
      reply(applied),
    ])

    expect(asked).toEqual(['b', 'undo b'])
    expect(status).toMatchObject({ phase: 'held', owed: [{ step: 'b' }] })
  })
})

describe('a deadline', () => {
  it('undoes a saga that has not come past its pivot', () => {
    const saga = aSaga([[{ name: 'a' }], [{ name: 'b', shape: { keys: 'ignored' } }]], { deadline: 3_600_000 })

    const { took, status } = tell(saga, { b: [{ kind: 'deferred', reason: 'later', retryAfterMs: 86_400_000 }] })

    expect(took).toBeLessThanOrEqual(3_600_000 + 1)
    expect(status).toMatchObject({ phase: 'compensated' })
  })

  it('that passes in the moment of a retry comes first: a pivot is not passed any more', () => {
    const saga = aSaga([[{ name: 'a' }], [{ name: 'p', kind: 'pivot' }]], { deadline: 7_000 })

    expect(tell(saga, { p: [{ kind: 'deferred', reason: 'later', retryAfterMs: 7_000 }, applied] })).toMatchObject({
      asked: ['a', 'p', 'undo a'],
      status: { phase: 'compensated' },
    })
  })

  it('costs nothing but its own timer', () => {
    expect(tell(aSaga([[{ name: 'a' }]], { deadline: 1_000 }), {}).waits).toEqual([])
  })
})

describe('a mapping that fails', () => {
  const saga = aSaga([
    [{ name: 'a' }],
    [
      {
        name: 'b',
        inputFor: () => {
          throw new Error('no such column')
        },
      },
    ],
  ])

  it('holds the step before anything is asked; a person can give the input', () => {
    const alone = tell(saga, {})
    const helped = tell(saga, {}, [{ kind: 'edit', step: 'b', input: 'by hand', ...by }])

    expect(alone.status).toMatchObject({
      phase: 'held',
      waitsFor: { why: 'its input can not be made: no such column' },
    })
    expect(helped.asks[1]).toMatchObject({ step: 'b', input: 'by hand' })
    expect(helped.status.phase).toBe('completed')
  })

  it('holds a step whose input is larger than a history should carry', () => {
    const large = aSaga([[{ name: 'a', inputFor: () => 'x'.repeat(60_000) }]])

    expect(tell(large, {})).toMatchObject({
      asked: [],
      status: { phase: 'held', waitsFor: { why: expect.stringContaining('60002 characters') } },
    })
  })
})

describe('a person', () => {
  const stuck = threeSteps({ keys: 'ignored' })

  it('can supply the result of a step in doubt', () => {
    const { asked, asks, status } = tell(stuck, { b: [inDoubt] }, [{ kind: 'supply', step: 'b', output: 'B-7', ...by }])

    expect(asked).toEqual(['a', 'b', 'c'])
    expect(asks[2]).toMatchObject({ input: ['c', expect.anything(), ['done', 'B-7']] })
    expect(status).toMatchObject({
      phase: 'completed',
      log: [{ command: 'supply', step: 'b', actor: 'ops', reason: 'because' }],
    })
  })

  it('can not skip what is in doubt, but what was refused', () => {
    const held = aSaga([[{ name: 'a', holdRefusalFor: 60_000 }], [{ name: 'b' }]])

    expect(tell(stuck, { b: [inDoubt] }, [{ kind: 'skip', step: 'b', ...by }]).status).toMatchObject({
      phase: 'held',
      log: [{ refused: expect.stringContaining('in doubt') }],
    })
    expect(tell(held, { a: [refused] }, [{ kind: 'skip', step: 'a', ...by }])).toMatchObject({
      asked: ['a', 'b'],
      status: { phase: 'completed' },
    })
  })

  it('can edit the input of a step that was refused: it is asked under another key', () => {
    const held = aSaga([[{ name: 'a', holdRefusalFor: 60_000 }]])

    const { asks, status } = tell(held, { a: [refused, applied] }, [
      { kind: 'edit', step: 'a', input: 'better', ...by },
    ])

    expect(asks[1]).toMatchObject({ input: 'better', key: `${asks[0]?.key}~2` })
    expect(status.phase).toBe('completed')
  })

  it('can put a saga on hold and resume it', () => {
    const left: SagaWord[] = [
      { kind: 'hold', ...by },
      { kind: 'resume', ...by },
    ]
    const { calls, status } = simulate(threeSteps(), anEvent(), {
      answers: answering({ b: [deferred, applied] }),
      words: () => left.shift(),
    })

    expect(calls.map(inShort)).toEqual(['a', 'b', 'b', 'c'])
    expect(status).toMatchObject({ phase: 'completed', log: [{ command: 'hold' }, { command: 'resume' }] })
  })

  it('can cancel: everything is undone, in reverse', () => {
    expect(
      tell(stuck, { c: [{ kind: 'deferred', reason: 'x' }, inDoubt] }, [
        { kind: 'cancel', ...by },
        { kind: 'writeOff', step: 'c', ...by },
      ]),
    ).toMatchObject({
      asked: ['a', 'b', 'c', 'c', 'undo b', 'undo a'],
      status: { phase: 'indebted' },
    })
  })

  it('is followed once, however often the word arrives', () => {
    const { states, events } = tell(stuck, { b: [inDoubt, inDoubt, applied] }, [
      { kind: 'retry', ...by },
      { kind: 'retry', ...by },
    ])
    const ids = events.flatMap((event) => (event.kind === 'said' ? [event.command.id] : []))

    expect(new Set(ids).size).toBe(2)
    expect(states.at(-1)?.log).toHaveLength(2)
  })
})
