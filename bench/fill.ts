// Fills a hub's store with instances that have ended long ago, faster than they could run.

import { openStore } from '../embedded/store/store.js'
import { eventOf } from '../embedded/taskhub/history.js'
import { type InstanceRow, openHubTables, type RuntimeStatus } from '../embedded/taskhub/tables.js'
import { Writing } from '../embedded/taskhub/writing.js'

const began = Date.parse('2026-01-01T00:00:00Z')
const perCommit = 20_000

/** As the hub would have written them. @param rowOf made of a number from 0 on; if absent, one in a hundred runs, one in ten thousand has failed */
export async function fillInstances(folder: string, total: number, rowOf = bareRow): Promise<void> {
  const store = openStore(folder, { isDurable: false })
  const tables = openHubTables(store)
  for (let first = 0; first < total; first += perCommit)
    await store.commit((changes) => {
      const writing = new Writing(changes, tables)
      for (let number = first; number < Math.min(total, first + perCommit); number++) {
        const row = rowOf(number)
        writing.start({ row, existing: undefined, event: eventOf('ExecutionStarted', row.createdAt), letter: number })
        changes.remove(tables.letters, [row.id, number])
      }
    })
  await store.close()
}

function bareRow(number: number): InstanceRow {
  const status: RuntimeStatus = number % 10_000 === 0 ? 'Failed' : number % 100 === 0 ? 'Suspended' : 'Completed'
  const createdAt = began + number * 1_000
  return {
    id: `contact:${String(number).padStart(7, '0')}`,
    name: 'saga',
    version: '',
    executionId: 'e',
    status,
    input: null,
    output: null,
    customStatus: '{"phase":"completed"}',
    createdAt,
    updatedAt: createdAt + 500,
    events: 0,
  }
}
