// Where every run of the kit begins: an event, and a time.

import type { DataverseEvent } from '../src/saga/event.js'

/** Everything that a test does not care about. */
export function anEvent(change: Partial<DataverseEvent> = {}): DataverseEvent {
  return {
    id: '00000000000000000001',
    message: 'Create',
    table: 'contact',
    rowId: 'c0ffee00-0000-4000-8000-000000000001',
    organizationId: '00000000-0000-4000-8000-00000000000a',
    operationId: '00000000-0000-4000-8000-00000000000b',
    correlationId: '00000000-0000-4000-8000-00000000000c',
    ...change,
  }
}

/** Milliseconds since 1970. */
export const beginning = Date.UTC(2026, 0, 1)
