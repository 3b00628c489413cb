import { it } from 'vitest'
import { explore } from '../testkit/explore.js'
import { anEvent } from '../testkit/event.js'
import { applied } from '../testkit/partners.js'
import { contactOnboarding } from '../src/app/sagas/contact-onboarding.js'
const answers = {
  snapshot: applied({ fullname: 'Astrid Lindqvist', emailaddress1: null }),
  register: applied({ id: 'MD-000001' }),
  'create-customer': applied({ number: 'C-17' }),
}
it('x', () => {
  for (const depth of [0, 1, 2]) {
    const t = performance.now()
    console.log(explore(contactOnboarding, anEvent(), { answers, depth }).text, performance.now() - t)
  }
})
