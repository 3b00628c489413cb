// The whole way as it runs in production: the app in a process of its own, messages by the real client, partners over HTTP.

import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { ServiceBusClient } from '@azure/service-bus'
import { z } from 'zod'
import { contactCreated } from '../sandbox/dataverse-message.js'
import { startHost } from './host.js'

/** Runs one saga to its end. */
export type Run = (rowId: string) => Promise<void>

/** Ids of rows whose last call is refused begin with f. */
export const rowIds = (count: number, isRefused: boolean) =>
  Array.from({ length: count }, () => `${isRefused ? 'f' : '0'}${randomUUID().slice(1)}`)

export interface Partner {
  readonly process: ChildProcess
  readonly pid: number
  readonly url: string
  /** Milliseconds that each answer takes from now on. */
  delay(ms: number): Promise<void>
  /** How many of these rows are not as their sagas must have left them: one of each, or as much taken back as was done. */
  wrong(rowIds: readonly string[]): Promise<number>
  stop(): void
}

const counts = z.record(
  z.string(),
  z.object({
    registered: z.number(),
    stored: z.number(),
    customers: z.number(),
    retired: z.number(),
    cleared: z.number(),
  }),
)

export async function startPartner(): Promise<Partner> {
  const child = fork(join(__dirname, 'partner.js'))
  const [{ port }] = await once(child, 'message')
  const url = `http://127.0.0.1:${port}`
  return {
    process: child,
    pid: child.pid ?? 0,
    url,
    async delay(ms) {
      await fetch(`${url}/_delay/${ms}`)
    },
    async wrong(asked) {
      const rows = counts.parse(await (await fetch(`${url}/_rows`)).json())
      return asked.filter((rowId) => {
        const { registered, stored, customers, retired, cleared } = rows[rowId] ?? {}
        const found = [registered, stored, customers, retired, cleared].join()
        return found !== (rowId.startsWith('f') ? '1,1,0,1,1' : '1,1,1,0,0')
      }).length
    },
    stop: () => child.disconnect(),
  }
}

export interface App {
  readonly pid: number
  readonly url: string
  readonly run: Run
  stop(): Promise<void>
}

/** The app of this package, as `npm start` runs it. @param settings besides those of its partners */
export async function startApp(folder: string, partner: Partner, settings: Record<string, string> = {}): Promise<App> {
  const addresses = { DATAVERSE_URL: partner.url, MASTER_DATA_URL: partner.url, ERP_URL: partner.url }
  const sessions = { AzureFunctionsJobHost__extensions__durableTask__extendedSessionsEnabled: 'true' }
  const host = await startHost(folder, { ERP_API_KEY: 'any', ...addresses, ...sessions, ...settings }, '.')
  const client = new ServiceBusClient(host.connectionString)
  return {
    pid: host.pid,
    url: host.url,
    run: runBy(client, partner),
    async stop() {
      await client.close()
      await host.stop()
    },
  }
}

/** Sends the message, and waits for the last call of its saga at a partner. */
function runBy(client: ServiceBusClient, partner: Partner): Run {
  const sender = client.createSender('dataverse-events')
  const waiting = new Map<string, () => void>()
  partner.process.on('message', (told: { ended?: string }) => {
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

/** Milliseconds that each took. */
export async function inLanes(ids: readonly string[], run: Run, most: number): Promise<number[]> {
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
