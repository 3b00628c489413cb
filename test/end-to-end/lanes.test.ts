// A burst of changes to many rows, their messages shuffled and doubled: the partner ends with what Dataverse has, and no write is older than the one before.
//
// LANES=full makes it 10,000 changes of 500 rows; without it a tenth of that, to be quick.

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { accountUpdated } from '../../sandbox/dataverse-message.js'
import { type Installation, until } from '../../local/installation.js'
import { pseudoRandom } from '../pseudo-random.js'
import { withInstallation } from './with-installation.js'

const isFull = process.env['LANES'] === 'full'
const changes = isFull ? 10_000 : 1_000
const rowCount = isFull ? 500 : 50

let installation: Installation
withInstallation({}, (its) => (installation = its))

const random = pseudoRandom(11)

const shuffled = <Item>(items: readonly Item[]): Item[] =>
  items
    .map((item) => ({ item, at: random(1_000_000) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item)

const rename = (rowId: string, name: string) =>
  fetch(`${installation.at.dataverse}/api/data/v9.2/accounts(${rowId})`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    body: JSON.stringify({ name }),
  })

describe('sagas in lanes', () => {
  it(`of ${changes} changes to ${rowCount} rows leave the partner with what Dataverse has, and write nothing stale`, {
    timeout: 900_000,
  }, async () => {
    const rows = Array.from({ length: rowCount }, () => randomUUID())
    await Promise.all(rows.map((rowId) => installation.createAccount(rowId, { name: '0' })))
    // While the partner is slow, changes pile up behind it.
    await installation.addFaults('erp', [{ times: changes, do: { delayMs: 300 } }])
    const latest = new Map<string, number>()
    const sender = installation.client.createSender('dataverse-events')
    for (let first = 1; first <= changes; first += 100) {
      const messages = []
      for (let version = first; version < first + 100; version++) {
        const rowId = rows[random(rows.length)] ?? ''
        await rename(rowId, String(version))
        latest.set(rowId, version)
        const message = accountUpdated(rowId, { name: String(version) })
        messages.push(message, ...(random(5) === 0 ? [message] : []))
      }
      await Promise.all(shuffled(messages).map((message) => sender.sendMessages(message)))
    }

    const sagas = await until(
      'all have ended',
      async () => {
        const all = await installation.sagas('2020-01-01')
        const areOver = all.every(({ phase }) => phase === 'completed' || phase === 'merged')
        return areOver && all.length === changes && all
      },
      { seconds: 600, everyMs: 500 },
    )

    const { erp } = await installation.ledgers()
    const written = (rowId: string) =>
      erp
        .filter(({ subject }) => subject === rowId)
        .map(({ detail }) => Number(JSON.parse(String(detail['asked'])).name))
    const wrong = [...latest].filter(([rowId, version]) => written(rowId).at(-1) !== version)
    const stale = rows.filter((rowId) => written(rowId).some((version, at, all) => version < (all[at - 1] ?? 0)))
    const merged = sagas.filter(({ phase }) => phase === 'merged').length
    process.stdout.write(
      `${changes} changes of ${rowCount} rows: ${merged} merged, so ${Math.round((100 * merged) / changes)} % of the partner’s calls saved; ${wrong.length} rows wrong, ${stale.length} written stale\n`,
    )
    expect(wrong).toEqual([])
    expect(stale).toEqual([])
  })
})
