// Dataverse posts a message for every write, ours too: of write-backs that race edits of people, the first start nothing and none of the second is lost.

import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { type Installation, until } from '../../local/installation.js'
import { withInstallation } from './with-installation.js'

const writeBacks = 1_000
const edits = 200
const rowCount = 40

let installation: Installation
withInstallation({}, (its) => (installation = its))

const json = { 'content-type': 'application/json' }

const write = async (rowId: string, values: object, query: string) => {
  const response = await fetch(`${installation.at.dataverse}/api/data/v9.2/accounts(${rowId})${query}`, {
    method: 'PATCH',
    headers: { ...json, 'if-match': '*' },
    body: JSON.stringify(values),
  })
  expect(response.status).toBe(204)
}

it(`${writeBacks} write-backs that race ${edits} edits: no echo starts a saga, and no edit is lost`, {
  timeout: 240_000,
}, async () => {
  const rows = Array.from({ length: rowCount }, () => randomUUID())
  await Promise.all(rows.map((rowId) => installation.createAccount(rowId, { name: 'new' })))
  const step = { table: 'account', url: `${installation.at.app}/api/events` }
  await fetch(`${installation.at.dataverse}/_steps`, { method: 'POST', headers: json, body: JSON.stringify(step) })
  const names = new Map<string, string>()

  const writing = Array.from({ length: writeBacks }, async (_, number) => {
    const rowId = rows[number % rows.length] ?? ''
    // Every other one has lost its mark on the way: a flow of somebody else has written the same column again.
    await write(rowId, { dvs_erpsyncedon: `w${number}` }, number % 2 === 0 ? '?tag=dataverse-saga' : '')
  })
  const editing = Array.from({ length: edits }, async (_, number) => {
    const rowId = rows[number % rows.length] ?? ''
    names.set(rowId, `edit ${number}`)
    await write(rowId, { name: `edit ${number}` }, '')
  })
  await Promise.all([...writing, ...editing])

  const sagas = await until(
    'every edit has its saga, and all have ended',
    async () => {
      const all = await installation.sagas('2020-01-01')
      return all.length >= edits && all.every(({ phase }) => phase === 'completed' || phase === 'merged') && all
    },
    { seconds: 120, everyMs: 200 },
  )
  const { erp, dataverse } = await installation.ledgers()
  const nameAt = (rowId: string) =>
    JSON.parse(erp.findLast(({ subject }) => subject === rowId)?.detail['asked']?.toString() ?? '{}').name
  const inDataverse = (rowId: string) =>
    dataverse.findLast(({ subject, detail }) => subject === rowId && 'name' in detail)?.detail['name']
  const lost = rows.filter((rowId) => nameAt(rowId) !== inDataverse(rowId))
  process.stdout.write(
    `${writeBacks} write-backs and ${sagas.length} of our own beside ${edits} edits: ${sagas.length - edits} echoes started, ${lost.length} edits lost\n`,
  )
  expect(sagas).toHaveLength(edits)
  expect(lost).toEqual([])
})
