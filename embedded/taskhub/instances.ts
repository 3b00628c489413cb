// Looking instances up: one by its id, or a page of many.

import type { Entry, Table } from '../store/store.js'
import { groupOf, type HubTables, type InstanceRow, type RuntimeStatus } from './tables.js'

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

/** By time of creation, the newest first; of some statuses, those alone are gone through. */
function* byCreation(tables: HubTables, query: InstanceQuery): Generator<InstanceRow> {
  const { createdFrom = 0, createdTo, token } = query
  const last = readToken(token)
  const before = last ? [last.createdAt, last.id] : createdTo === undefined ? [] : [createdTo + 1]
  const range = <Value>(table: Table<Value>, prefix: readonly string[]) =>
    table.entries({
      backwards: true,
      prefix,
      from: [...prefix, createdFrom],
      ...(before.length > 0 ? { before: [...prefix, ...before] } : {}),
    })
  const groups = [...new Set(query.statuses.map(groupOf))]
  if (groups.length === 0) {
    for (const { value } of range(tables.instances, [])) yield value
    return
  }
  for (const { createdAt, id } of newestFirst(groups.map((group) => range(tables.byStatus, [group])))) {
    const row = tables.instances.get([createdAt, id])
    if (row) yield row
  }
}

interface Found {
  readonly createdAt: number
  readonly id: string
}

interface Head extends Found {
  readonly rest: Iterator<Entry<true>>
}

/** Several lists that have the newest first, as one. */
function* newestFirst(ways: readonly Iterable<Entry<true>>[]): Generator<Found> {
  const rests = ways.map((way) => way[Symbol.iterator]())
  try {
    const heads = rests.flatMap((rest) => headOf(rest))
    for (;;) {
      heads.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
      const [first] = heads
      if (!first) return
      yield first
      heads.splice(0, 1, ...headOf(first.rest))
    }
  } finally {
    for (const rest of rests) rest.return?.()
  }
}

/** One, or none at the end. */
function headOf(rest: Iterator<Entry<true>>): Head[] {
  const { value, done } = rest.next()
  return done === true ? [] : [{ rest, createdAt: Number(value.key.at(-2)), id: String(value.key.at(-1)) }]
}

function* byPrefix(tables: HubTables, { token }: InstanceQuery, prefix: string): Generator<InstanceRow> {
  const last = readToken(token)
  for (const { key, value: createdAt } of tables.creations.entries({ from: [last?.id ?? prefix] })) {
    const id = String(key[0])
    if (!id.startsWith(prefix)) return
    const row = id === last?.id ? undefined : tables.instances.get([createdAt, id])
    if (row) yield row
  }
}

const tokenOf = ({ id, createdAt }: InstanceRow) => Buffer.from(`${createdAt} ${id}`).toString('base64url')

/** A token that can't be read begins the list anew. */
function readToken(token: string | undefined): { id: string; createdAt: number } | undefined {
  const [, createdAt, id] = /^(\d+) (.+)$/.exec(Buffer.from(token ?? '', 'base64url').toString()) ?? []
  return id === undefined ? undefined : { id, createdAt: Number(createdAt) }
}
