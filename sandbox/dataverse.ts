// A pretend Dataverse Web API: rows of contacts, read, created, changed and deleted as the real one answers.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Ledger } from './ledger.js'
import { type Answer, type Asked, Refusal } from './partner-server.js'

const columns = new Set(['firstname', 'lastname', 'emailaddress1', 'telephone1', 'dvs_masterdataid'])
const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))

interface Row {
  readonly values: Readonly<Record<string, unknown>>
  readonly version: number
}

const odata = { 'odata-version': '4.0' }
const collection = 'contacts'

export function dataverse(ledger: Ledger): (asked: Asked) => Answer {
  /** The row as the ledger's entries have left it. */
  function find(rowId: string): Row | undefined {
    let row: Row | undefined
    for (const { subject, effect, detail, seq } of ledger.entries) {
      if (subject !== rowId) continue
      row = effect === 'delete' ? undefined : { values: { ...row?.values, ...values.parse(detail) }, version: seq }
    }
    return row
  }

  function existing(rowId: string): Row {
    const row = find(rowId)
    if (!row) throw new Refusal(404, '0x80040217', `contact With Id = ${rowId} Does Not Exist`)
    return row
  }

  function read({ url }: Asked, rowId: string): Answer {
    const row = existing(rowId)
    const all: Record<string, unknown> = { ...row.values, contactid: rowId, fullname: fullNameOf(row) }
    const wanted = url.searchParams.get('$select')?.split(',') ?? Object.keys(all)
    for (const column of wanted) if (column !== 'contactid' && column !== 'fullname') checkColumn(column)
    return {
      status: 200,
      headers: odata,
      body: {
        '@odata.context': `${url.origin}/api/data/v9.2/$metadata#contacts/$entity`,
        '@odata.etag': etagOf(row),
        ...Object.fromEntries(wanted.map((column) => [column, all[column] ?? null])),
        contactid: rowId,
      },
    }
  }

  function create({ body, url }: Asked): Answer {
    const { contactid, ...rest } = readValues(body)
    const rowId = typeof contactid === 'string' ? contactid.toLowerCase() : randomUUID()
    if (find(rowId)) throw new Refusal(412, '0x80040237', 'A record with matching key values already exists.')
    ledger.add({ effect: 'create', subject: rowId, key: null, detail: rest })
    return { status: 204, headers: { ...odata, 'odata-entityid': `${url.origin}/api/data/v9.2/contacts(${rowId})` } }
  }

  function change({ body, headers }: Asked, rowId: string): Answer {
    const condition = headers['if-match']
    if (condition !== undefined && condition !== '*' && condition !== etagOf(existing(rowId)))
      throw new Refusal(
        412,
        '0x80060882',
        'The version of the existing record does not match the RowVersion property provided.',
      )
    if (condition !== undefined) existing(rowId)
    const changed = readValues(body)
    const row = find(rowId)
    // The real one changes nothing for the same values either, but for its version; here that keeps the ledger readable.
    if (!row || Object.entries(changed).some(([column, value]) => (row.values[column] ?? null) !== value))
      ledger.add({
        effect: row ? 'update' : 'create',
        subject: rowId,
        key: headers['idempotency-key'] ?? null,
        detail: changed,
      })
    return { status: 204, headers: odata }
  }

  return (asked) => {
    const [api, data, version, resource = ''] = asked.path
    if (api !== 'api' || data !== 'data' || !version?.startsWith('v9.')) throw unknownResource(asked.url.pathname)
    if (resource === collection && asked.method === 'POST') return create(asked)
    const [, rowId] = /^contacts\(([^)]*)\)$/.exec(resource) ?? []
    if (rowId === undefined) throw unknownResource(resource)
    if (!z.guid().safeParse(rowId).success) throw new Refusal(400, '0x80060888', `'${rowId}' is not a guid.`)
    switch (asked.method) {
      case 'GET':
        return read(asked, rowId.toLowerCase())
      case 'PATCH':
        return change(asked, rowId.toLowerCase())
      case 'DELETE':
        existing(rowId.toLowerCase())
        ledger.add({ effect: 'delete', subject: rowId.toLowerCase(), key: null, detail: {} })
        return { status: 204, headers: odata }
      default:
        throw new Refusal(405, '0x8006088a', 'The requested resource does not support this HTTP method.')
    }
  }
}

function readValues(body: unknown): Record<string, unknown> {
  const read = values.safeParse(body)
  if (!read.success) throw new Refusal(400, '0x80048d19', 'Error identified in Payload provided by the user.')
  for (const column of Object.keys(read.data)) if (column !== 'contactid') checkColumn(column)
  return read.data
}

function checkColumn(column: string): void {
  if (columns.has(column)) return
  throw new Refusal(
    400,
    '0x80060888',
    `Could not find a property named '${column}' on type 'Microsoft.Dynamics.CRM.contact'.`,
  )
}

const unknownResource = (name: string) =>
  new Refusal(404, '0x80060888', `Resource not found for the segment '${name}'.`)

const etagOf = ({ version }: Row) => `W/"${version}"`

const fullNameOf = ({ values: { firstname, lastname } }: Row) =>
  [firstname, lastname].filter((name) => typeof name === 'string' && name !== '').join(' ')
