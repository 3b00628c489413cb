// What a page of changed rows tells.

import { describe, expect, it } from 'vitest'
import { readChanges } from '../../src/dataverse/change-tracking.js'

const id = 'c0ffee00-0000-4000-8000-000000000001'

describe('a changed row', () => {
  it.each([
    ['accountid', 'accountid'],
    ['taskid', 'activityid'],
  ])('whose table has its ids in %s is known by its %s', (idColumn, column) => {
    const row = { '@odata.etag': 'W/"1"', [column]: id, modifiedon: '2026-01-01T00:00:00Z' }

    expect(readChanges(idColumn, { value: [row] })).toMatchObject({ rows: [{ id }], deleted: 0 })
  })
})
