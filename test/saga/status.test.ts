// The document that becomes an orchestration's custom status.

import { describe, expect, it } from 'vitest'
import { statusOf } from '../../src/saga/status.js'
import { anEvent, simulate } from '../../testkit/simulate.js'
import { answering, deferred, refused, threeSteps } from './three-steps.js'

describe('a status', () => {
  it('tells a saga that was undone, step by step', () => {
    const { status } = simulate(threeSteps(), { answer: answering({ b: [deferred, refused] }) })

    expect(status).toEqual({
      id: 'three-steps:contact:c0ffee00-0000-4000-8000-000000000001:00000000000000000001',
      saga: 'three-steps',
      version: 1,
      table: 'contact',
      rowId: 'c0ffee00-0000-4000-8000-000000000001',
      phase: 'compensated',
      startedAt: '2026-01-01T00:00:00.000Z',
      updatedAt: expect.stringMatching(/^2026-01-01T00:00:0/),
      endedAt: status.updatedAt,
      steps: [
        {
          name: 'a',
          partner: 'first',
          action: 'do',
          outcome: 'applied',
          attempts: 1,
          startedAt: '2026-01-01T00:00:00.000Z',
          endedAt: '2026-01-01T00:00:00.000Z',
          undo: { outcome: 'applied', attempts: 1, startedAt: status.updatedAt, endedAt: status.updatedAt },
        },
        {
          name: 'b',
          partner: 'second',
          action: 'do',
          outcome: 'refused',
          attempts: 2,
          startedAt: '2026-01-01T00:00:00.000Z',
          endedAt: status.updatedAt,
          reason: 'no',
        },
        { name: 'c', partner: 'third', action: 'do', outcome: 'pending', attempts: 0 },
      ],
      owed: [],
    })
  })

  it('holds no input and no output', () => {
    const { states } = simulate(threeSteps(), {
      answer: () => ({ kind: 'applied', output: 'a secret of the partner' }),
    })

    const told = states.map((state) => JSON.stringify(statusOf(threeSteps(), state))).join()

    expect(told).not.toContain('secret')
    expect(told).not.toContain('b after')
  })

  it('stays small however much a partner says', () => {
    const answer = answering({ c: [refused], 'undo b': [{ kind: 'refused', reason: 'because '.repeat(10_000) }] })

    const { status } = simulate(threeSteps(), { answer }, anEvent())

    expect(JSON.stringify(status).length).toBeLessThan(4_000)
    expect(status.phase).toBe('held')
  })
})
