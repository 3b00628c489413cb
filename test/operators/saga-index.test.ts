// Lists, searches, counts and causes over all sagas that are known.

import { beforeEach, describe, expect, it } from 'vitest'
import { SagaIndex } from '../../src/operators/index/saga-index.js'
import type { SagaStatus, StepStatus } from '../../src/saga/status.js'

const rowOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const idOf = (number: number, saga = 'onboarding') => `${saga}:contact:${rowOf(number)}:${'0'.repeat(20)}`
const timeOf = (number: number) => new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString()

const step = (change: Partial<StepStatus> = {}): StepStatus => ({
  name: 'register',
  partner: 'master-data',
  action: 'register',
  outcome: 'applied',
  attempts: 1,
  ...change,
})

const status = (number: number, change: Partial<SagaStatus> = {}): SagaStatus => ({
  id: idOf(number, change.saga),
  saga: 'onboarding',
  version: 1,
  table: 'contact',
  rowId: rowOf(number),
  phase: 'completed',
  startedAt: timeOf(number),
  updatedAt: timeOf(number),
  steps: [step()],
  owed: [],
  log: [],
  ...change,
})

const refused = (number: number, reason: string) =>
  status(number, {
    phase: 'compensated',
    steps: [step({ outcome: 'refused', reason, undo: { outcome: 'applied', attempts: 1 } })],
  })

let index: SagaIndex
beforeEach(() => {
  index = new SagaIndex(1_000)
})

const idsOf = (filter: Parameters<SagaIndex['page']>[0], limit = 100) => index.page(filter, limit).ids

describe('a list', () => {
  it('has the newest first, in whatever order they came', () => {
    for (const number of [2, 0, 3, 1]) index.put(status(number))

    expect(idsOf({})).toEqual([3, 2, 1, 0].map((number) => idOf(number)))
  })

  it('goes on from page to page, and neither repeats nor leaves out when new ones come meanwhile', () => {
    for (let number = 0; number < 25; number++) index.put(status(number))
    const first = index.page({}, 10)
    index.put(status(99))
    const second = index.page({}, 10, first.next)
    const third = index.page({}, 10, second.next)

    expect([...first.ids, ...second.ids, ...third.ids]).toEqual(Array.from({ length: 25 }, (_, at) => idOf(24 - at)))
    expect(third.next).toBeUndefined()
  })

  it('refuses a token that is none of its own', () => {
    expect(() => index.page({}, 10, 'nonsense')).toThrow(expect.objectContaining({ code: 'QUERY_MALFORMED' }))
  })

  it.each([
    ['saga', { saga: 'sync' }, [3]],
    ['phase', { phase: ['held', 'waiting'] }, [2]],
    ['row', { rowId: rowOf(1) }, [1]],
    ['table', { table: 'account' }, []],
    ['time', { since: timeOf(1), until: timeOf(3) }, [2, 1]],
    ['partner that it has asked', { partner: 'erp' }, [2]],
    ['beginning of the id', { prefix: 'sync:' }, [3]],
    ['any part of a reason', { text: 'email_missing' }, [1]],
    ['any part of the id', { text: '000000000002' }, [2]],
    ['all at once', { saga: 'onboarding', text: 'HTTP', phase: ['compensated'] }, [1]],
  ] as const)('is narrowed by %s', (_, filter, expected) => {
    index.put(status(0))
    index.put(refused(1, 'HTTP 422 EMAIL_MISSING: The contact has none'))
    index.put(
      status(2, { phase: 'held', steps: [step({ partner: 'erp' }), step({ partner: 'billing', attempts: 0 })] }),
    )
    index.put(status(3, { saga: 'sync' }))

    const { phase, ...rest } = { phase: undefined, ...filter }
    expect(idsOf({ ...rest, ...(phase && { phase: [...phase] }) })).toEqual(
      expected.map((number) => idOf(number, number === 3 ? 'sync' : undefined)),
    )
  })

  it('does not find a value that it would not show', () => {
    index.put(refused(1, 'HTTP 409 TAKEN: \'Ada Berg\' <ada@example.org> is known as "A. Berg"'))

    for (const text of ['ada', 'berg', 'example.org']) expect(idsOf({ text })).toEqual([])
    expect(idsOf({ text: 'taken' })).toHaveLength(1)
  })
})

