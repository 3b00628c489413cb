// What a worker has in mind of all sagas: read once, and brought up to date by as little as will do, on an engine that lists in any order.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DurableClient } from 'durable-functions'
import type { SagaStatus } from '../../../src/saga/status.js'
import type { InstanceQuery } from '../../../src/task-hub.js'
import { KnownSagas } from '../../../src/triggers/api/known-sagas.js'

const hub = vi.hoisted(() => ({
  /** In no order that could be relied on. */
  rows: new Map<string, unknown>(),
  lists: new Array<unknown>(),
  singles: new Array<string>(),
  fails: false,
  /** Resolved before a list answers. */
  answersWhen: Promise.resolve(),
}))

vi.mock('../../../src/triggers/instances.js', () => ({
  listInstances: async (_: unknown, query: InstanceQuery) => {
    hub.lists.push(query)
    await hub.answersWhen
    if (hub.fails) throw new Error('the hub is down')
    const all = [...hub.rows.values()] as SagaStatus[]
    const found = all.filter(
      ({ startedAt, phase }) =>
        (query.since === undefined || startedAt >= query.since) &&
        (query.statuses === undefined || phase !== 'completed'),
    )
    const first = Number(query.token ?? 0)
    const next = first + query.limit < found.length ? { next: String(first + query.limit) } : {}
    return { sagas: found.slice(first, first + query.limit), ...next }
  },
  readAll: async (_: unknown, ids: readonly string[]) => {
    hub.singles.push(...ids)
    return ids.map((id) => hub.rows.get(id)).filter((row) => row !== undefined)
  },
}))

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only handed on
const client = {} as DurableClient

const start = Date.UTC(2026, 0, 1)
const timeOf = (second: number) => new Date(start + second * 1_000).toISOString()

function put(number: number, phase: SagaStatus['phase'], second = number): void {
  const id = `onboarding:contact:${number}`
  const status: SagaStatus = {
    id,
    saga: 'onboarding',
    version: 1,
    table: 'contact',
    rowId: String(number),
    phase,
    startedAt: timeOf(second),
    updatedAt: new Date().toISOString(),
    steps: [],
    owed: [],
    log: [],
  }
  hub.rows.set(id, status)
}

/** Long after all that is pending by then. */
let now = start + 3_600_000
function later(ms = 60_000): void {
  now += ms
  vi.setSystemTime(now)
}

let known: KnownSagas
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  Object.assign(hub, { rows: new Map(), lists: [], singles: [], fails: false, answersWhen: Promise.resolve() })
  known = new KnownSagas()
  later()
})
afterEach(() => void vi.useRealTimers())

const byPhase = async () => (await known.upToDate(client)).index.counts({}).byPhase

describe('the first question', () => {
  it('reads all there is, page by page, without inputs', async () => {
    for (let number = 0; number < 2_500; number++) put((number * 7_919) % 2_500, 'completed')

    expect(await byPhase()).toEqual({ completed: 2_500 })
    expect(hub.lists).toMatchObject([{ limit: 1_000, inputs: false }, { token: '1000' }, { token: '2000' }])
  })

  it('is read once for all who ask at the same time', async () => {
    put(1, 'completed')

    await Promise.all([byPhase(), byPhase(), byPhase()])

    expect(hub.lists).toHaveLength(1)
  })

  it('that fails is answered with the error, and tried again by the next', async () => {
    hub.fails = true
    await expect(byPhase()).rejects.toThrow('the hub is down')
    hub.fails = false

    expect(await byPhase()).toEqual({})
  })
})

describe('a later question', () => {
  it('reads what is new and what is not over, and what has ended since by its id', async () => {
    put(1, 'completed')
    put(2, 'running')
    put(3, 'held')
    await byPhase()
    hub.lists.length = 0
    later()
    put(2, 'completed')
    put(4, 'running', (now - start) / 1_000)

    expect(await byPhase()).toEqual({ completed: 2, held: 1, running: 1 })
    expect(hub.lists).toMatchObject([
      { since: expect.any(String) },
      { statuses: expect.arrayContaining(['Running', 'Failed']) },
    ])
    expect(hub.singles).toEqual(['onboarding:contact:2'])
  })

  it('finds what began before the last refresh and was slow to be seen', async () => {
    await byPhase()
    later()
    put(1, 'completed', (now - start) / 1_000 - 90)

    expect(await byPhase()).toEqual({ completed: 1 })
  })

  it('forgets one that was purged while it was not over', async () => {
    put(1, 'held')
    await byPhase()
    later()
    hub.rows.clear()

    expect(await byPhase()).toEqual({})
  })

  it('right after another reads nothing', async () => {
    await byPhase()
    later()
    await byPhase()
    const { length } = hub.lists

    await byPhase()

    expect(hub.lists).toHaveLength(length)
  })

  it('does not wait long for a hub that is slow, and says how old its answer is', async () => {
    put(1, 'running')
    const { asOf } = await known.upToDate(client)
    later()
    let answer = () => undefined as void
    hub.answersWhen = new Promise((resolve) => (answer = resolve))

    expect((await known.upToDate(client)).asOf).toBe(asOf)
    answer()
    await vi.waitUntil(async () => (await known.upToDate(client)).asOf > asOf)
  })

  it('is answered from what is known while the hub is down', async () => {
    put(1, 'running')
    const { asOf } = await known.upToDate(client)
    later()
    hub.fails = true

    expect(await byPhase()).toEqual({ running: 1 })
    expect((await known.upToDate(client)).asOf).toBe(asOf)
  })

  it('an hour later reads everything anew, and so forgets what was purged', async () => {
    put(1, 'completed')
    put(2, 'completed')
    await byPhase()
    hub.rows.delete('onboarding:contact:1')
    later(3_600_001)

    await vi.waitFor(async () => expect(await byPhase()).toEqual({ completed: 1 }))
  })
})
