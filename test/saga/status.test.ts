// The document that becomes an orchestration's custom status.

import { describe, expect, it } from 'vitest'
import { statusOf } from '../../src/saga/status.js'
import { anEvent } from '../../testkit/event.js'
import { simulate } from '../../testkit/simulate.js'
import { aSaga, answering, by, deferred, refused, tell, threeSteps } from './three-steps.js'

describe('a status', () => {
  it('tells a saga that was undone, step by step', () => {
    const { status } = tell(threeSteps(), { b: [deferred, refused] })

    expect(status).toEqual({
      id: 'test:contact:c0ffee00-0000-4000-8000-000000000001:00000000000000000001',
      saga: 'test',
      version: 1,
      table: 'contact',
      rowId: 'c0ffee00-0000-4000-8000-000000000001',
      phase: 'compensated',
      startedAt: '2026-01-01T00:00:00.000Z',
      updatedAt: expect.stringMatching(/^2026-01-01T00:00:0/),
      endedAt: status.updatedAt,
      undoneBecause: 'b: no',
      steps: [
        {
          name: 'a',
          partner: 'partner-a',
          action: 'do',
          outcome: 'applied',
          attempts: 1,
          startedAt: '2026-01-01T00:00:00.000Z',
          endedAt: '2026-01-01T00:00:00.000Z',
          undo: { outcome: 'applied', attempts: 1, startedAt: status.updatedAt, endedAt: status.updatedAt },
        },
        {
          name: 'b',
          partner: 'partner-b',
          action: 'do',
          outcome: 'refused',
          attempts: 2,
          startedAt: '2026-01-01T00:00:00.000Z',
          endedAt: status.updatedAt,
          reason: 'no',
        },
        { name: 'c', partner: 'partner-c', action: 'do', outcome: 'pending', attempts: 0 },
      ],
      owed: [],
      log: [],
    })
  })

  it('tells for what it waits, until when, and why', () => {
    const { states } = tell(threeSteps(), { b: [deferred] })
    const waiting = states.map((state) => statusOf(threeSteps(), state)).find(({ phase }) => phase === 'waiting')

    expect(waiting?.waitsFor).toEqual({
      kind: 'retry',
      until: expect.stringMatching(/^2026-01-01T00:00:0\d\.\d{3}Z$/),
      why: 'not now',
    })
  })

  it('holds no input and no output', () => {
    const saga = threeSteps()
    const { states } = simulate(saga, anEvent(), {
      answers: () => ({ kind: 'applied', output: 'a secret of the partner' }),
    })

    const told = states.map((state) => JSON.stringify(statusOf(saga, state))).join()

    expect(told).not.toContain('secret')
  })

  it('stays below the platform’s limit, however many steps there are and however much partners and people say', () => {
    const talkative = 'because '.repeat(10_000)
    const stages = Array.from({ length: 50 }, (_, index) => [
      { name: `step-${index}`, shape: { keys: 'ignored' as const } },
    ])
    const saga = aSaga(stages)
    let words = 0

    const { states } = simulate(saga, anEvent(), {
      answers: answering({ 'step-49': [{ kind: 'inDoubt', reason: talkative }] }),
      words: () => (words++ < 30 ? { kind: 'retry', ...by, reason: talkative } : undefined),
    })

    const largest = Math.max(...states.map((state) => JSON.stringify(statusOf(saga, state)).length * 2))
    expect(largest).toBeLessThanOrEqual(16 * 1024)
    expect(largest).toBeGreaterThan(8 * 1024)
  })

  it.each([60, 80])('stays below it when %d steps are undone', (count) => {
    const saga = aSaga(Array.from({ length: count }, (_, index) => [{ name: `synchronize-part-${index}` }]))

    const { states } = tell(saga, { [`synchronize-part-${count - 1}`]: [refused] })

    const largest = Math.max(...states.map((state) => JSON.stringify(statusOf(saga, state)).length * 2))
    expect(largest).toBeLessThanOrEqual(16 * 1024)
    expect(largest).toBeGreaterThan(8 * 1024)
  })
})
