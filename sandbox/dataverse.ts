// A pretend Dataverse Web API: rows of contacts and accounts, read, created, changed and deleted as the real one answers.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Ledger } from './ledger.js'
import { readFilter } from './odata-filter.js'
import { type Answer, type Asked, Refusal } from './partner-server.js'
import { Steps } from './steps.js'

interface Table {
  readonly name: string
  readonly id: string
  readonly columns: ReadonlySet<string>
  /** Made of others: can be read, not written. */
  readonly computed: Readonly<Record<string, (row: Row) => unknown>>
}

const tables: Readonly<Record<string, Table>> = {
  contacts: {
    name: 'contact',
    id: 'contactid',
    columns: new Set(['firstname', 'lastname', 'emailaddress1', 'telephone1', 'dvs_masterdataid']),
    computed: { fullname: fullNameOf },
  },
  accounts: {
    name: 'account',
    id: 'accountid',
    columns: new Set(['name', 'accountnumber', 'emailaddress1', 'dvs_erpid', 'dvs_erpsyncedon']),
    computed: {},
  },
  dvs_outboxes: {
    name: 'dvs_outbox',
    id: 'dvs_outboxid',
    columns: new Set([
      'dvs_payload',
      'dvs_status',
      'dvs_claimeduntil',
      'dvs_publishedon',
      'dvs_retrycount',
      'dvs_error',
      'createdon',
    ]),
    computed: {},
  },
}
const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))

interface Row {
  readonly table: string | undefined
  readonly values: Readonly<Record<string, unknown>>
  readonly version: number
  /** ISO 8601, in whole seconds. */
  readonly createdOn: string
  readonly modifiedOn: string
}

const odata = { 'odata-version': '4.0' }

