// Dataverse's change tracking: what changed since a token, page by page, and the token for the next time.

import { z } from 'zod'
import type { PartnerRequest } from '../saga/action.js'

const row = z.looseObject({
  '@odata.etag': z.string(),
  modifiedon: z.string().nullish(),
  createdon: z.string().nullish(),
})
const removed = z.looseObject({ id: z.string(), reason: z.literal('deleted') })

const page = z.object({
  value: z.array(z.union([removed, row])),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
})

export interface ChangedRow {
  readonly id: string
  readonly etag: string
  /** Milliseconds since 1970, in whole seconds. */
  readonly modifiedOn: number
  /** The same; as `modifiedOn` where a table has no such column. */
  readonly createdOn: number
  /** The columns that were asked for. */
  readonly values: unknown
}

export interface ChangePage {
  readonly rows: readonly ChangedRow[]
  readonly deleted: number
  /** Path and query of the next page; absent on the last. */
  readonly next: string | undefined
  /** Path and query that tell what changes from now on; on the last page. */
  readonly delta: string | undefined
}

/**
 * The same columns of all rows that a request asks of one: `/api/data/v9.2/accounts({id})?$select=name`. The first time it is everything, for there is no token yet.
 * Undefined for a request that has not this form.
 */
export function allChanges({ path }: PartnerRequest): string | undefined {
  const [, set, columns] = /^(.*\/\w+)\([^)]*\)\?\$select=([\w,]+)$/.exec(path) ?? []
  return set === undefined || columns === undefined ? undefined : `${set}?$select=${columns},modifiedon,createdon`
}

/** A page, be it the first or a later one. 410, or 400, when its token has expired: then everything is read again. */
export const changesAt = (path: string): PartnerRequest => ({
  method: 'GET',
  path,
  headers: {
    'odata-version': '4.0',
    'odata-maxversion': '4.0',
    prefer: 'odata.track-changes,odata.maxpagesize=500',
    'if-none-match': 'null',
  },
})

/** @param idColumn such as `accountid` @throws ZodError */
export function readChanges(idColumn: string, body: unknown): ChangePage {
  const { value, '@odata.nextLink': next, '@odata.deltaLink': delta } = page.parse(body)
  const rows = value.flatMap((one): ChangedRow[] => {
    const read = row.safeParse(one)
    // All tables of activities have their ids in one column.
    const id = z.guid().safeParse(one[idColumn] ?? one['activityid'])
    if (!read.success || !id.success) return []
    const modifiedOn = Date.parse(read.data.modifiedon ?? '') || 0
    const createdOn = Date.parse(read.data.createdon ?? '') || modifiedOn
    return [{ id: id.data.toLowerCase(), etag: read.data['@odata.etag'], modifiedOn, createdOn, values: one }]
  })
  return { rows, deleted: value.length - rows.length, next: pathOf(next), delta: pathOf(delta) }
}

/** Links are absolute; they are followed at the address that is configured. */
function pathOf(link: string | undefined): string | undefined {
  if (link === undefined) return undefined
  const { pathname, search } = new URL(link)
  return `${pathname}${search}`
}
