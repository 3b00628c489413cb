// npm run bench -- taskhub: the embedded host with an app that does nothing but orchestrate, asked over HTTP.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Figures, percentile, table } from './figures.js'
import { type Host, startHost } from './host.js'
import { cpuOf, diskOf, mega, memoryOf } from './process.js'

const rounds = 3
const inFlight = 64

interface Case {
  readonly orchestrator: 'chain' | 'fanOut'
  readonly length: number
  /** Orchestrations in a round. */
  readonly count: number
}

const cases: Readonly<Record<string, Case>> = {
  'chain of 3': { orchestrator: 'chain', length: 3, count: 1_000 },
  'chain of 50': { orchestrator: 'chain', length: 50, count: 100 },
  'fan-out of 100': { orchestrator: 'fanOut', length: 100, count: 50 },
}

export async function benchTaskHub(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-taskhub-'))
  const began = performance.now()
  const host = await startHost(folder)
  console.log(`ready after ${Math.round(performance.now() - began)} ms, ${mega(memoryOf(host.pid).own)} MB of memory`)
  await round(host, folder, { orchestrator: 'chain', length: 3, count: 300 })
  const all: Record<string, Figures[]> = {}
  for (let number = 0; number < rounds; number++)
    for (const [name, one] of Object.entries(cases)) all[name] = [...(all[name] ?? []), await round(host, folder, one)]
  console.log(table(all))
  const per = (name: string) =>
    percentile(
      (all[name] ?? []).map((one) => one['CPU ms/1000 activities'] ?? Number.NaN),
      0.5,
    )
  console.log(
    `CPU per activity: a chain of 50 costs ${(per('chain of 50') / per('chain of 3')).toFixed(2)} times a chain of 3`,
  )
  const before = cpuOf(host.pid)
  await new Promise((resolve) => void setTimeout(resolve, 3_000))
  console.log(`idle: ${cpuOf(host.pid) - before} ms of CPU in 3 s, ${mega(memoryOf(host.pid).own)} MB of memory`)
  await host.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function round({ pid, url }: Host, folder: string, { orchestrator, length, count }: Case): Promise<Figures> {
  const before = { cpu: cpuOf(pid), disk: diskOf(folder), at: performance.now() }
  const latencies: number[] = []
  let next = 0
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next++ < count) {
        const at = performance.now()
        const response = await fetch(
          `${url}/runtime/webhooks/durabletask/orchestrators/${orchestrator}?timeout=60&pollingInterval=1`,
          {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ length }),
          },
        )
        if ((await response.text()) !== String(length))
          throw new Error(`An orchestration answered HTTP ${response.status}.`)
        latencies.push(performance.now() - at)
      }
    }),
  )
  const seconds = (performance.now() - before.at) / 1_000
  return {
    'orchestrations/s': count / seconds,
    'activities/s': (count * length) / seconds,
    'p50 ms': percentile(latencies, 0.5),
    'p95 ms': percentile(latencies, 0.95),
    'p99 ms': percentile(latencies, 0.99),
    'CPU ms/1000 activities': ((cpuOf(pid) - before.cpu) / (count * length)) * 1_000,
    'bytes/orchestration': (diskOf(folder) - before.disk) / count,
  }
}
