// account-sync, whose ERP answers some calls at once, some later by callback and some through the queue partner-replies.

import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { type Installation, until } from '../../local/installation.js'
import { withInstallation } from './with-installation.js'

let installation: Installation
withInstallation({}, (its) => (installation = its))

const ways = ['at once', 'by callback', 'by queue', 'refused by callback', 'refused by queue'] as const
const each = 8

it('an account is in the ERP once and acknowledged once, however the answer came; what only fails is the acknowledgement', {
  timeout: 120_000,
}, async () => {
  const accounts = ways.flatMap((way) => Array.from({ length: each }, () => ({ way, rowId: randomUUID() })))
  const idsOf = (like: string) => accounts.filter(({ way }) => way.includes(like)).map(({ rowId }) => rowId)
  await installation.addFaults('erp', [
    ...idsOf('by callback').map((contains) => ({ when: { contains }, do: { later: 20 } })),
    ...idsOf('by queue').map((contains) => ({ when: { contains }, do: { later: 20, by: 'queue' } })),
  ])
  // Nine in all, each of a row of its own: fewer than the eleven of twenty that open the breaker, whose pauses are not this test's matter.
  await installation.addFaults(
    'dataverse',
    accounts
      .filter(({ way }) => !way.startsWith('refused'))
      .map(({ rowId: contains }, index) => ({ contains, nth: index % each }))
      .filter(({ nth }) => nth < 3)
      .map(({ contains, nth }) => ({
        when: { method: 'PATCH', contains },
        times: 1,
        do: nth < 2 ? { status: 503 } : { drop: 'after' },
      })),
  )

  for (const { way, rowId } of accounts)
    await installation.send(
      await installation.createAccount(rowId, { name: way.startsWith('refused') ? '' : `Account ${way}` }),
    )

  const sagas = await until('all have ended', async () => {
    const all = await installation.sagas('2020-01-01')
    return all.length === accounts.length && all.every(({ phase }) => phase.startsWith('comp')) && all
  })
  const { erp, dataverse } = await installation.ledgers()
  const refused = new Set<string>(idsOf('refused'))
  const phases = sagas.map(({ rowId, phase }) => [refused.has(rowId), phase].join(' '))
  expect([...new Set(phases)].toSorted()).toEqual(['false completed', 'true compensated'])
  expect(
    sagas.flatMap(({ steps }) => steps.filter(({ name }) => name === 'sync').map(({ attempts }) => attempts)),
  ).toEqual(accounts.map(() => 1))
  const known = accounts.map(({ rowId }) => rowId).filter((rowId) => !refused.has(rowId))
  const once = (rowIds: readonly string[]) => rowIds.toSorted()
  expect(once(erp.map(({ subject }) => subject))).toEqual(once(known))
  const attempts = sagas.flatMap(({ steps }) =>
    steps.filter(({ name }) => name === 'acknowledge').map((step) => step.attempts),
  )
  expect(attempts.filter((asked) => asked > 1)).toHaveLength(9)
  const acknowledged = dataverse.filter(({ effect, detail }) => effect === 'update' && 'dvs_erpid' in detail)
  expect(once(acknowledged.map(({ subject }) => subject))).toEqual(once(known))
})
