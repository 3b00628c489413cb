// What a hub that runs for weeks holds in memory: nothing of executions that are over, and not all that wait.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OrchestrationContext, Task } from 'durable-functions'
import { expect, it, onTestFinished } from 'vitest'
import { openStore } from '../../embedded/store/store.js'
import { LiveInstances } from '../../embedded/taskhub/live.js'
import { type InstanceRow, openHubTables } from '../../embedded/taskhub/tables.js'
import { until } from '../../local/installation.js'
import { VirtualClock } from '../virtual-hub.js'
import { firstTurnOf, openLives, soon } from './hub-lives.js'

/** Knows how much it is still to wake. */
class CountingClock extends VirtualClock {
  waiting = 0

  override after(ms: number, task: () => void): () => void {
    this.waiting += 1
    let isWaiting = true
    const leave = () => {
      if (isWaiting) this.waiting -= 1
      isWaiting = false
    }
    const cancel = super.after(ms, () => {
      leave()
      task()
    })
    return () => {
      leave()
      cancel()
    }
  }
}

const week = 7 * 86_400_000

const handedOver = {
  orchestrations: {
    /** Until a word comes, or a week has passed; and so on. */
    *monitors({ df }: OrchestrationContext): Generator<Task, void, unknown> {
      const timer = df.createTimer(new Date(df.currentUtcDateTime.getTime() + week))
      yield df.Task.any([df.waitForExternalEvent('Word'), timer])
      timer.cancel()
      df.continueAsNew(Number(df.getInput()) + 1)
    },
  },
  activities: {},
}

it('what begins anew leaves no timer behind', async () => {
  const clock = new CountingClock(Date.UTC(2030, 0, 1))
  const { hub } = (await openLives(handedOver)).begin({ clock })
  await hub.start('monitors', '0', { id: 'x' })
  for (const round of ['1', '2', '3']) {
    await firstTurnOf(hub, 'x')
    await hub.raise('x', 'Word', null)
    await until('it has begun anew', async () => hub.find('x')?.input === round, soon)
  }

  await firstTurnOf(hub, 'x')
  await until('its timer is set', async () => clock.waiting > 0, soon)

  expect(clock.waiting).toBe(1)
})

it('of those that wait for something, the 2,000 that had something to do lately', () => {
  const data = mkdtempSync(join(tmpdir(), 'held-'))
  const store = openStore(data, { isDurable: false })
  onTestFinished(async () => {
    await store.close()
    rmSync(data, { recursive: true, force: true })
  })
  const instances = new LiveInstances(openHubTables(store))
  const ids = Array.from({ length: 2_500 }, (_, index) => `instance ${index}`)

  for (const id of ids)
    instances.add({
      row: rowOf(id),
      events: [],
      played: [],
      unseen: undefined,
      planner: undefined,
      inbox: [],
      busy: false,
    })

  expect(ids.filter((id) => instances.known(id))).toEqual(ids.slice(500))
})

const rowOf = (id: string): InstanceRow => ({
  id,
  name: 'monitors',
  version: '',
  executionId: id,
  status: 'Running',
  input: null,
  output: null,
  customStatus: null,
  createdAt: 0,
  updatedAt: 0,
  events: 0,
})
