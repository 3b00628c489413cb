// What a page of outbox rows tells.

import { describe, expect, it } from 'vitest'
import { readOutboxPage } from '../../src/dataverse/outbox.js'

const id = 'c0ffee00-0000-4000-8000-000000000001'

describe('an outbox row', () => {
  it.each([
    ['dvs_outboxes', 'dvs_outboxid'],
    ['dvs_events', 'dvs_eventid'],
    ['dvs_messages', 'dvs_messageid'],
    ['dvs_outboxentries', 'dvs_outboxentryid'],
  ])('of %s has its id in %s', (set, column) => {
    const row = { '@odata.etag': 'W/"1"', [column]: id, dvs_payload: '{}' }

    expect(readOutboxPage(set, { value: [row] })).toMatchObject([{ id, payload: '{}' }])
  })
})
