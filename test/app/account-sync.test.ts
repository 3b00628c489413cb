// The second saga that ships: an account as it stands now, and an acknowledgement that is tried until it is there.

import { anEvent, applied, deferred, explore, inDoubt, refused, simulate } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import { accountSync } from '../../src/app/sagas/account-sync.js'

const updated = anEvent({ table: 'account', message: 'Update' })
const answers = {
  snapshot: applied({ name: 'Nordwind', accountnumber: 'N-1', emailaddress1: null }),
  sync: applied({ id: 'A-1', receivedAt: '2026-01-01T00:00:00.000Z' }),
}

describe('account-sync', () => {
  it('sends the account as it stands now, and acknowledges what the ERP answered', () => {
    const { phase, calls } = simulate(accountSync, updated, { answers })

    expect(phase).toBe('completed')
    expect(calls.map(({ request }) => request?.body)).toEqual([
      undefined,
      { name: 'Nordwind', number: 'N-1', email: null, callback: expect.stringContaining('https://') },
      { dvs_erpid: 'A-1', dvs_erpsyncedon: '2026-01-01T00:00:00.000Z' },
    ])
  })

  it('waits for an answer that the ERP gives later, and acknowledges that', () => {
    const { phase, calls, waits } = simulate(accountSync, updated, {
      answers: { ...answers, sync: applied() },
      words: [{ kind: 'reply', step: 'sync', outcome: answers.sync }],
    })

    expect([phase, waits]).toEqual(['completed', []])
    expect(calls.at(-1)?.request?.body).toMatchObject({ dvs_erpid: 'A-1' })
  })

  it('tries only the acknowledgement again when only the acknowledgement failed, for days if need be', () => {
    const failing = [...Array.from({ length: 300 }, () => deferred('Dataverse is down')), inDoubt(), applied()]

    const { phase, calls, took } = simulate(accountSync, updated, { answers: { ...answers, acknowledge: failing } })

    expect(phase).toBe('completed')
    expect(calls.filter(({ step }) => step === 'sync')).toHaveLength(1)
    expect(calls.filter(({ step }) => step === 'acknowledge')).toHaveLength(302)
    expect(took).toBeGreaterThan(86_400_000)
  })

  it('leaves nothing behind when the ERP does not want the account', () => {
    const { phase, undo } = simulate(accountSync, updated, { answers: { ...answers, sync: refused('NAME_MISSING') } })

    expect([phase, undo]).toEqual(['compensated', []])
  })

  it('keeps its promises, whatever happens', () => {
    const { text } = explore(accountSync, updated, { answers, samples: 500 })

    process.stdout.write(`${text}\n`)
  })
})
