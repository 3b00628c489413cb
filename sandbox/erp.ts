// A pretend ERP: makes a customer of a contact, unless the contact has no e-mail address; takes accounts as they are.

import { z } from 'zod'
import { once, tellKey } from './idempotent.js'
import type { Ledger } from './ledger.js'
import { parsed } from './master-data.js'
import { type Answer, type Asked, Refusal } from './partner-server.js'

const customer = z.object({ rowId: z.string(), masterId: z.string(), name: z.string(), email: z.string().nullish() })
const account = z.object({
  name: z.string(),
  number: z.string().nullish(),
  email: z.string().nullish(),
  /** Where it may be answered later. */
  callback: z.string().optional(),
})
const created = z.object({ number: z.string() })

export function erp(ledger: Ledger): (asked: Asked) => Answer {
  const customers = () => ledger.entries.filter(({ effect }) => effect === 'create-customer')

  return (asked) => {
    const { method, path } = asked
    const [root, number = '', action] = path
    if (method === 'POST' && root === 'customers' && number === '')
      return once(ledger, asked, () => {
        const { rowId, email } = parsed(customer, asked.body)
        if (!email) throw new Refusal(422, 'EMAIL_MISSING', 'A customer needs an e-mail address for invoices.')
        const given = `C-${10_001 + customers().length}`
        return { effect: 'create-customer', subject: rowId, answer: { status: 201, body: { number: given } } }
      })
    if (method === 'POST' && root === 'customers' && action === 'deactivate')
      return once(ledger, asked, () => {
        const entry = customers().find(({ detail }) => created.safeParse(detail['answer']).data?.number === number)
        if (!entry) throw new Refusal(404, 'CUSTOMER_UNKNOWN', `There is no customer ${number}.`)
        return {
          effect: 'deactivate',
          subject: entry.subject,
          answer: { status: 200, body: { number, state: 'inactive' } },
        }
      })
    if (method === 'PUT' && root === 'accounts')
      return once(ledger, asked, () => {
        const { name } = parsed(account, asked.body)
        if (name === '') throw new Refusal(422, 'NAME_MISSING', 'An account needs a name.')
        const answer = { status: 200, body: { id: `A-${number.slice(0, 8)}`, receivedAt: new Date().toISOString() } }
        return { effect: 'sync-account', subject: number, answer }
      })
    if (method === 'GET' && root === 'keys') return tellKey(ledger, number)
    throw new Refusal(404, 'ROUTE_UNKNOWN', 'There is nothing here.')
  }
}
