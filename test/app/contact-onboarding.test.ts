// The saga that ships: what each partner is sent when a contact is created, and what becomes of it.

import { anEvent, applied, refused, simulate } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'

const row = 'c0ffee00-0000-4000-8000-000000000001'
const created = anEvent({ table: 'contact', message: 'Create', rowId: row })

/** What the partners bring when all goes well. */
const answers = {
  snapshot: applied({ fullname: 'Astrid Lindqvist', emailaddress1: null }),
  register: applied({ id: 'MD-000001' }),
  'create-customer': applied({ number: 'C-17' }),
}

describe('contact-onboarding', () => {
  it('takes the key back when the ERP refuses the contact', () => {
    const story = simulate(contactOnboarding, created, {
      answers: { ...answers, 'create-customer': refused('EMAIL_MISSING') },
    })

    expect(story.phase).toBe('compensated')
    expect(story.undo.map(({ step }) => step)).toEqual(['store-key', 'register'])
  })

  it('sends each partner what it needs, and takes back with what it got', () => {
    const { calls } = simulate(contactOnboarding, created, {
      answers: { ...answers, 'create-customer': refused('EMAIL_MISSING') },
    })

    expect(
      calls.map(({ ask, request }) =>
        [ask.partner, request?.method, request?.path, JSON.stringify(request?.body)].filter(Boolean).join(' '),
      ),
    ).toEqual([
      `dataverse GET /api/data/v9.2/contacts(${row})?$select=fullname,emailaddress1`,
      `master-data POST /records {"source":"dataverse","table":"contact","rowId":"${row}","name":"Astrid Lindqvist","email":null}`,
      `dataverse PATCH /api/data/v9.2/contacts(${row})?tag=dataverse-saga {"dvs_masterdataid":"MD-000001"}`,
      `erp POST /customers {"rowId":"${row}","masterId":"MD-000001","name":"Astrid Lindqvist","email":null}`,
      `dataverse PATCH /api/data/v9.2/contacts(${row})?tag=dataverse-saga {"dvs_masterdataid":null}`,
      'master-data POST /records/MD-000001/retire',
    ])
  })

  it('ends without a call to any partner when the contact is gone', () => {
    const { calls, phase } = simulate(contactOnboarding, created, { answers: { snapshot: refused('HTTP 404') } })

    expect(calls).toHaveLength(1)
    expect(phase).toBe('compensated')
  })
})