export function dataverse(ledger: Ledger): (asked: Asked) => Answer {
  const steps = new Steps()
  const rows = new Map<string, Row>()
  let position = 0

  /** All rows as the ledger's entries have left them. */
  function current(): ReadonlyMap<string, Row> {
    if (position > ledger.entries.length) {
      position = 0
      rows.clear()
    }
    for (const { subject, effect, detail, seq, table, at } of ledger.entries.slice(position)) {
      const before = rows.get(subject)
      const second = at.replace(/\.\d+Z$/, 'Z')
      if (effect === 'delete') rows.delete(subject)
      else
        rows.set(subject, {
          table: table ?? before?.table,
          values: { ...before?.values, ...values.parse(detail) },
          version: seq,
          createdOn: before?.createdOn ?? second,
          modifiedOn: second,
        })
    }
    position = ledger.entries.length
    return rows
  }

  const find = (rowId: string): Row | undefined => current().get(rowId)

  function existing({ name }: Table, rowId: string): Row {
    const row = find(rowId)
    if (!row) throw new Refusal(404, '0x80040217', `${name} With Id = ${rowId} Does Not Exist`)
    return row
  }

  function read({ url }: Asked, table: Table, rowId: string): Answer {
    const row = existing(table, rowId)
    const made = Object.entries(table.computed).map(([column, make]) => [column, make(row)])
    const all: Record<string, unknown> = { ...row.values, ...Object.fromEntries(made), [table.id]: rowId }
    const wanted = url.searchParams.get('$select')?.split(',') ?? Object.keys(all)
    for (const column of wanted) if (column !== table.id && !table.computed[column]) checkColumn(table, column)
    return {
      status: 200,
      headers: odata,
      body: {
        '@odata.context': `${url.origin}/api/data/v9.2/$metadata#${table.name}s/$entity`,
        '@odata.etag': etagOf(row),
        ...Object.fromEntries(wanted.map((column) => [column, all[column] ?? null])),
        [table.id]: rowId,
      },
    }
  }

  /** Pages of `Prefer: odata.maxpagesize`, in the order of creation, or of the one column that is asked for. */
  function list({ url, headers }: Asked, table: Table): Answer {
    const isTracking = headers['prefer']?.includes('odata.track-changes') === true
    const since = Number(url.searchParams.get('$deltatoken') ?? 0)
    const matches = readFilter(url.searchParams.get('$filter') ?? `${table.id} ne null`)
    const [, pageSize = '5000'] = /odata\.maxpagesize=(\d+)/.exec(headers['prefer'] ?? '') ?? []
    const [order = '', direction] = (url.searchParams.get('$orderby') ?? '').split(/[ ,]/)
    const at = Number(url.searchParams.get('$skiptoken') ?? 0)
    const found = [...current()]
      .filter(([, row]) => row.table === table.name && row.version > since)
      .filter(([rowId, row]) => matches((column) => (column === table.id ? rowId : row.values[column])))
    if (order !== '')
      found.sort(
        ([, one], [, other]) => compareTexts(one.values[order], other.values[order]) * (direction === 'desc' ? -1 : 1),
      )
    const page = found.slice(at, at + Number(pageSize))
    const wanted = url.searchParams.get('$select')?.split(',')
    const next = new URL(url)
    // What changes while the pages are read belongs to the next time.
    const asOf = url.searchParams.get('$asof') ?? String(ledger.entries.at(-1)?.seq ?? 0)
    next.searchParams.set('$skiptoken', String(at + page.length))
    next.searchParams.set('$asof', asOf)
    const delta = new URL(url)
    for (const name of ['$skiptoken', '$asof']) delta.searchParams.delete(name)
    delta.searchParams.set('$deltatoken', asOf)
    return {
      status: 200,
      headers: odata,
      body: {
        value: page.map(([rowId, row]) => ({
          '@odata.etag': etagOf(row),
          ...(wanted ? Object.fromEntries(wanted.map((column) => [column, valueAt(table, row, column)])) : row.values),
          [table.id]: rowId,
        })),
        ...(at + page.length < found.length && { '@odata.nextLink': next.href }),
        ...(isTracking && at + page.length >= found.length && { '@odata.deltaLink': delta.href }),
      },
    }
  }

  function create({ body, url }: Asked, table: Table): Answer {
    const { [table.id]: given, ...rest } = readValues(table, body)
    const rowId = typeof given === 'string' ? given.toLowerCase() : randomUUID()
    if (find(rowId)) throw new Refusal(412, '0x80040237', 'A record with matching key values already exists.')
    ledger.add({ effect: 'create', subject: rowId, table: table.name, key: null, detail: rest })
    steps.tell({ message: 'Create', table: table.name, rowId, values: { ...rest, [table.id]: rowId }, tag: tagOf(url) })
    return {
      status: 204,
      headers: { ...odata, 'odata-entityid': `${url.origin}/api/data/v9.2/${table.name}s(${rowId})` },
    }
  }

  function change({ body, headers, url }: Asked, table: Table, rowId: string): Answer {
    const condition = headers['if-match']
    if (condition !== undefined && condition !== '*' && condition !== etagOf(existing(table, rowId)))
      throw new Refusal(
        412,
        '0x80060882',
        'The version of the existing record does not match the RowVersion property provided.',
      )
    if (condition !== undefined) existing(table, rowId)
    const changed = readValues(table, body)
    const row = find(rowId)
    // The real one changes nothing for the same values either, but for its version; here that keeps the ledger readable.
    if (!row || Object.entries(changed).some(([column, value]) => (row.values[column] ?? null) !== value))
      ledger.add({
        effect: row ? 'update' : 'create',
        subject: rowId,
        table: table.name,
        key: headers['idempotency-key'] ?? null,
        detail: changed,
      })
    const message = row ? 'Update' : 'Create'
    steps.tell({ message, table: table.name, rowId, values: { ...changed, [table.id]: rowId }, tag: tagOf(url) })
    return { status: 204, headers: odata }
  }

  return (asked) => {
    const [api, data, version, resource = ''] = asked.path
    if (api === '_steps') return registerSteps(asked, steps)
    if (api !== 'api' || data !== 'data' || !version?.startsWith('v9.')) throw unknownResource(asked.url.pathname)
    const [, set = '', rowId] = /^(\w+)(?:\(([^)]*)\))?$/.exec(resource) ?? []
    const table = tables[set]
    if (!table) throw unknownResource(resource)
    if (rowId === undefined && asked.method === 'POST') return create(asked, table)
    if (rowId === undefined && asked.method === 'GET') return list(asked, table)
    if (rowId === undefined) throw unknownResource(resource)
    if (!z.guid().safeParse(rowId).success) throw new Refusal(400, '0x80060888', `'${rowId}' is not a guid.`)
    switch (asked.method) {
      case 'GET':
        return read(asked, table, rowId.toLowerCase())
      case 'PATCH':
        return change(asked, table, rowId.toLowerCase())
      case 'DELETE':
        existing(table, rowId.toLowerCase())
        ledger.add({ effect: 'delete', subject: rowId.toLowerCase(), key: null, detail: {} })
        steps.tell({
          message: 'Delete',
          table: table.name,
          rowId: rowId.toLowerCase(),
          values: {},
          tag: tagOf(asked.url),
        })
        return { status: 204, headers: odata }
      default:
        throw new Refusal(405, '0x8006088a', 'The requested resource does not support this HTTP method.')
    }
  }
}

function valueAt({ computed }: Table, row: Row, column: string): unknown {
  if (column === 'modifiedon') return row.modifiedOn
  if (column === 'createdon') return row.values[column] ?? row.createdOn
  return computed[column]?.(row) ?? row.values[column] ?? null
}

const textOf = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')
const compareTexts = (one: unknown, other: unknown) => textOf(one).localeCompare(textOf(other))

const tagOf = (url: URL) => url.searchParams.get('tag') ?? undefined

/** `POST /_steps { table, url, filteringAttributes }`; `DELETE /_steps` */
function registerSteps({ method, body }: Asked, steps: Steps): Answer {
  if (method === 'DELETE') steps.clear()
  else steps.register(body)
  return { status: 200, body: {} }
}

function readValues(table: Table, body: unknown): Record<string, unknown> {
  const read = values.safeParse(body)
  if (!read.success) throw new Refusal(400, '0x80048d19', 'Error identified in Payload provided by the user.')
  for (const column of Object.keys(read.data)) if (column !== table.id) checkColumn(table, column)
  return read.data
}

function checkColumn({ name, columns }: Table, column: string): void {
  if (columns.has(column)) return
  throw new Refusal(
    400,
    '0x80060888',
    `Could not find a property named '${column}' on type 'Microsoft.Dynamics.CRM.${name}'.`,
  )
}

const unknownResource = (name: string) =>
  new Refusal(404, '0x80060888', `Resource not found for the segment '${name}'.`)

const etagOf = ({ version }: Row) => `W/"${version}"`

function fullNameOf({ values: { firstname, lastname } }: Row): string {
  return [firstname, lastname].filter((name) => typeof name === 'string' && name !== '').join(' ')
}
