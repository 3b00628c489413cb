// Lists on an engine that does not list by time: they are the newest first all the same, from page to page.

import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { DurableClient } from 'durable-functions'
import { sagaQuery } from '../../../src/operators/schemas/filter.js'
import type { SagaStatus } from '../../../src/saga/status.js'
import type { InstanceQuery } from '../../../src/task-hub.js'
import { pageOfSagas } from '../../../src/triggers/api/status.js'

const hub = vi.hoisted(() => ({ rows: new Array<SagaStatus>(), lists: new Array<InstanceQuery>() }))

vi.mock('../../../src/triggers/instances.js', () => ({
  listInstances: async (_: unknown, query: InstanceQuery) => {
    hub.lists.push(query)
    const first = Number(query.token ?? 0)
    const next = first + query.limit < hub.rows.length ? { next: String(first + query.limit) } : {}
    return { sagas: hub.rows.slice(first, first + query.limit), ...next }
  },
  readAll: async (_: unknown, ids: readonly string[]) =>
    ids.map((id) => hub.rows.find((row) => row.id === id)).filter((row) => row !== undefined),
}))

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only handed on
const client = {} as DurableClient

/** An hour apart. */
const saga = (number: number): SagaStatus => ({
  id: `onboarding:contact:${number}`,
  saga: 'onboarding',
  version: 1,
  table: 'contact',
  rowId: String(number),
  phase: 'completed',
  startedAt: new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toISOString(),
  updatedAt: new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toISOString(),
  steps: [],
  owed: [],
  log: [],
})

async function allOf(query: Readonly<Record<string, string>>): Promise<number[]> {
  const found: number[] = []
  let token: string | undefined
  do {
    const page = await pageOfSagas(client, sagaQuery.parse({ ...query, limit: '7', ...(token && { token }) }))
    found.push(...page.sagas.map(({ rowId }) => Number(rowId)))
    token = page.next
  } while (token !== undefined)
  return found
}

const numbers = Array.from({ length: 30 }, (_, number) => number)

beforeEach(() => void (hub.lists.length = 0))

describe('the list of all sagas', () => {
  it('is the platform’s own where that has the newest first', async () => {
    hub.rows = numbers.toReversed().map(saga)

    expect(await allOf({})).toEqual(numbers.toReversed())
    expect(hub.lists).toHaveLength(5)
  })

  it('comes from memory where the platform lists in another order, from the first page to the last', async () => {
    hub.rows = numbers.map((number) => saga((number * 7) % 30))

    expect(await allOf({})).toEqual(numbers.toReversed())
    expect(await allOf({ text: 'contact:1' })).toEqual([19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 1])
  })

  it('of a row is in the order of the platform, whatever that is', async () => {
    hub.rows = numbers.map((number) => saga((number * 7) % 30))

    expect(await allOf({ prefix: 'onboarding:contact:' })).toEqual(numbers.map((number) => (number * 7) % 30))
  })
})