describe('what is kept', () => {
  it('follows a saga from phase to phase', () => {
    index.put(status(1, { phase: 'running' }))
    expect([...index.open]).toEqual([idOf(1)])
    const before = index.revision

    index.put(status(1, { updatedAt: timeOf(5) }))

    expect(index.counts({})).toEqual({ total: 1, byPhase: { completed: 1 }, bySaga: { onboarding: { completed: 1 } } })
    expect([...index.open]).toEqual([])
    expect(index.changes(before, () => true, 10).entries).toMatchObject([{ id: idOf(1), phase: 'completed' }])
  })

  it('is not changed by what is known already', () => {
    index.put(status(1))
    const before = index.revision
    index.put(status(1))

    expect(index.changes(before, () => true, 10)).toEqual({ entries: [], revision: before })
    expect(index.revision).toBe(before)
  })

  it('is bounded: the oldest that are over are left out, and it says so', () => {
    index = new SagaIndex(100)
    index.put(status(0, { phase: 'held' }))
    for (let number = 1; number < 300; number++) index.put(status(number))

    expect(index.size).toBeLessThanOrEqual(111)
    expect(idsOf({}, 500).at(0)).toBe(idOf(299))
    expect(idsOf({}, 500).at(-1)).toBe(idOf(0))
    expect(index.oldest).toBe(timeOf(index.size < 300 ? 300 - index.size : 0))
  })

  it('forgets what was purged', () => {
    index.put(status(1, { phase: 'held' }))
    index.remove(idOf(1))

    expect([index.size, index.open.size, index.counts({}).total]).toEqual([0, 0, 0])
  })
})

describe('causes', () => {
  it('are the same for all that failed alike, whatever ids, numbers, times and values their partners named', () => {
    index.put(
      refused(1, `HTTP 422 EMAIL_MISSING: Contact ${rowOf(1)} 'Ada' has none since 2026-01-01T08:00:00Z, try 17`),
    )
    index.put(refused(2, `HTTP 422 EMAIL_MISSING: Contact ${rowOf(2)} 'Bo' has none since 2026-02-02T09:00:00Z, try 4`))
    index.put(refused(3, 'HTTP 409 E1004: locked'))
    index.put(refused(4, 'HTTP 409 E1005: locked'))
    index.put(status(5))

    const [first, ...others] = index.causes({})
    expect(first).toMatchObject({
      saga: 'onboarding',
      step: 'register',
      partner: 'master-data',
      what: 'do',
      kind: 'compensated',
      reason: 'HTTP 422 EMAIL_MISSING: Contact … ••• has none since …, try …',
      count: 2,
      oldest: timeOf(1),
      newest: timeOf(2),
      sample: [idOf(2), idOf(1)],
    })
    expect(others.map(({ reason, count }) => [reason, count])).toEqual([
      ['HTTP 409 E1005: locked', 1],
      ['HTTP 409 E1004: locked', 1],
    ])
    expect(idsOf({ cause: first?.cause ?? '' })).toEqual([idOf(2), idOf(1)])
  })

  const until = timeOf(9)
  it.each([
    [
      'held',
      'undo',
      status(1, {
        phase: 'held',
        waitsFor: { kind: 'operator', why: 'x' },
        steps: [step({ undo: { outcome: 'refused', attempts: 1, reason: 'locked' } })],
      }),
    ],
    [
      'held',
      'do',
      status(1, {
        phase: 'held',
        waitsFor: { kind: 'operator', why: 'x' },
        steps: [step({ outcome: 'inDoubt', reason: 'no answer' })],
      }),
    ],
    ['held', undefined, status(1, { phase: 'held', waitsFor: { kind: 'operator', why: 'put on hold' } })],
    [
      'waiting',
      'do',
      status(1, {
        phase: 'waiting',
        waitsFor: { kind: 'retry', until, why: 'HTTP 503' },
        steps: [step({ outcome: 'deferred', reason: 'HTTP 503' })],
      }),
    ],
    [
      'waiting',
      'undo',
      status(1, {
        phase: 'compensating',
        waitsFor: { kind: 'retry', until, why: 'HTTP 503' },
        steps: [step({ undo: { outcome: 'deferred', attempts: 2, reason: 'HTTP 503' } })],
      }),
    ],
    ['compensated', undefined, status(1, { phase: 'compensated', undoneBecause: 'its deadline has passed' })],
    [
      'indebted',
      'undo',
      status(1, {
        phase: 'indebted',
        steps: [step({ undo: { outcome: 'skipped', attempts: 3, reason: 'written off by Ada: paid by hand' } })],
      }),
    ],
    [
      'repair',
      undefined,
      status(1, { phase: 'held', waitsFor: { kind: 'repair', why: 'the orchestration failed: SAGA_UNKNOWN' } }),
    ],
  ] as const)('of kind %s tell what stands: %s', (kind, what, one) => {
    index.put(one)

    expect(index.causes({})).toEqual([expect.objectContaining({ kind, count: 1 })])
    expect(index.causes({})[0]?.what).toBe(what)
  })

  it.each(['running', 'completed', 'cancelled', 'merged', 'pending'] as const)(
    'has none of one that is %s',
    (phase) => {
      index.put(status(1, { phase }))

      expect(index.causes({})).toEqual([])
    },
  )
})
