// The ERP: it must know a contact as a customer before an invoice can be written.

import { z } from 'zod'
import { defineAction } from '../../saga/action.js'
import type { Partner } from '../../saga/partner.js'

const name = 'erp'

/** Creates the customer; a contact that can't be invoiced is refused. */
export const createCustomer = defineAction(name, 'create-customer', {
  input: z.object({ rowId: z.guid(), masterId: z.string(), name: z.string(), email: z.string().nullable() }),
  output: z.object({ number: z.string().min(1) }),
  keys: 'honoured',
  request: (customer) => ({ method: 'POST', path: '/customers', body: customer }),
  undo: {
    request: ({ output }) => ({ method: 'POST', path: `/customers/${encodeURIComponent(output.number)}/deactivate` }),
  },
})

/** Takes an account as it stands now, new or not; the same account sent twice is one effect. When it is busy it answers later, within a day. */
export const syncAccount = defineAction(name, 'sync-account', {
  input: z.object({
    rowId: z.guid(),
    name: z.string(),
    number: z.string().nullable(),
    email: z.string().nullable(),
  }),
  output: z.object({ id: z.string().min(1), receivedAt: z.iso.datetime() }),
  keys: 'honoured',
  answeredWithin: 86_400_000,
  mayAnswerAtOnce: true,
  request: ({ rowId, ...account }, callback) => ({
    method: 'PUT',
    path: `/accounts/${rowId}`,
    body: { ...account, ...(callback && { callback }) },
  }),
})

export const erp: Partner = {
  name,
  addressSetting: 'ERP_URL',
  actions: [createCustomer, syncAccount],
  authentication: { kind: 'apiKey', header: 'x-api-key', keySetting: 'ERP_API_KEY', isOptional: true },
}
