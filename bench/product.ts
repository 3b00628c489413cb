// npm run bench: the whole way, from the message on the queue to the last partner's answer, beside the same calls without any durability.
//
//   floor, fetch     the HTTP calls of a saga, one after the other, and nothing else, as a plain program makes them
//   floor, undici    the same by the leanest client there is, which is the engine's own
//   floor + sync     the first, with a group-committed fdatasync after each call
//   completed        message by the real client → broker → trigger → orchestration → partners, durable throughout
//   compensated      the same, with the last partner refusing and two calls taken back
//   10 ms, N         completed, with partners that take 10 ms for each call and N sagas in flight

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectWell } from '../embedded/garbage.js'
import { openStore } from '../embedded/store/store.js'
import { type Figures, median, percentile, table } from './figures.js'
import { bareSaga, byFetch, byUndici } from './floor.js'
import { overhead } from './overhead.js'
import { cpuOf, diskOf, mega, peakOf, stolenFromHere } from './process.js'
import { growth } from './stored.js'
import { type App, inLanes, type Partner, type Run, rowIds, startApp, startPartner } from './whole-way.js'

const rounds = 3
const sagas = 1_500
/** HTTP calls of a saga that completes. */
const callsPerSaga = 4
const delayMs = 10

interface Case {
  readonly run: Run
  readonly inFlight: number
  readonly isRefused?: true
  readonly isWhole?: true
  /** Milliseconds that a partner takes for an answer. */
  readonly delay?: number
  /** In a round. */
  readonly count?: number
}

export async function benchProduct(): Promise<void> {
  // Here is the client, which is not what is measured.
  collectWell()
  const partner = await startPartner()
  const folder = mkdtempSync(join(tmpdir(), 'bench-product-'))
  const app = await startApp(folder, partner)
  const store = openStore(join(folder, 'floor'))
  const cases = casesOf(partner.url, app.run, async (rowId, step) =>
    store.commit((changes) => changes.put(store.table<number>('steps'), [rowId, step], step)),
  )
  // V8 compiles what runs often for some thousand sagas, on the same two cores; until then they are a fifth slower.
  for (const { run, isRefused } of Object.values(cases)) await inLanes(rowIds(1_000, isRefused ?? false), run, 64)
  const all: Record<string, Figures[]> = {}
  const asked: string[] = []
  for (let round = 0; round < rounds; round++)
    for (const [name, one] of Object.entries(cases)) {
      const ids = rowIds(one.count ?? sagas, one.isRefused ?? false)
      if (one.isWhole) asked.push(...ids)
      await partner.delay(one.delay ?? 0)
      all[name] = [...(all[name] ?? []), await measured(ids, one, { app, partner, folder })]
    }
  console.log(
    `sagas of ${callsPerSaga} calls, 64 in flight unless it says otherwise, ${rounds} rounds; medians\n${table(all)}`,
  )
  const ratios = ratiosIn(all)
  for (const [name, ratio] of Object.entries(ratios)) console.log(`${name}: ${ratio.toFixed(3)}`)
  console.log(`at most ${mega(peakOf(app.pid))} MB of memory`)
  const wrong = await partner.wrong(asked)
  console.log(wrong === 0 ? 'the partners agree with every saga' : `${wrong} rows are not as their sagas say`)
  if (wrong > 0) process.exitCode = 1
  await app.stop()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
  const stored = await growth(partner)
  const history = await overhead(partner)
  partner.stop()
  console.log(`\n${JSON.stringify({ rounds: all, ratios, wrong, stored, history })}`)
}

function casesOf(url: string, run: Run, sync: (rowId: string, step: number) => Promise<void>): Record<string, Case> {
  const lean = byUndici()
  const delayed = (inFlight: number): Case => ({
    run,
    inFlight,
    isWhole: true,
    delay: delayMs,
    count: Math.max(sagas, 2 * inFlight),
  })
  return {
    'floor, fetch': { run: (rowId) => bareSaga(url, rowId, byFetch), inFlight: 64 },
    'floor, undici': { run: (rowId) => bareSaga(url, rowId, lean), inFlight: 64 },
    'floor + sync': { run: (rowId) => bareSaga(url, rowId, byFetch, (step) => sync(rowId, step)), inFlight: 64 },
    completed: { run, inFlight: 64, isWhole: true },
    compensated: { run, inFlight: 64, isWhole: true, isRefused: true },
    '10 ms, 64': delayed(64),
    '10 ms, 256': delayed(256),
    '10 ms, 1024': delayed(1_024),
  }
}

/** How fast it is beside the floors, and beside what its partners, or the CPU without them, would let through. */
function ratiosIn(all: Readonly<Record<string, readonly Figures[]>>): Record<string, number> {
  const speed = (name: string) => median((all[name] ?? []).map((one) => one['sagas/s'] ?? Number.NaN))
  const beside = (name: string, floor: string) => [`${name}, of ${floor}`, speed(name) / speed(floor)] as const
  const bound = (inFlight: number) => {
    const most = Math.min(inFlight / ((callsPerSaga * delayMs) / 1_000), speed('completed'))
    return [
      `10 ms, ${inFlight}, of the ${Math.round(most)}/s that partners and CPU let through`,
      speed(`10 ms, ${inFlight}`) / most,
    ] as const
  }
  return Object.fromEntries([
    ...['floor, fetch', 'floor, undici', 'floor + sync'].flatMap((floor) => [
      beside('completed', floor),
      beside('compensated', floor),
    ]),
    ...[64, 256, 1_024].map(bound),
  ])
}

async function measured(
  ids: readonly string[],
  { run, inFlight }: Case,
  { app, partner, folder }: { app: App; partner: Partner; folder: string },
): Promise<Figures> {
  const cpu = () => cpuOf(app.pid) + cpuOf(partner.pid) + (process.cpuUsage().user + process.cpuUsage().system) / 1_000
  const stolen = stolenFromHere()
  const before = { cpu: cpu(), app: cpuOf(app.pid), disk: diskOf(folder), at: performance.now() }
  const latencies = await inLanes(ids, run, inFlight)
  const seconds = (performance.now() - before.at) / 1_000
  return {
    'sagas/s': ids.length / seconds,
    'p50 ms': percentile(latencies, 0.5),
    'p95 ms': percentile(latencies, 0.95),
    'p99 ms': percentile(latencies, 0.99),
    'CPU s/1000': (cpu() - before.cpu) / ids.length,
    'of it the app': (cpuOf(app.pid) - before.app) / ids.length,
    'bytes/saga': (diskOf(folder) - before.disk) / ids.length,
    'stolen %': stolen(),
  }
}
