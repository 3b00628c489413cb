// Requests to the Dataverse Web API, as data. Sending them is the partner layer's business, like any other partner's.

import type { PartnerRequest } from '../saga/action.js'
import { ownMark } from '../saga/event.js'

const odata = { 'odata-version': '4.0', 'odata-maxversion': '4.0' } as const

/** @param set the entity set name, for example `contacts`. */
export function readRow(set: string, rowId: string, columns: readonly string[]): PartnerRequest {
  return {
    method: 'GET',
    path: `${pathOf(set, rowId)}?$select=${columns.join(',')}`,
    // Without it the Web API may answer from a cache.
    headers: { 'if-none-match': 'null', ...odata },
  }
}

export interface WriteOptions {
  /** Of the row as it was read: refused with 412 when it was changed since. */
  readonly etag?: string
  /** Registered steps that are not to run for this write; the app's user needs `prvBypassCustomBusinessLogic`. */
  readonly bypassSteps?: readonly string[]
}

/**
 * Changes the given columns only. `If-Match: *` makes a row that is gone a 404; without it the Web API would create it anew. The event that Dataverse makes of it
 * carries our mark, and starts nothing.
 */
export function writeRow(
  set: string,
  rowId: string,
  values: Readonly<Record<string, unknown>>,
  { etag = '*', bypassSteps = [] }: WriteOptions = {},
): PartnerRequest {
  const bypass = { 'mscrm.bypassbusinesslogicexecutionstepids': bypassSteps.join(',') }
  return {
    method: 'PATCH',
    path: `${pathOf(set, rowId)}?tag=${ownMark}`,
    body: values,
    headers: { 'if-match': etag, ...odata, ...(bypassSteps.length > 0 && bypass) },
  }
}

export interface ListOptions {
  readonly columns: readonly string[]
  /** OData; values from outside never become part of it. */
  readonly filter: string
  readonly orderBy: string
  /** At most so many rows. */
  readonly count: number
}

/** The first page of rows. */
export function listRows(set: string, { columns, filter, orderBy, count }: ListOptions): PartnerRequest {
  const query = new URLSearchParams({ $select: columns.join(','), $filter: filter, $orderby: orderBy })
  return {
    method: 'GET',
    path: `${root}/${set}?${query.toString()}`,
    headers: { prefer: `odata.maxpagesize=${count}`, 'if-none-match': 'null', ...odata },
  }
}

export const removeRow = (set: string, rowId: string): PartnerRequest => ({
  method: 'DELETE',
  path: pathOf(set, rowId),
  headers: odata,
})

const root = '/api/data/v9.2'
const pathOf = (set: string, rowId: string) => `${root}/${set}(${rowId})`
