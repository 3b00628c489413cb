// A bulk command on the SDK's executor, in virtual time: what it does in which order, at which pace, and when it is stopped.

import { runOrchestration } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { names } from '../../src/names.js'
import { bulk } from '../../src/orchestrators/bulk.js'
import { type BulkBatch, type BulkInput, paceOf, unbegun } from '../../src/saga/bulk.js'

const asked = z.object({ page: z.number(), from: z.number(), size: z.number() })

/** Items that are found in pages of 200, and what is to become of each. */
async function run(
  count: number,
  perSecond: number,
  fate: (item: number) => 'done' | 'refused' | 'failed' | 'stop' = () => 'done',
) {
  const job = {
    id: 'bulk:1',
    actor: 'ops',
    role: 'Operator',
    operation: 'o',
    reason: 'because',
    deed: { kind: 'command', command: 'retry' },
    perSecond,
    startedAt: '2026-01-01T00:00:00.000Z',
    choice: { of: 'sagas', query: { phase: 'held' } },
  } as const
  const input: BulkInput = { job, pages: 0, finding: {}, next: { page: 0, from: 0 }, progress: unbegun }
  const worked: number[] = []
  const ended: unknown[] = []
  const activities = {
    [names.bulkFind]: (value: unknown) => {
      const { page } = z.object({ page: z.number() }).parse(value)
      const here = Math.min(200, count - page * 200)
      return { count: here, ...(page * 200 + here < count && { token: String(page) }) }
    },
    [names.bulkBatch]: (value: unknown): BulkBatch => {
      const { page, from, size } = asked.parse(value)
      const last = Math.min(200, count - page * 200)
      const items = Array.from({ length: Math.min(size, last - from) }, (_, index) => page * 200 + from + index)
      if (items.some((item) => fate(item) === 'stop')) return { done: [], refused: [], failed: [], isStopped: true }
      worked.push(...items)
      const of = (kind: string) => items.filter((item) => fate(item) === kind).map(String)
      const why = (id: string) => ({ id, why: 'x'.repeat(500) })
      return {
        done: of('done'),
        refused: of('refused').map(why),
        failed: of('failed').map(why),
        ...(from + size < last && { from: from + size }),
      }
    },
    [names.bulkEnd]: (value: unknown) => void ended.push(value),
  }
  return { ...(await runOrchestration(bulk, { input, activities })), worked, ended }
}

describe('a bulk command', () => {
  it('works through all items in order, each once, at the pace that was asked for', async () => {
    const { output, worked, took, ended } = await run(1_005, 10)

    expect(output).toMatchObject({ state: 'done', total: 1_005, done: 1_005, refused: 0, failed: [] })
    expect(worked).toEqual(Array.from({ length: 1_005 }, (_, index) => index))
    expect(took).toBe(100_000)
    expect(ended).toHaveLength(1)
  })

  it('waits seconds between two, when it is asked for less than one in a second', async () => {
    expect((await run(6, 0.25)).took).toBe(20_000)
    expect(paceOf({ perSecond: 0.25 })).toEqual({ size: 1, ms: 4_000 })
    expect(paceOf({ perSecond: 100 })).toEqual({ size: 50, ms: 500 })
  })

  it('cuts its history, and counts on', async () => {
    const { output, history } = await run(150, 1)

    expect(output).toMatchObject({ total: 150, done: 150 })
    expect(history.length).toBeLessThan(400)
  })

  it('stops before the next few, and says how far it came', async () => {
    const { output, worked } = await run(1_000, 10, (item) => (item >= 50 ? 'stop' : 'done'))

    expect(output).toMatchObject({ state: 'stopped', total: 1_000, done: 50 })
    expect(worked).toHaveLength(50)
  })

  it('counts what was refused, and what failed, of which it names the first; its status stays small', async () => {
    const { output, customStatus } = await run(400, 50, (item) =>
      item % 4 === 0 ? 'failed' : item % 4 === 1 ? 'refused' : 'done',
    )

    expect(output).toMatchObject({ done: 200, refused: 100, failedCount: 100 })
    expect(customStatus).toEqual(output)
    expect(JSON.stringify(customStatus).length).toBeLessThan(7_000)
  })

  it('of nothing is done at once', async () => {
    expect((await run(0, 10)).output).toMatchObject({ state: 'done', total: 0 })
  })
})
