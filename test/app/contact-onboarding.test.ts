// The saga that ships: what each partner is sent when a contact is created.

import { describe, expect, it } from 'vitest'
import { actionNamed } from '../../src/app/index.js'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import type { Ask } from '../../src/saga/machine.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { simulate } from '../../testkit/simulate.js'

const row = 'c0ffee00-0000-4000-8000-000000000001'

const answers: Record<string, Outcome> = {
  snapshot: { kind: 'applied', output: { fullname: 'Astrid Lindqvist', emailaddress1: null } },
  register: { kind: 'applied', output: { id: 'MD-000001' } },
  'create-customer': { kind: 'refused', reason: 'EMAIL_MISSING' },
}

/** The request as the partner sees it, in one line. */
function sent(ask: Ask): string {
  const { action } = actionNamed(ask.partner, ask.action)
  const { method, path, body } = ask.what === 'do' ? action.requestFor(ask.input) : action.undoRequestFor(ask.done)
  return [ask.partner, method, path, JSON.stringify(body)].filter(Boolean).join(' ')
}

describe('contact-onboarding', () => {
  it('registers a contact, stores the key, and takes both back when the ERP refuses it', () => {
    const { asked, status } = simulate(contactOnboarding, {
      answer: (ask) => (ask.what === 'do' && answers[ask.step]) || { kind: 'applied', output: undefined },
    })

    expect(asked.map(sent)).toEqual([
      `dataverse GET /api/data/v9.2/contacts(${row})?$select=fullname,emailaddress1`,
      `master-data POST /records {"source":"dataverse","table":"contact","rowId":"${row}","name":"Astrid Lindqvist","email":null}`,
      `dataverse PATCH /api/data/v9.2/contacts(${row}) {"dvs_masterdataid":"MD-000001"}`,
      `erp POST /customers {"rowId":"${row}","masterId":"MD-000001","name":"Astrid Lindqvist","email":null}`,
      `dataverse PATCH /api/data/v9.2/contacts(${row}) {"dvs_masterdataid":null}`,
      'master-data POST /records/MD-000001/retire',
    ])
    expect(status).toMatchObject({ phase: 'compensated', owed: [] })
  })

  it('ends without a call to any partner when the contact is gone', () => {
    const { asked, status } = simulate(contactOnboarding, {
      answer: () => ({ kind: 'refused', reason: 'HTTP 404' }),
    })

    expect(asked).toHaveLength(1)
    expect(status.phase).toBe('compensated')
  })
})
