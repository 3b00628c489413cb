// The door to telemetry: without a connection string nothing is loaded, and nothing is done.
//
// Spans go to the journal first and from there to Application Insights, in batches of which the next follows when one is sent: none is dropped on the way,
// however many there are. Metrics are added up by the SDK, and lost with the process since they were last sent.

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Sink } from './azure-monitor.js'
import { type Batch, Journal } from './journal.js'
import type { CounterName, HistogramName } from './metrics.js'
import { Sampling } from './sampling.js'
import type { Facts, Told } from './told.js'
import { type Place, spanIdOf } from './trace-ids.js'

const connection = 'APPLICATIONINSIGHTS_CONNECTION_STRING'

/** Milliseconds between two looks, and after something could not be sent. */
const interval = 1_000
const pause = 10_000
/** Spans in one request: less than the SDK takes at a time, so that it drops none. */
const atOnce = 400
/** Batches that wait because nothing can be sent: then the oldest go. */
const mostBatches = 200

export const isTelemetryOn = (): boolean => (process.env[connection] ?? '') !== ''

const told: z.ZodType<Told> = z.object({
  trace: z.string(),
  span: z.string(),
  parent: z.string().exactOptional(),
  name: z.string(),
  kind: z.enum(['consumer', 'internal', 'client']),
  from: z.number(),
  to: z.number(),
  isFailure: z.boolean(),
  isRepair: z.literal(true).exactOptional(),
  isEnd: z.literal(true).exactOptional(),
  facts: z.object({
    saga: z.string().exactOptional(),
    version: z.number().exactOptional(),
    step: z.string().exactOptional(),
    attempt: z.number().exactOptional(),
    outcome: z.string().exactOptional(),
    partner: z.string().exactOptional(),
    table: z.string().exactOptional(),
    row: z.string().exactOptional(),
  }),
  call: z.object({ method: z.string(), status: z.number().exactOptional() }).exactOptional(),
  rate: z.number().exactOptional(),
})

class Telemetry {
  readonly #sink: Sink
  readonly #journal: Journal<Told>
  readonly #sampling: Sampling
  readonly #timer: NodeJS.Timeout
  readonly #unsent: Batch<Told>[]
  #sending: Promise<void> | undefined
  #notBefore = 0

  constructor(sink: Sink, share: number, folder: string) {
    this.#sink = sink
    this.#journal = new Journal(folder, (value) => told.safeParse(value).data)
    this.#sampling = new Sampling(share)
    this.#unsent = [...this.#journal.leftBehind()]
    this.#timer = setInterval(() => void this.#pump(), interval).unref()
  }

  tell(span: Told): void {
    for (const one of this.#sampling.take(span)) this.#journal.append(one)
    if (this.#journal.size >= atOnce) void this.#pump()
  }

  isOfShare(trace: string): boolean {
    return this.#sampling.isOfShare(trace)
  }

  count(name: CounterName, facts: Facts): void {
    this.#sink.count(name, facts)
  }

  record(name: HistogramName, value: number, facts: Facts): void {
    this.#sink.record(name, value, facts)
  }

  within<Result>(place: Required<Place>, work: () => Promise<Result>): Promise<Result> {
    return this.#sink.within(place, this.isOfShare(place.trace), work)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#pump()
    // What came while the last batch was on its way.
    await this.#pump()
    await this.#sink.close()
  }

  #pump(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined))
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    for (let batch = this.#next(); batch && this.#notBefore <= Date.now(); batch = this.#next()) {
      try {
        for (let at = 0; at < batch.entries.length; at += atOnce)
          await this.#sink.send(batch.entries.slice(at, at + atOnce))
      } catch {
        // The SDK has said why, to its own log. What it could not take is tried again under the same ids.
        this.#notBefore = Date.now() + pause
        return
      }
      this.#unsent.shift()
      batch.done()
    }
  }

  /** The oldest that was not sent. */
  #next(): Batch<Told> | undefined {
    const fresh = this.#journal.take()
    if (fresh) this.#unsent.push(fresh)
    while (this.#unsent.length > mostBatches) this.#unsent.shift()?.done()
    return this.#unsent[0]
  }
}

let telemetry: Telemetry | undefined
const breakers = new Map<string, () => boolean>()

/** The app's hook at its start: from then on everything is told. */
export async function startTelemetry(): Promise<void> {
  const { openAzureMonitor } = await import('./azure-monitor.js')
  const { env } = process
  telemetry = new Telemetry(
    await openAzureMonitor(breakers),
    shareIn(env['TELEMETRY_SHARE']),
    // Apps on one machine send to different places.
    env['TELEMETRY_DIR'] ?? join(tmpdir(), `saga-telemetry-${spanIdOf(env[connection] ?? '')}`),
  )
}

export async function stopTelemetry(): Promise<void> {
  await telemetry?.close()
  telemetry = undefined
}

/** Undefined when nobody listens. */
export const listening = (): Telemetry | undefined => telemetry

export function watchBreaker(partner: string, isOpen: () => boolean): void {
  breakers.set(partner, isOpen)
}

/** What is no share is all of them: better too much than nothing. */
function shareIn(setting: string | undefined): number {
  const share = Number(setting ?? 1)
  return share >= 0 && share <= 1 ? share : 1
}
