// Changes whose messages never arrived: the reconciliation names each of them, starts it, and finds nothing the second time.
//
// RECONCILE=full drops 500 of 20,000; without it 25 of 1,000, to be quick.

import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { type Installation, until } from '../../local/installation.js'
import { withInstallation } from './with-installation.js'

const isFull = process.env['RECONCILE'] === 'full'
const changes = isFull ? 20_000 : 1_000
const dropped = changes / 40

let installation: Installation
// No message is on the way for longer than this test wants to wait.
withInstallation({ RECONCILE_GRACE_SECONDS: '0' }, (its) => (installation = its))

const run = z.object({
  id: z.string(),
  runtimeStatus: z.string(),
  statement: z
    .object({ rows: z.number(), missingCount: z.number(), missing: z.array(z.string()), wasFull: z.boolean() })
    .optional(),
})
const runs = z.object({ reconciliations: z.array(run) })

async function reconcile() {
  const url = `${installation.at.app}/api/reconciliations`
  const begun = await (await fetch(url, { method: 'POST' })).json()
  const { reconciliations } = z.object({ reconciliations: z.array(z.string()) }).parse(begun)
  const id = reconciliations.find((one) => one.startsWith('reconcile:account-sync:'))
  return until(
    'the reconciliation has ended',
    async () => {
      const told = runs.parse(await (await fetch(url)).json())
      return told.reconciliations.find((one) => one.id === id && one.runtimeStatus === 'Completed')?.statement
    },
    { seconds: 300, everyMs: 200 },
  )
}

const settled = (count: number) =>
  until(
    'all sagas have ended',
    async () => {
      const all = await installation.sagas('2020-01-01')
      return all.length === count && all.every(({ phase }) => phase === 'completed')
    },
    { seconds: 900, everyMs: 500 },
  )

it(`finds ${dropped} of ${changes} changes that never arrived, starts them, and nothing else`, {
  timeout: 1_800_000,
}, async () => {
  const lost: string[] = []
  let begun = 0
  const changing = Array.from({ length: 8 }, async () => {
    while (begun < changes) {
      const number = begun++
      const rowId = randomUUID()
      const message = await installation.createAccount(rowId, { name: `account ${number}` })
      if (number % (changes / dropped) === 0) lost.push(rowId)
      else await installation.send(message)
    }
  })
  await Promise.all(changing)
  await settled(changes - dropped)

  const first = await reconcile()
  await settled(changes)
  const second = await reconcile()
  // One more is lost after that: the next time only what changed since is read.
  const late = randomUUID()
  await installation.createAccount(late, { name: 'late' })
  const third = await reconcile()
  const path = '/api/data/v9.2/accounts'
  // The platform forgets its tokens after a week, and allows only so much at once.
  await installation.addFaults('dataverse', [
    { when: { path, contains: '$deltatoken' }, times: 1, do: { status: 410 } },
    { when: { path, contains: 'modifiedon' }, times: 1, do: { status: 429, retryAfter: 1, code: '0x80072322' } },
  ])
  const fourth = await reconcile()

  process.stdout.write(
    `${changes} changes, ${lost.length} lost: ${first.missingCount} found among ${first.rows} rows, ${second.missingCount} the second time, then ${third.missingCount} among ${third.rows}\n`,
  )
  expect(first).toMatchObject({ missingCount: dropped, wasFull: true })
  expect(first.missing.filter((rowId) => !lost.includes(rowId))).toEqual([])
  expect(second).toMatchObject({ missingCount: 0, wasFull: false })
  expect(third.missing).toEqual([late])
  expect(third.rows).toBeLessThan(changes / 2)
  expect(fourth).toMatchObject({ missingCount: 0, wasFull: true })
  expect(fourth.rows).toBeGreaterThan(changes)
  const { erp } = await installation.ledgers()
  expect(new Set(erp.map(({ subject }) => subject)).size).toBeGreaterThanOrEqual(changes)
})
