// Orchestrators that stay in memory between their turns: how often their code runs, and when it is replayed all the same. That they leave the same history
// is in conformance.test.ts.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../embedded/clock.js'
import { carryOn } from '../../embedded/crash-points.js'
import { type DurableCode, durableCodeOf } from '../../embedded/functions/durable-code.js'
import { loadApp } from '../../embedded/functions/load-app.js'
import { openStore, type Store } from '../../embedded/store/store.js'
import { TaskHub } from '../../embedded/taskhub/hub.js'
import { readHubSettings } from '../../embedded/taskhub/settings.js'
import { until } from '../../local/installation.js'

let code: DurableCode
let data: string
let store: Store
let hub: TaskHub
/** What the hub has asked for, in order. */
let asked: ('replay' | 'resume' | 'gone')[] = []
let forgets = false
/** Of each turn without a replay: how many actions the hub knew, and how many it was told. */
let actions: [known: number, told: number][] = []

const logged: string[] = []
const log = (_: string, from: string, words: string) => void logged.push(`${from}: ${words}`)

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'extended-sessions-'))
  store = openStore(data)
  const real = durableCodeOf(
    await loadApp({ folder: resolve('test/embedded/apps/durable'), hostname: '127.0.0.1:1', log }),
  )
  code = {
    ...real,
    runOrchestrator: (...all) => {
      asked.push('replay')
      return real.runOrchestrator(...all)
    },
    async resumeOrchestrator(...all) {
      const resumed = forgets ? undefined : await real.resumeOrchestrator(...all)
      asked.push(resumed ? 'resume' : 'gone')
      const told: unknown[] = JSON.parse(resumed?.state?.actions ?? '[]')
      if (resumed) actions.push([resumed.state?.known ?? 0, told.length])
      return resumed
    },
  }
  hub = hubWith({ extendedSessionsEnabled: true })
})
afterAll(async () => {
  await hub.close()
  await store.close()
  rmSync(data, { recursive: true, force: true })
})
beforeEach(() => {
  asked = []
  actions = []
  forgets = false
})

const tokenFor = () => Promise.reject(new Error('There is no identity here.'))
const hubWith = (section: object) =>
  new TaskHub({
    store,
    clock: systemClock,
    reach: carryOn,
    log,
    code,
    settings: readHubSettings(section, log),
    tokenFor,
  })

const hasEnded = (id: string) => /Completed|Failed|Terminated/.test(hub.find(id)?.status ?? '')
const ended = (id: string) => until(`${id} has ended`, async () => hasEnded(id), { everyMs: 5 })

async function run(name: string, input: unknown): Promise<unknown> {
  const id = await hub.start(name, JSON.stringify(input))
  await ended(id)
  return JSON.parse(hub.find(id)?.output ?? 'null')
}

describe('an orchestrator that stays in memory', () => {
  it('is replayed once, and goes on from there', async () => {
    expect(await run('sequence', 'x')).toEqual({ second: 'AB', input: 'x' })
    expect(asked).toEqual(['replay', 'resume', 'resume'])
  })

  it('is replayed when it is not there any more', async () => {
    forgets = true

    expect(await run('sequence', 'x')).toEqual({ second: 'AB', input: 'x' })
    expect(asked).toEqual(['replay', 'gone', 'replay', 'gone', 'replay'])
  })

  it('tells only what is new, as long as it asks for one activity after the other', async () => {
    await run('sequence', 'x')
    await run('types', null)

    expect(actions).toEqual([[1, 1], [2, 0], ...[1, 2, 3, 4, 5].map((known) => [known, 1]), [6, 0]])
  })

  it('tells everything where what it has asked for may change, or not all of it is answered', async () => {
    await run('timer', null)
    await run('waitsForEither', null)
    await run('givesUp', null)

    expect(actions.every(([known]) => known === 0)).toBe(true)
    expect(actions.length).toBeGreaterThan(3)
  })

  it('logs in every turn, and nobody wonders', async () => {
    await run('tells', null)

    expect(asked).toEqual(['replay', 'resume'])
    expect(logged.filter((line) => line.startsWith('tells'))).toEqual(['tells: before', 'tells: after'])
  })

  it('sees time go on', async () => {
    expect(await run('timer', null)).toBeGreaterThanOrEqual(50)
    expect(asked).toEqual(['replay', 'resume'])
  })

  it('begins anew with a replay', async () => {
    expect(await run('countsDown', 1)).toBe('lift off')
    expect(asked).toEqual(['replay', 'resume', 'replay', 'resume'])
  })

  it('fails with the words of its error', async () => {
    expect(await run('fails', null)).toMatch(/^Orchestrator function 'fails' failed: .*never/s)
    expect(asked).toEqual(['replay', 'resume'])
  })

  it('is replayed after it was rewound', async () => {
    Object.assign(globalThis, { mended: false })
    const id = await hub.start('rewindable', 'null')
    await ended(id)
    Object.assign(globalThis, { mended: true })
    asked = []
    await hub.rewind(id, 'mended')
    await ended(id)

    expect(JSON.parse(hub.find(id)?.output ?? '')).toEqual(['BEFORE', 'after'])
    expect(asked).toEqual(['replay', 'resume'])
  })

  it('is replayed by a host that has started again', async () => {
    const id = await hub.start('waits', 'null')
    await until('it waits', async () => hub.find(id)?.customStatus !== null, { everyMs: 5 })
    await hub.close()
    hub = hubWith({ extendedSessionsEnabled: true })
    await hub.recover()
    await hub.raise(id, 'Word', '1')
    await ended(id)

    expect(hub.find(id)?.output).toBe('1')
    expect(asked).toEqual(['replay', 'replay'])
  })
})

describe('where host.json says nothing of it', () => {
  it('every turn is a replay', async () => {
    await hub.close()
    hub = hubWith({})

    expect(await run('sequence', 'x')).toEqual({ second: 'AB', input: 'x' })
    expect(asked).toEqual(['replay', 'replay', 'replay'])
  })
})
