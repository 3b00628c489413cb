// A store that version 0.1.0 has written is taken over: what waited goes on, what has ended is found.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { systemClock } from '../../embedded/clock.js'
import { carryOn } from '../../embedded/crash-points.js'
import { durableCodeOf } from '../../embedded/functions/durable-code.js'
import { loadApp } from '../../embedded/functions/load-app.js'
import { openStore, type Store } from '../../embedded/store/store.js'
import { eventOf, nameOf } from '../../embedded/taskhub/history.js'
import { TaskHub } from '../../embedded/taskhub/hub.js'
import { readHubSettings } from '../../embedded/taskhub/settings.js'
import type { InstanceRow } from '../../embedded/taskhub/tables.js'
import { until } from '../../local/installation.js'

let data: string
let store: Store

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'migration-'))
  store = openStore(data)
})
afterEach(async () => {
  await store.close()
  rmSync(data, { recursive: true, force: true })
})

const at = Date.parse('2026-01-01T00:00:00Z')
const row = (id: string, status: 'Running' | 'Completed', events: number): InstanceRow => ({
  id,
  name: 'waits',
  version: '',
  executionId: `execution of ${id}`,
  status,
  input: null,
  output: status === 'Completed' ? '"done"' : null,
  customStatus: null,
  createdAt: at,
  updatedAt: at,
  events,
})
const events = [
  eventOf('OrchestratorStarted', at),
  eventOf('ExecutionStarted', at, { Name: 'waits', Version: '', Input: null }),
  eventOf('OrchestratorCompleted', at),
]

it('goes on with a store of version 0.1.0', async () => {
  const old = {
    instances: store.table<InstanceRow>('hub.instances'),
    byCreation: store.table<true>('hub.byCreation'),
    byStatus: store.table<true>('hub.byStatus'),
    history: store.table<string>('hub.history'),
  }
  await store.commit((changes) => {
    const waiting = row('waiting', 'Running', events.length)
    events.forEach((event, index) => changes.put(old.history, [waiting.id, index], JSON.stringify(event)))
    const ended = Array.from({ length: 1_500 }, (_, number) => row(`ended-${number}`, 'Completed', 0))
    for (const one of [waiting, ...ended]) {
      changes.put(old.instances, [one.id], one)
      changes.put(old.byCreation, [at, one.id], true)
      changes.put(old.byStatus, [one === waiting ? 'active' : one.status, at, one.id], true)
    }
  })
  const log = () => undefined
  const code = durableCodeOf(
    await loadApp({ folder: resolve('test/embedded/apps/durable'), hostname: '127.0.0.1:1', log }),
  )
  const tokenFor = () => Promise.reject(new Error('There is no identity here.'))
  const settings = readHubSettings(undefined, log)
  const hub = new TaskHub({ store, clock: systemClock, reach: carryOn, log, code, settings, tokenFor })
  await hub.recover()

  expect(hub.historyOf('waiting')).toEqual(events)
  expect(hub.find('ended-1499')?.output).toBe('"done"')
  expect(hub.page({ statuses: [], top: 2_000 }).rows).toHaveLength(1_501)
  expect(hub.page({ statuses: ['Completed'], prefix: 'ended-7', top: 2_000 }).rows).toHaveLength(111)
  expect([...old.instances.entries(), ...old.byCreation.entries(), ...old.history.entries()]).toEqual([])

  await hub.raise('waiting', 'Word', '1')
  await until('it has ended', async () => hub.find('waiting')?.status === 'Completed', { everyMs: 5 })
  expect(hub.historyOf('waiting').map(nameOf)).toEqual([
    'OrchestratorStarted',
    'ExecutionStarted',
    'OrchestratorCompleted',
    'OrchestratorStarted',
    'EventRaised',
    'OrchestratorCompleted',
    'ExecutionCompleted',
  ])
  await hub.close()
})
