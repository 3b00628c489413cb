// The operations log: what it keeps, and that nobody changes it unseen.

import type { DurableClient } from 'durable-functions'
import { describe, expect, it } from 'vitest'
import { chunkSize, type Entry } from '../../src/operators/operations/chain.js'
import { operationsLog, readOperations, record, recorded } from '../../src/operators/operations/log.js'
import { SagaError } from '../../src/saga/errors.js'

/** As much of a task hub as the log needs: entities by their id, whose state is written down as JSON. */
function aHub() {
  const states = new Map<string, string>()
  const idOf = ({ name, key }: { name: string; key: string }) => `${name}/${key}`
  const client: Pick<DurableClient, 'signalEntity' | 'readEntityState'> = {
    async signalEntity(entity, operationName, input) {
      const written = states.get(idOf(entity))
      operationsLog({
        df: {
          operationName: operationName ?? '',
          isNewlyConstructed: written === undefined,
          getState: () => (written === undefined ? undefined : JSON.parse(written)),
          setState: (state) => void states.set(idOf(entity), JSON.stringify(state)),
          getInput: () => JSON.parse(JSON.stringify(input)),
          signalEntity: (other, name, value) => void client.signalEntity(other, name, value),
        },
      })
    },
    async readEntityState(entity) {
      const written = states.get(idOf(entity))
      return {
        entityExists: written !== undefined,
        entityState: written === undefined ? undefined : JSON.parse(written),
      }
    },
  }
  return { client, states }
}

const retry = (target: string) =>
  ({ actor: 'ada@contoso.com', role: 'Operator', what: 'retry', target, reason: 'the ERP is back' }) as const

async function aLog(entries: number) {
  const hub = aHub()
  for (let number = 1; number <= entries; number++) await record(hub.client, retry(`saga-${number}`))
  return hub
}

describe('the operations log', () => {
  it('holds who asked for what and why before it takes effect, and what came of it', async () => {
    const { client } = aHub()
    let seenBefore = 0
    await recorded(client, { ...retry('saga-1'), before: { phase: 'held' } }, async () => {
      seenBefore = (await readOperations(client, { limit: 10 })).operations.length
      return { answer: undefined, after: { phase: 'completed' } }
    })

    const { operations: entries, intact } = await readOperations(client, { limit: 10 })
    expect(seenBefore).toBe(1)
    expect(intact).toBe(true)
    expect(entries).toMatchObject([
      { seq: 2, ...retry('saga-1'), after: { phase: 'completed' }, operation: entries[1]?.operation },
      { seq: 1, ...retry('saga-1'), before: { phase: 'held' } },
    ])
  })

  it('holds refusals, in the words of the error; of an unexpected one only that it failed', async () => {
    const { client } = aHub()
    const refusing = (error: Error) =>
      recorded(client, retry('saga-1'), async () => {
        throw error
      })
    await expect(refusing(SagaError.of('COMMAND_ILLEGAL', { command: 'retry', why: 'nothing waits' }))).rejects.toThrow(
      'nothing waits',
    )
    await expect(refusing(new Error('Ada Lovelace, ada@example.com'))).rejects.toThrow('Ada')

    const { operations: entries } = await readOperations(client, { limit: 10 })
    expect(entries.map(({ refused }) => refused)).toEqual([
      'it failed',
      undefined,
      "COMMAND_ILLEGAL: 'retry' can not be followed: nothing waits.",
      undefined,
    ])
  })

  it('is told in pages, the newest first, and of one target or since a time', async () => {
    const { client } = await aLog(250)
    const first = await readOperations(client, { limit: 100 })
    const second = await readOperations(client, { limit: 100, token: first.next ?? '' })
    const third = await readOperations(client, { limit: 100, token: second.next ?? '' })

    const seqs = [first, second, third].flatMap((page) => page.operations.map(({ seq }) => seq))
    expect(seqs).toEqual(Array.from({ length: 250 }, (_, index) => 250 - index))
    expect(third.next).toBeUndefined()
    expect((await readOperations(client, { limit: 10, target: 'saga-77' })).operations).toMatchObject([{ seq: 77 }])
    expect((await readOperations(client, { limit: 10, since: '2999-01-01T00:00:00.000Z' })).operations).toEqual([])
  })

  it('is handed on in chunks, so that no state grows without bound', async () => {
    const { states } = await aLog(10 * chunkSize + 1)

    expect([...states.keys()].toSorted()).toHaveLength(11)
    expect(Math.max(...[...states.values()].map((text) => text.length))).toBeLessThan(60_000)
  })

  it('says when an entry was changed, taken out, put in or moved, wherever it stands', async () => {
    const changes: readonly ((entries: Entry[]) => Entry[])[] = [
      (entries) => entries.map((one, at) => (at === 5 ? { ...one, actor: 'somebody else' } : one)),
      (entries) => entries.filter((_, at) => at !== 5),
      (entries) => [...entries.slice(0, 5), ...entries.slice(4)],
      (entries) => [...entries.slice(0, 4), ...entries.slice(4, 6).toReversed(), ...entries.slice(6)],
      (entries) => entries.slice(0, -1),
      () => [],
    ]
    for (const place of ['operations/chunk-0', 'operations/chunk-1', 'operations/head'])
      for (const change of changes) {
        const { client, states } = await aLog(220)
        const written = JSON.parse(states.get(place) ?? '')
        const changed = Array.isArray(written) ? change(written) : { ...written, entries: change([...written.entries]) }
        states.set(place, JSON.stringify(changed))

        expect((await readOperations(client, { limit: 10 })).intact, `${place} ${changes.indexOf(change)}`).toBe(false)
      }
  })
})
