// Looking instances up: one by its id, or a page of many.

import type { HubTables, InstanceRow, RuntimeStatus } from './tables.js'

export interface InstanceQuery {
  readonly prefix?: string
  /** Milliseconds since 1970, both inclusive. */
  readonly createdFrom?: number
  readonly createdTo?: number
  /** Empty for all. */
  readonly statuses: readonly RuntimeStatus[]
  readonly top: number
  /** `next` of the page before. */
  readonly token?: string
}

export interface InstancePage {
  readonly rows: readonly InstanceRow[]
  readonly next?: string
}

/** The newest first; with a prefix, in the order of ids. */
export function pageOf(tables: HubTables, query: InstanceQuery): InstancePage {
  const rows: InstanceRow[] = []
  for (const row of query.prefix === undefined ? byCreation(tables, query) : byPrefix(tables, query, query.prefix)) {
    if (!matches(row, query)) continue
    const last = rows.at(-1)
    if (rows.length === query.top && last) return { rows, next: tokenOf(last) }
    rows.push(row)
  }
  return { rows }
}

function matches(row: InstanceRow, { createdFrom, createdTo, statuses }: InstanceQuery): boolean {
  return (
    (createdFrom === undefined || row.createdAt >= createdFrom) &&
    (createdTo === undefined || row.createdAt <= createdTo) &&
    (statuses.length === 0 || statuses.includes(row.status))
  )
}

function* byCreation(tables: HubTables, { createdFrom = 0, createdTo, token }: InstanceQuery): Generator<InstanceRow> {
  const last = readToken(token)
  const before = last ? [last.createdAt, last.id] : createdTo === undefined ? undefined : [createdTo + 1]
  for (const { key } of tables.byCreation.entries({
    backwards: true,
    from: [createdFrom],
    ...(before ? { before } : {}),
  })) {
    const row = tables.instances.get([String(key[1])])
    if (row) yield row
  }
}

function* byPrefix(tables: HubTables, { token }: InstanceQuery, prefix: string): Generator<InstanceRow> {
  const last = readToken(token)
  for (const { key, value } of tables.instances.entries({ from: [last?.id ?? prefix] })) {
    const id = String(key[0])
    if (!id.startsWith(prefix)) return
    if (id !== last?.id) yield value
  }
}

const tokenOf = ({ id, createdAt }: InstanceRow) => Buffer.from(`${createdAt} ${id}`).toString('base64url')

/** A token that can't be read begins the list anew. */
function readToken(token: string | undefined): { id: string; createdAt: number } | undefined {
  const [, createdAt, id] = /^(\d+) (.+)$/.exec(Buffer.from(token ?? '', 'base64url').toString()) ?? []
  return id === undefined ? undefined : { id, createdAt: Number(createdAt) }
}
