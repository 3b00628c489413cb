// npm run bench -- product: the whole way, from the message on the queue to the last partner's answer, beside the same calls without any durability.
//
//   floor           the HTTP calls of a saga, one after the other, and nothing else
//   floor + sync    with a group-committed fdatasync after each call
//   completed       message by the real client → broker → trigger → orchestration → partners
//   compensated     the same, with the last partner refusing and two calls taken back

import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceBusClient } from '@azure/service-bus'
import { report } from '../embedded/supervisor.js'
import { openStore } from '../embedded/store/store.js'
import { contactCreated } from '../sandbox/dataverse-message.js'
import { type Figures, percentile, table } from './figures.js'
import { cpuOf, diskOf, mega, memoryOf } from './process.js'

const rounds = 3
const inFlight = 64
const sagas = 1_500

type Run = (rowId: string) => Promise<void>

/** Ids of rows whose last call is refused begin with f. */
const rowIds = (count: number, isRefused: boolean) =>
  Array.from({ length: count }, () => `${isRefused ? 'f' : '0'}${randomUUID().slice(1)}`)

export async function benchProduct(): Promise<void> {
  const partner = fork(join(__dirname, 'partner.js'))
  const [{ port }] = await once(partner, 'message')
  const url = `http://127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'bench-product-'))
  const app = await startApp(folder, url)
  const store = openStore(join(folder, 'floor'))
  const steps = store.table<number>('steps')
  const sync = async (rowId: string, step: number) => store.commit((changes) => changes.put(steps, [rowId, step], step))

  const runs: Readonly<Record<string, { readonly run: Run; readonly isRefused: boolean; readonly isWhole: boolean }>> =
    {
      floor: { run: (rowId) => calls(url, rowId), isRefused: false, isWhole: false },
      'floor + sync': {
        run: (rowId) => calls(url, rowId, (step) => sync(rowId, step)),
        isRefused: false,
        isWhole: false,
      },
      completed: { run: wholeWay(partner, app), isRefused: false, isWhole: true },
      compensated: { run: wholeWay(partner, app), isRefused: true, isWhole: true },
    }
  // The first calls of everything are compiled while they run.
  for (const { run, isRefused } of Object.values(runs)) await inLanes(rowIds(500, isRefused), run, inFlight)
  const all: Record<string, Figures[]> = {}
  const asked: string[] = []
  for (let round = 0; round < rounds; round++)
    for (const [name, { run, isRefused, isWhole }] of Object.entries(runs)) {
      const ids = rowIds(sagas, isRefused)
      if (isWhole) asked.push(...ids)
      all[name] = [...(all[name] ?? []), await measured(ids, run, app.pid, folder)]
    }
  console.log(`${sagas} sagas of four calls, ${inFlight} in flight, ${rounds} rounds; medians\n${table(all)}`)
  const per = (name: string) =>
    percentile(
      (all[name] ?? []).map((one) => one['sagas/s'] ?? Number.NaN),
      0.5,
    )
  for (const name of ['floor + sync', 'completed', 'compensated'])
    console.log(`${name}: ${(per(name) / per('floor')).toFixed(3)} of the floor`)
  console.log(`${mega(memoryOf(app.pid).own)} MB of memory`)
  const wrong = await verdict(url, asked)
  console.log(wrong === 0 ? 'the partners agree with every saga' : `${wrong} rows are not as their sagas say`)
  if (wrong > 0) process.exitCode = 1
  await app.stop()
  await store.close()
  partner.disconnect()
  rmSync(folder, { recursive: true, force: true })
}

interface App {
  readonly pid: number
  readonly client: ServiceBusClient
  stop(): Promise<void>
}

async function startApp(folder: string, partner: string): Promise<App> {
  const env = { ...process.env, DATAVERSE_URL: partner, MASTER_DATA_URL: partner, ERP_URL: partner, ERP_API_KEY: 'any' }
  const args = ['--app', '.', '--port', '0', '--amqp-port', '0', '--data', folder, '--supervised', '--quiet']
  const child = fork('dist/embedded/main.js', args, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  for (;;) {
    const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')])
    const told = report.parse(message)
    if (told === 'alive') continue
    const client = new ServiceBusClient(told.connectionString)
    return {
      pid: child.pid ?? 0,
      client,
      async stop() {
        await client.close()
        child.kill()
        await once(child, 'exit')
      },
    }
  }
}

/** Sends the message, and waits for the last call of its saga at a partner. */
function wholeWay(partner: ChildProcess, { client }: App): Run {
  const sender = client.createSender('dataverse-events')
  const waiting = new Map<string, () => void>()
  partner.on('message', (told: { ended?: string }) => {
    const rowId = told.ended ?? ''
    waiting.get(rowId)?.()
    waiting.delete(rowId)
  })
  return async (rowId) => {
    const ended = new Promise<void>((resolve) => waiting.set(rowId, resolve))
    await sender.sendMessages(contactCreated({ rowId, firstName: 'Ada', lastName: 'Berg', email: 'ada@example.org' }))
    await ended
  }
}

/** The calls of contact-onboarding, as it makes them. */
async function calls(
  url: string,
  rowId: string,
  after: (step: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const row = `${url}/api/data/v9.2/contacts(${rowId})`
  const requests: readonly (readonly [string, string, object?])[] = [
    ['GET', `${row}?$select=fullname,emailaddress1`],
    ['POST', `${url}/records`, { rowId }],
    ['PATCH', row, { dvs_masterdataid: rowId }],
    ['POST', `${url}/customers`, { rowId }],
  ]
  for (const [step, [method, to, body]] of requests.entries()) {
    const response = await fetch(to, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    await response.text()
    await after(step)
  }
}

async function measured(ids: readonly string[], run: Run, pid: number, folder: string): Promise<Figures> {
  const before = { own: process.cpuUsage(), app: cpuOf(pid), disk: diskOf(folder), at: performance.now() }
  const latencies = await inLanes(ids, run, inFlight)
  const seconds = (performance.now() - before.at) / 1_000
  const own = process.cpuUsage(before.own)
  return {
    'sagas/s': ids.length / seconds,
    'p50 ms': percentile(latencies, 0.5),
    'p95 ms': percentile(latencies, 0.95),
    'p99 ms': percentile(latencies, 0.99),
    'app CPU s/1000': (cpuOf(pid) - before.app) / ids.length,
    'own CPU s/1000': (own.user + own.system) / 1_000 / ids.length,
    'bytes/saga': (diskOf(folder) - before.disk) / ids.length,
  }
}

async function inLanes(ids: readonly string[], run: Run, most: number): Promise<number[]> {
  const latencies: number[] = []
  const left = [...ids]
  await Promise.all(
    Array.from({ length: most }, async () => {
      for (let rowId = left.pop(); rowId !== undefined; rowId = left.pop()) {
        const at = performance.now()
        await run(rowId)
        latencies.push(performance.now() - at)
      }
    }),
  )
  return latencies
}

/** Rows that a partner has not as the saga's end says: one of each, or as much taken back as was done. */
async function verdict(url: string, ids: readonly string[]): Promise<number> {
  const response = await fetch(`${url}/_rows`)
  const rows: Record<string, Record<string, number>> = JSON.parse(await response.text())
  return ids.filter((rowId) => {
    const row = rows[rowId]
    const counts = [row?.['registered'], row?.['stored'], row?.['customers'], row?.['retired'], row?.['cleared']]
    return JSON.stringify(counts) !== JSON.stringify(rowId.startsWith('f') ? [1, 1, 0, 1, 1] : [1, 1, 1, 0, 0])
  }).length
}
