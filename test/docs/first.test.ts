// The first test of docs/testing.md, as it stands there.

import { anEvent, applied, simulate } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'

const created = anEvent({ table: 'contact', message: 'Create' })
const answers = {
  snapshot: applied({ fullname: 'Astrid Lindqvist', emailaddress1: 'astrid@example.org' }),
  register: applied({ id: 'MD-000001' }),
  'create-customer': applied({ number: 'C-17' }),
}

describe('contact-onboarding', () => {
  it('goes through all partners', () => {
    const story = simulate(contactOnboarding, created, { answers })

    expect(story.phase).toBe('completed')
    expect(story.calls.map(({ step }) => step)).toEqual(['snapshot', 'register', 'store-key', 'create-customer'])
  })
})
