// A new contact gets its key from master data, carries it in Dataverse, and becomes a customer in the ERP.

import { defineSaga } from '../../saga/define.js'
import { readContact, storeKey } from '../partners/dataverse.js'
import { createCustomer } from '../partners/erp.js'
import { register } from '../partners/master-data.js'

export const contactOnboarding = defineSaga('contact-onboarding', {
  version: 1,
  on: { table: 'contact', message: 'Create' },
})
  .snapshot(readContact)
  .step('register', register, ({ event, row }) => ({
    rowId: event.rowId,
    name: row.fullname ?? '',
    email: row.emailaddress1 ?? null,
  }))
  .step('store-key', storeKey, ({ event, outputs }) => ({ rowId: event.rowId, key: outputs.register.id }))
  .step('create-customer', createCustomer, ({ event, row, outputs }) => ({
    rowId: event.rowId,
    masterId: outputs.register.id,
    name: row.fullname ?? '',
    email: row.emailaddress1 ?? null,
  }))
  .end()
