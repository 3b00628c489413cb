// The runtime is killed with SIGKILL while a bulk command is under way: it goes on by itself, each saga follows once, and the log stays whole.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/installation.js'
import { freePort, startInstallation, type Started } from '../../local/processes.js'
import { bulkJob, operationPage } from '../../src/operators/schemas/acts.js'

const count = 40
let data: string
let environment: Record<string, string>
let started: Started

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'bulk-'))
  const names = ['PORT', 'AMQP_PORT', 'DATAVERSE_PORT', 'MASTER_DATA_PORT', 'ERP_PORT']
  const ports = await Promise.all(names.map(freePort))
  environment = Object.fromEntries(names.map((name, index) => [name, String(ports[index])]))
  started = await startInstallation(data, environment)
})
afterAll(async () => {
  await started.stop()
  rmSync(data, { recursive: true, force: true })
})

async function killAndStart() {
  started.child.kill('SIGKILL')
  await once(started.child, 'exit')
  await started.installation.close()
  started = await startInstallation(data, environment)
}

const url = (path: string) => `${started.installation.at.app}/api/${path}`
const jobNow = async (id: string) => bulkJob.parse(await (await fetch(url(`bulk/${id}`))).json())

it('a bulk command survives its machine', { timeout: 120_000 }, async () => {
  const since = new Date(Date.now() - 1_000).toISOString()
  const { installation } = started
  await installation.addFaults('erp', [
    { when: { path: '/customers' }, times: count, do: { status: 425, retryAfter: 100 } },
  ])
  const rows = Array.from({ length: count }, () => randomUUID())
  for (const rowId of rows)
    await installation.send(
      await installation.createContact({ rowId, firstName: 'Ada', lastName: 'B', email: 'a@b.org' }),
    )
  await until('all wait', async () => {
    const sagas = await installation.sagas(since)
    return sagas.length === count && sagas.every(({ phase }) => phase === 'waiting')
  })

  const by = { actor: 'ada@contoso.com', reason: 'the ERP is back' }
  const body = JSON.stringify({ command: 'retry', filter: { phase: 'waiting' }, perSecond: 8, ...by })
  const headers = { 'content-type': 'application/json' }
  const begun = await (await fetch(url('bulk'), { method: 'POST', headers, body })).json()
  const { id } = z.object({ id: z.string() }).parse(begun)
  for (const share of [0.1, 0.5]) {
    await until('it has come so far', async () => (await jobNow(id)).done >= share * count)
    await killAndStart()
  }

  const job = await until('the job has ended', async () => {
    const now = await jobNow(id)
    return now.state !== 'running' && now
  })
  expect(job).toMatchObject({ state: 'done', total: count, done: count, refused: 0, failed: [] })
  const ended = await until('all have ended', async () => {
    const sagas = await started.installation.sagas(since)
    return sagas.every(({ phase }) => phase === 'completed') && sagas
  })
  const logs = ended.map(({ log }) => z.array(z.object({ id: z.string() })).parse(log))
  expect(logs.every((words) => words.length === 1 && words[0]?.id === id)).toBe(true)
  const { erp } = await started.installation.ledgers()
  expect(erp.filter(({ key }) => rows.some((row) => key?.includes(row)))).toHaveLength(count)
  const log = await until('its end is written down', async () => {
    const told = operationPage.parse(await (await fetch(url(`operations?target=${id}&limit=500`))).json())
    return z.object({ state: z.literal('done') }).safeParse(told.operations[0]?.after).success && told
  })
  expect(log.intact).toBe(true)
  expect(log.operations[0]).toMatchObject({ what: 'bulk retry', ...by, after: { state: 'done', done: count } })
  const followed = log.operations.flatMap(
    ({ after }) => z.object({ done: z.array(z.string()) }).safeParse(after).data?.done ?? [],
  )
  expect(new Set(followed).size).toBe(count)
})
