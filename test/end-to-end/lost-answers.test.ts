// A thousand sagas among partners that do what they are asked and then lose every fifth answer: nothing is doubled, nothing is left behind.

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { disagreements } from '../../local/compare-ledgers.js'
import { type Installation, type Saga, hasEnded, until } from '../../local/installation.js'
import { withInstallation } from './with-installation.js'

const count = 1_000

let installation: Installation
withInstallation({}, (its) => (installation = its))

describe('partners that apply and then drop every fifth answer', () => {
  it(`end ${count} sagas with ledgers that agree`, { timeout: 240_000 }, async () => {
    const since = new Date().toISOString()
    // Creating the rows in the pretend Dataverse is not what is tested.
    for (const partner of ['dataverse', 'masterData', 'erp'] as const)
      for (const method of ['POST', 'PATCH'])
        await installation.addFaults(partner, [
          {
            when: { method, path: partner === 'dataverse' ? '/api/data/v9.2/contacts(' : '/' },
            share: 0.2,
            do: { drop: 'after' },
          },
        ])
    const contacts = Array.from({ length: count }, (_, index) => ({
      rowId: randomUUID(),
      firstName: 'Ada',
      lastName: `Berg ${index}`,
      email: index % 5 === 0 ? undefined : 'ada@example.org',
    }))

    for (let first = 0; first < count; first += 100)
      await Promise.all(
        contacts
          .slice(first, first + 100)
          .map(async (contact) => installation.send(await installation.createContact(contact))),
      )
    const needsPerson = ({ phase }: Saga) => phase === 'held'
    const all = await until(
      'every saga has ended or waits for a person',
      async () => {
        const found = await installation.sagas(since)
        return found.length === count && found.every((saga) => hasEnded(saga) || needsPerson(saga)) && found
      },
      { seconds: 180, everyMs: 250 },
    )

    const held = all.filter(needsPerson).length
    const attempts = all.flatMap(({ steps }) => steps).reduce((sum, step) => sum + step.attempts, 0)
    const rows = contacts.map(({ rowId }) => rowId)
    const wrong = disagreements(rows, all, await installation.ledgers())
    process.stdout.write(
      `${count} sagas, ${attempts} forward calls with a fifth of the answers lost: ${wrong.length} duplicates or orphans, ${(held / count) * 100} % needed a person\n`,
    )
    expect(wrong).toEqual([])
    expect(all.filter(({ phase }) => phase === 'compensated')).toHaveLength(count / 5)
  })
})
