// What the engine costs on the platform: the history of one saga beside that of an orchestrator written by hand with the same calls.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openStore } from '../embedded/store/store.js'
import { openHubTables } from '../embedded/taskhub/tables.js'
import { type Figures, table } from './figures.js'
import { startHost } from './host.js'
import { type Partner, rowIds, startApp } from './whole-way.js'

const event = z.looseObject({ EventType: z.number() })
/** TaskScheduled, TimerCreated, SubOrchestrationInstanceCreated, EventSent: what the platform is asked to do, and counts. */
const actions: ReadonlySet<number> = new Set([4, 10, 7, 14])
/** What both are told of the operation in Dataverse: ids, no values. */
const operation = { organizationId: randomUUID(), operationId: randomUUID(), correlationId: randomUUID() }

export async function overhead(partner: Partner): Promise<Record<string, Figures>> {
  const cases: Record<string, Figures> = {}
  for (const isRefused of [false, true]) {
    const end = isRefused ? 'compensated' : 'completed'
    cases[`${end}, by hand`] = await byHand(partner, isRefused)
    cases[`${end}, saga`] = await bySaga(partner, isRefused)
  }
  console.log(`
the history of one saga
${table(Object.fromEntries(Object.entries(cases).map(([name, one]) => [name, [one]])))}`)
  for (const end of ['completed', 'compensated']) {
    const bytesOf = (name: string) => cases[`${end}, ${name}`]?.['bytes'] ?? Number.NaN
    console.log(`${end}: ${(bytesOf('saga') / bytesOf('by hand')).toFixed(2)} times the bytes`)
  }
  return cases
}

async function bySaga(partner: Partner, isRefused: boolean): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-overhead-'))
  const app = await startApp(folder, partner)
  await app.run(rowIds(1, isRefused)[0] ?? '')
  await ended(app.url, 'contact-onboarding:')
  await app.stop()
  return historyIn(folder, 'contact-onboarding:')
}

async function byHand(partner: Partner, isRefused: boolean): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-overhead-'))
  const environment = { DATAVERSE_URL: partner.url, MASTER_DATA_URL: partner.url, ERP_URL: partner.url }
  const host = await startHost(folder, environment)
  const [rowId = ''] = rowIds(1, isRefused)
  // An id that is as long as a saga's: it is part of every key.
  const id = `by-hand-contact-on:contact:${rowId}:00000000000000000001`
  await fetch(`${host.url}/runtime/webhooks/durabletask/orchestrators/byHand/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ event: { id: '0'.repeat(20), message: 'Create', table: 'contact', rowId, ...operation } }),
  })
  await ended(host.url, 'by-hand')
  await host.stop()
  return historyIn(folder, 'by-hand')
}

async function ended(url: string, prefix: string): Promise<void> {
  const instances = z.array(z.object({ runtimeStatus: z.string() }))
  for (;;) {
    const answer = await fetch(`${url}/runtime/webhooks/durabletask/instances?instanceIdPrefix=${prefix}`)
    if (instances.parse(await answer.json()).some(({ runtimeStatus }) => runtimeStatus === 'Completed')) return
  }
}

/** Read from the store of a host that has stopped; the folder is gone after that. */
async function historyIn(folder: string, prefix: string): Promise<Figures> {
  const store = openStore(folder)
  const { history, instances } = openHubTables(store)
  const turns = [...history.entries()].filter(({ key }) => String(key[1]).startsWith(prefix)).map(({ value }) => value)
  const events = z.array(event).parse(JSON.parse(`[${turns.join(',')}]`))
  const row = [...instances.entries()].find(({ key }) => String(key[1]).startsWith(prefix))
  await store.close()
  rmSync(folder, { recursive: true, force: true })
  return {
    events: events.length,
    actions: events.filter(({ EventType }) => actions.has(EventType)).length,
    bytes: turns.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    'custom status': Buffer.byteLength(row?.value.customStatus ?? ''),
  }
}
