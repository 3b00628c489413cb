// Requests to the Dataverse Web API, as data. Sending them is the partner layer's business, like any other partner's.

import type { PartnerRequest } from '../saga/action.js'

const odata = { 'odata-version': '4.0', 'odata-maxversion': '4.0' } as const

/** @param set the entity set name, for example `contacts`. */
export function readRow(set: string, rowId: string, columns: readonly string[]): PartnerRequest {
  return {
    method: 'GET',
    path: `${pathOf(set, rowId)}?$select=${columns.join(',')}`,
    // Without it the Web API may answer from a cache.
    headers: { ...odata, 'if-none-match': 'null' },
  }
}

/** Changes the given columns only. `If-Match: *` makes a row that is gone a 404; without it the Web API would create it anew. */
export function writeRow(set: string, rowId: string, values: Readonly<Record<string, unknown>>): PartnerRequest {
  return { method: 'PATCH', path: pathOf(set, rowId), body: values, headers: { ...odata, 'if-match': '*' } }
}

const pathOf = (set: string, rowId: string) => `/api/data/v9.2/${set}(${rowId})`
