// The saga that ships: what each partner is sent when a contact is created, and what becomes of it.

import { describe, expect, it } from 'vitest'
import { actionNamed } from '../../src/app/index.js'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import type { Ask } from '../../src/saga/next.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { simulate } from '../../testkit/simulate.js'

const row = 'c0ffee00-0000-4000-8000-000000000001'

const applied = (output?: unknown): Outcome => ({ kind: 'applied', output })
const refused = (reason: string): Outcome => ({ kind: 'refused', reason })

const brings: Record<string, Outcome> = {
  snapshot: applied({ fullname: 'Astrid Lindqvist', emailaddress1: null }),
  register: applied({ id: 'MD-000001' }),
}

/** The request as the partner sees it, in one line. */
function sent(ask: Ask): string {
  const { action } = actionNamed(ask.partner, ask.action)
  const { method, path, body } = ask.what === 'undo' ? action.undoRequestFor(ask.done) : action.requestFor(ask.input)
  return [ask.partner, method, path, JSON.stringify(body)].filter(Boolean).join(' ')
}

describe('contact-onboarding', () => {
  it('takes the key back when the ERP refuses the contact', () => {
    const { asked, status } = simulate(contactOnboarding, {
      answer: ({ step }) => (step === 'create-customer' ? refused('EMAIL_MISSING') : (brings[step] ?? applied())),
    })

    expect(asked.map(({ what, step }) => `${what} ${step}`)).toEqual([
      'do snapshot',
      'do register',
      'do store-key',
      'do create-customer',
      'undo store-key',
      'undo register',
    ])
    expect(status).toMatchObject({ phase: 'compensated', owed: [] })
  })

  it('sends each partner what it needs, and takes back with what it got', () => {
    const { asked } = simulate(contactOnboarding, {
      answer: ({ step }) => (step === 'create-customer' ? refused('EMAIL_MISSING') : (brings[step] ?? applied())),
    })

    expect(asked.map(sent)).toEqual([
      `dataverse GET /api/data/v9.2/contacts(${row})?$select=fullname,emailaddress1`,
      `master-data POST /records {"source":"dataverse","table":"contact","rowId":"${row}","name":"Astrid Lindqvist","email":null}`,
      `dataverse PATCH /api/data/v9.2/contacts(${row}) {"dvs_masterdataid":"MD-000001"}`,
      `erp POST /customers {"rowId":"${row}","masterId":"MD-000001","name":"Astrid Lindqvist","email":null}`,
      `dataverse PATCH /api/data/v9.2/contacts(${row}) {"dvs_masterdataid":null}`,
      'master-data POST /records/MD-000001/retire',
    ])
  })

  it('ends without a call to any partner when the contact is gone', () => {
    const { asked, status } = simulate(contactOnboarding, { answer: () => refused('HTTP 404') })

    expect(asked).toHaveLength(1)
    expect(status.phase).toBe('compensated')
  })
})
