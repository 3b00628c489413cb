// An outbox table in Dataverse, two publishers that empty it, one of them killed again and again: every row has its effect at the partner once.
//
// SURVIVAL=full makes it 2,000 rows and 12 kills; without it a tenth of that, to be quick.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { connectionStringAt, type Installation, until } from '../../local/installation.js'
import { type Started, startInstallation } from '../../local/processes.js'

const isFull = process.env['SURVIVAL'] === 'full'
const rowCount = isFull ? 2_000 : 200
const kills = isFull ? 12 : 3

const outbox = { OUTBOX_SET: 'dvs_outboxes', OUTBOX_SCHEDULE: '* * * * * *' }
const page = z.object({
  value: z.array(
    z.object({
      dvs_outboxid: z.string(),
      dvs_status: z.number(),
      dvs_error: z.string().nullable(),
      dvs_retrycount: z.number().nullable(),
    }),
  ),
})

let data: string
let first: Started
let second: Started
let installation: Installation

/** Another worker of the same app: the same Dataverse, partners and Service Bus, with a task hub of its own. */
function startSecond(): Promise<Started> {
  const { dataverse, masterData, erp, vault, amqpPort } = installation.at
  return startInstallation(join(data, 'second'), {
    ...outbox,
    DATAVERSE_URL: dataverse,
    MASTER_DATA_URL: masterData,
    ERP_URL: erp,
    KEY_VAULT_URL: vault,
    ERP_API_KEY: 'vault:erp-api-key',
    ServiceBusConnection: connectionStringAt(amqpPort),
  })
}

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'outbox-'))
  first = await startInstallation(join(data, 'first'), outbox)
  installation = first.installation
  second = await startSecond()
})
afterAll(async () => {
  await second.stop()
  await first.stop()
  rmSync(data, { recursive: true, force: true })
})

const create = (set: string, values: object) =>
  fetch(`${installation.at.dataverse}/api/data/v9.2/${set}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(values),
  })

/** The business row and its outbox row, as a plug-in writes them in one transaction. */
async function writeContact(): Promise<string> {
  const rowId = randomUUID()
  await installation.createContact({ rowId, firstName: 'Ada', lastName: 'Berg', email: 'ada@example.org' })
  const notice = { table: 'contact', rowId, operation: 'Create', correlationId: randomUUID() }
  await writeOutbox(JSON.stringify(notice))
  return rowId
}

const writeOutbox = (payload: string) =>
  create('dvs_outboxes', { dvs_payload: payload, dvs_status: 0, createdon: new Date().toISOString() })

async function rowsWith(status: number) {
  const columns = 'dvs_outboxid,dvs_status,dvs_error,dvs_retrycount'
  const query = new URLSearchParams({ $filter: `dvs_status eq ${status}`, $select: columns })
  const response = await fetch(`${installation.at.dataverse}/api/data/v9.2/dvs_outboxes?${query.toString()}`)
  return page.parse(await response.json()).value
}

describe('an outbox', () => {
  it(`of ${rowCount} rows, emptied by two publishers of which one is killed ${kills} times: every effect once`, {
    timeout: 600_000,
  }, async () => {
    const written: string[] = []
    let begun = 0
    const writing = Array.from({ length: 4 }, async () => {
      while (begun++ < rowCount) written.push(await writeContact())
    })
    for (let count = 1; count <= kills; count++) {
      await until(
        'there is something to lose',
        async () => (await rowsWith(2)).length >= ((count - 1) * rowCount) / kills / 2,
      )
      second.child.kill('SIGKILL')
      await once(second.child, 'exit')
      await second.installation.close()
      second = await startSecond()
    }
    await Promise.all(writing)

    const acked = await until(
      'all are acknowledged',
      async () => {
        const found = await rowsWith(2)
        return found.length >= rowCount && found
      },
      { seconds: 300, everyMs: 500 },
    )

    const { masterData, erp } = await installation.ledgers()
    const effects = (entries: readonly { subject: string; effect: string }[], effect: string) =>
      entries
        .filter((entry) => entry.effect === effect)
        .map(({ subject }) => subject)
        .toSorted()
    const all = written.toSorted()
    process.stdout.write(
      `${acked.length} outbox rows over ${kills} kills: ${effects(masterData, 'register').length} registered, ${effects(erp, 'create-customer').length} customers\n`,
    )
    expect(effects(masterData, 'register')).toEqual(all)
    expect(effects(erp, 'create-customer')).toEqual(all)
    expect(acked).toHaveLength(all.length)
  })

  it('gives up a row that nobody can read, with the reason', async () => {
    await writeOutbox('{"hello":"world"}')

    const [failed] = await until('it is given up', async () => {
      const found = await rowsWith(3)
      return found.length > 0 && found
    })

    expect(failed).toMatchObject({ dvs_retrycount: 1, dvs_error: expect.stringContaining('EVENT_NOT_A_CONTEXT') })
  })
})
