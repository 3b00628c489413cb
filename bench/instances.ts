// npm run bench -- instances: how long a list of 50 takes among 1,000,000 instances, asked over HTTP.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../embedded/store/store.js'
import { eventOf } from '../embedded/taskhub/history.js'
import { type InstanceRow, openHubTables, type RuntimeStatus } from '../embedded/taskhub/tables.js'
import { Writing } from '../embedded/taskhub/writing.js'
import { type Figures, percentile, table } from './figures.js'
import { startHost } from './host.js'
import { mega, memoryOf } from './process.js'

const total = 1_000_000
const repeats = 100
const began = Date.parse('2026-01-01T00:00:00Z')

export async function benchInstances(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-instances-'))
  await fill(folder)
  const host = await startHost(folder)
  const lists: Readonly<Record<string, string>> = {
    newest: '',
    'by prefix': 'instanceIdPrefix=contact:0007',
    'of a day': 'createdTimeFrom=2026-01-05T00:00:00Z&createdTimeTo=2026-01-06T00:00:00Z',
    running: 'runtimeStatus=Running,Suspended',
    'failed, 1 in 10,000': 'runtimeStatus=Failed',
    'failed, of a day': 'runtimeStatus=Failed&createdTimeFrom=2026-01-05T00:00:00Z&createdTimeTo=2026-01-06T00:00:00Z',
  }
  const all: Record<string, Figures[]> = {}
  for (const [name, query] of Object.entries(lists)) all[name] = [await listed(host.url, query)]
  console.log(`A list of 50 among ${total} instances, over HTTP\n${table(all)}`)
  console.log(`${mega(memoryOf(host.pid).own)} MB of memory`)
  await host.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function listed(url: string, query: string): Promise<Figures> {
  const latencies: number[] = []
  let found = 0
  for (let count = 0; count < repeats; count++) {
    const at = performance.now()
    const response = await fetch(`${url}/runtime/webhooks/durabletask/instances?top=50&showInput=false&${query}`)
    const rows: unknown = await response.json()
    latencies.push(performance.now() - at)
    found = Array.isArray(rows) ? rows.length : 0
  }
  return { found, 'p50 ms': percentile(latencies, 0.5), 'p95 ms': percentile(latencies, 0.95) }
}

/** As the hub would have written them: one in a hundred runs, one in ten thousand has failed. */
async function fill(folder: string): Promise<void> {
  const store = openStore(folder, { isDurable: false })
  const tables = openHubTables(store)
  for (let first = 0; first < total; first += 20_000)
    await store.commit((changes) => {
      const writing = new Writing(changes, tables)
      for (let number = first; number < first + 20_000; number++) {
        const row = rowOf(number)
        writing.start({ row, existing: undefined, event: eventOf('ExecutionStarted', row.createdAt), letter: number })
        changes.remove(tables.letters, [row.id, number])
      }
    })
  await store.close()
}

function rowOf(number: number): InstanceRow {
  const status: RuntimeStatus = number % 10_000 === 0 ? 'Failed' : number % 100 === 0 ? 'Suspended' : 'Completed'
  const createdAt = began + number * 1_000
  return {
    id: `contact:${String(number).padStart(7, '0')}`,
    name: 'saga',
    version: '',
    executionId: 'e',
    status,
    input: null,
    output: null,
    customStatus: '{"phase":"completed"}',
    createdAt,
    updatedAt: createdAt + 500,
    events: 0,
  }
}
