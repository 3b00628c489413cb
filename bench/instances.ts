// npm run bench -- instances: how long a list of 50 takes among 1,000,000 instances, asked over HTTP.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillInstances } from './fill.js'
import { type Figures, percentile, table } from './figures.js'
import { startHost } from './host.js'
import { mega, memoryOf } from './process.js'

const total = 1_000_000
const repeats = 100

export async function benchInstances(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-instances-'))
  await fillInstances(folder, total)
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
