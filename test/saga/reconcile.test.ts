// Which changes count as missed, and what a run of pages adds up to.

import { describe, expect, it } from 'vitest'
import type { On } from '../../src/saga/define.js'
import type { Phase } from '../../src/saga/phase.js'
import { addPage, reconciliationOf, usualSpan, verdictOf } from '../../src/saga/reconcile.js'
import type { SagaStatus } from '../../src/saga/status.js'

const now = Date.parse('2026-01-01T12:00:00Z')
const row = { digest: 'aaaa0000', modifiedOn: now - usualSpan.grace, createdOn: now - usualSpan.grace }
const onUpdate: On = { table: 'account', message: ['Create', 'Update'] }

const saga = (phase: Phase, snapshot?: string): SagaStatus => ({
  id: 'sync:account:x:1',
  saga: 'sync',
  version: 1,
  table: 'account',
  rowId: 'x',
  phase,
  startedAt: '',
  updatedAt: '',
  steps: [],
  owed: [],
  log: [],
  ...(snapshot !== undefined && { snapshot }),
})

describe('a row', () => {
  it.each<[string, readonly SagaStatus[], string]>([
    ['no saga at all', [], 'missing'],
    ['a saga that read it as it stands', [saga('completed', 'aaaa0000')], 'in sync'],
    ['a saga that read it as it stands, and was undone', [saga('compensated', 'aaaa0000')], 'in sync'],
    ['a saga that read it as it was before', [saga('completed', 'bbbb0000')], 'missing'],
    ['one that has yet to read it', [saga('pending')], 'in sync'],
    ['one that ended without having read it', [saga('cancelled')], 'missing'],
    ['one that runs with what it was before', [saga('waiting', 'bbbb0000')], 'missing'],
    ['one whose work another one does', [saga('merged')], 'missing'],
    ['one of before and one of now', [saga('completed', 'bbbb0000'), saga('held', 'aaaa0000')], 'in sync'],
  ])('with %s: %s', (_, sagas, verdict) => {
    expect(verdictOf(onUpdate, row, sagas, now)).toBe(verdict)
  })

  it('that became again what it had been is missing when the last saga read what it was in between', () => {
    const first = { ...saga('completed', 'aaaa0000'), startedAt: '2026-01-01T10:00:00.000Z' }
    const second = { ...saga('completed', 'bbbb0000'), startedAt: '2026-01-01T11:00:00.000Z' }

    expect(verdictOf(onUpdate, row, [first, second], now)).toBe('missing')
    expect(verdictOf(onUpdate, row, [second, first], now)).toBe('missing')
  })

  it('that has just changed may still have its message on the way', () => {
    expect(verdictOf(onUpdate, { ...row, modifiedOn: now - 1 }, [], now)).toBe('young')
  })

  it('for a saga of creations alone needs to have had one, whatever it has become since', () => {
    const onCreate: On = { table: 'contact', message: 'Create' }

    expect(verdictOf(onCreate, row, [saga('completed', 'bbbb0000')], now)).toBe('in sync')
    expect(verdictOf(onCreate, row, [], now)).toBe('missing')
  })

  it('of a time that nobody remembers is left as it is: its saga may be purged, or there was none yet', () => {
    const before = now - usualSpan.reach - 1
    const onCreate: On = { table: 'contact', message: 'Create' }

    expect(verdictOf(onUpdate, { ...row, modifiedOn: before }, [], now)).toBe('old')
    expect(verdictOf(onUpdate, { ...row, createdOn: before }, [], now)).toBe('missing')
    expect(verdictOf(onCreate, { ...row, createdOn: before }, [], now)).toBe('old')
    expect(verdictOf(onUpdate, { ...row, modifiedOn: before }, [], now, { ...usualSpan, reach: Infinity })).toBe(
      'missing',
    )
  })
})

describe('a run', () => {
  const page = { rows: 2, deleted: 1, young: 0, missing: ['x'] }

  it('adds its pages up, and ends where the next one begins', () => {
    const input = { saga: 'sync' }
    const told = addPage(addPage(reconciliationOf(input), input, { ...page, next: '/2' }), input, {
      ...page,
      delta: '/3',
    })

    expect(told).toEqual({
      saga: 'sync',
      rows: 4,
      deleted: 2,
      young: 0,
      old: 0,
      missingCount: 2,
      missing: ['x', 'x'],
      wasFull: true,
      delta: '/3',
    })
  })

  it('with young rows begins where it began the next time, so that none is forgotten', () => {
    const input = { saga: 'sync', delta: '/1' }

    expect(addPage(reconciliationOf(input), input, { ...page, young: 1, delta: '/3' }).delta).toBe('/1')
  })

  it('whose token has expired is a full one', () => {
    const input = { saga: 'sync', delta: '/1' }
    const empty = { rows: 0, deleted: 0, young: 0, missing: [], isExpired: true as const }

    expect(addPage(reconciliationOf(input), input, empty)).toMatchObject({ wasFull: true, rows: 0 })
  })

  it('whose token expires on the way counts each row once, and keeps what it has found to be missing', () => {
    const input = { saga: 'sync', delta: '/1' }
    const empty = { rows: 0, deleted: 0, young: 0, missing: [], isExpired: true as const }
    const pages = [{ ...page, young: 1, next: '/2' }, empty, { ...page, missing: [], delta: '/3' }]

    const told = pages.reduce((before, one) => addPage(before, input, one), reconciliationOf(input))

    expect(told).toEqual({
      saga: 'sync',
      rows: 2,
      deleted: 1,
      young: 0,
      old: 0,
      missingCount: 1,
      missing: ['x'],
      wasFull: true,
      delta: '/3',
    })
  })

  it('names a hundred, and counts all', () => {
    const input = { saga: 'sync' }
    const many = { ...page, missing: Array.from({ length: 150 }, (_, number) => String(number)) }
    const told = addPage(reconciliationOf(input), input, many)

    expect([told.missing.length, told.missingCount]).toEqual([100, 150])
  })
})
