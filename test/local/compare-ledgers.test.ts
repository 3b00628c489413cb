// The comparison catches each way in which a partner can disagree with a saga's end.

import { describe, expect, it } from 'vitest'
import { disagreements, type Entry, type Ledgers } from '../../local/compare-ledgers.js'

const row = 'row-1'
const entry = (seq: number, effect: string, detail: Entry['detail'] = {}): Entry => ({
  seq,
  effect,
  subject: row,
  key: `key-${seq}`,
  detail,
})

const registered = entry(1, 'register', { answer: { id: 'MD-1' } })
const stored = entry(2, 'update', { dvs_masterdataid: 'MD-1' })
const created = entry(3, 'create-customer')
const cleared = entry(4, 'update', { dvs_masterdataid: null })
const retired = entry(5, 'retire')

const completed: Ledgers = { masterData: [registered], dataverse: [stored], erp: [created] }
const compensated: Ledgers = { masterData: [registered, retired], dataverse: [stored, cleared], erp: [] }

const compare = (phase: string, ledgers: Ledgers) =>
  disagreements([row], [{ id: 'saga', rowId: row, phase }], ledgers).map((line) => line.replace(/^.*but /, ''))

describe('ledgers', () => {
  it('that hold what the sagas say agree', () => {
    expect(compare('completed', completed)).toEqual([])
    expect(compare('compensated', compensated)).toEqual([])
  })

  it.each([
    ['a lost record', { ...completed, masterData: [] }, ['the row carries "MD-1"', 'master data has no record']],
    ['a doubled record', { ...completed, masterData: [registered, registered] }, ['master data registered it 2 times']],
    ['a retired record', { ...completed, masterData: [registered, retired] }, ['master data has retired its record']],
    ['an empty row', { ...completed, dataverse: [] }, ['the row carries null']],
    ['a lost customer', { ...completed, erp: [] }, ['the ERP has no customer']],
    ['a doubled customer', { ...completed, erp: [created, created] }, ['the ERP created 2 customers']],
  ])('show %s of a completed saga', (_, ledgers, expected) => {
    expect(compare('completed', ledgers)).toEqual(expect.arrayContaining(expected))
  })

  it.each([
    ['an active record', { ...compensated, masterData: [registered] }, 'master data still has an active record'],
    ['a key on the row', { ...compensated, dataverse: [stored] }, 'the row still carries "MD-1"'],
    ['an active customer', { ...compensated, erp: [created] }, 'the ERP still has an active customer'],
    [
      'an undo out of order',
      { ...compensated, masterData: [registered, entry(3, 'retire')] },
      'it was not undone in reverse',
    ],
  ])('show %s of a compensated saga', (_, ledgers, expected) => {
    expect(compare('compensated', ledgers)).toEqual([expected])
  })

  it('show a saga that is missing, doubled, or has not ended', () => {
    const saga = { id: 'saga', rowId: row, phase: 'running' }

    expect(disagreements([row], [], completed)).toEqual(['row-1: 0 sagas instead of one'])
    expect(disagreements([row], [saga, saga], completed)).toEqual(['row-1: 2 sagas instead of one'])
    expect(compare('running', completed)).toEqual(['it has not ended'])
  })
})
