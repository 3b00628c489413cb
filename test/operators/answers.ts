// What partners answer to contact-onboarding when all goes well.

import { applied } from '../../testkit/partners.js'

export const answers = {
  snapshot: applied({ fullname: 'Ada Berg', emailaddress1: 'ada@example.org' }),
  register: applied({ id: 'MD-000001' }),
  'store-key': applied(),
  'create-customer': applied({ number: 'C-10001' }),
}
