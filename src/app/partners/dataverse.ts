// Dataverse as the place that sagas read rows from and write keys back to.

import { z } from 'zod'
import { odataBatch } from '../../dataverse/batch.js'
import { readRow, writeRow } from '../../dataverse/web-api.js'
import { defineAction } from '../../saga/action.js'
import type { Partner } from '../../saga/partner.js'
import { relentless } from '../../saga/policy.js'

const name = 'dataverse'
const contacts = 'contacts'
const accounts = 'accounts'

/** The contact as it stands now. A row that is gone is a refusal: there is nothing to onboard. */
export const readContact = defineAction(name, 'read-contact', {
  input: z.object({ rowId: z.guid() }),
  output: z.object({ fullname: z.string().nullish(), emailaddress1: z.string().nullish() }),
  keys: 'honoured',
  request: ({ rowId }) => readRow(contacts, rowId, ['fullname', 'emailaddress1']),
})

/** Stores the key that master data gave; undone, the column is empty again. */
export const storeKey = defineAction(name, 'store-key', {
  input: z.object({ rowId: z.guid(), key: z.string() }),
  output: z.unknown(),
  // The same values written twice are one effect.
  keys: 'honoured',
  request: ({ rowId, key }) => writeRow(contacts, rowId, { dvs_masterdataid: key }),
  undo: {
    request: ({ input }) => writeRow(contacts, input.rowId, { dvs_masterdataid: null }),
    // A row that was deleted meanwhile holds no key.
    meanings: { 404: 'applied' },
  },
})

/** The account as it stands now. A row that is gone is a refusal: there is nothing to sync. */
export const readAccount = defineAction(name, 'read-account', {
  input: z.object({ rowId: z.guid() }),
  output: z.object({
    name: z.string().nullish(),
    accountnumber: z.string().nullish(),
    emailaddress1: z.string().nullish(),
  }),
  keys: 'honoured',
  request: ({ rowId }) => readRow(accounts, rowId, ['name', 'accountnumber', 'emailaddress1']),
})

/** Tells the row under which key the ERP has it, and since when. A row that is gone needs not to be told. */
export const acknowledge = defineAction(name, 'acknowledge', {
  input: z.object({ rowId: z.guid(), erpId: z.string(), syncedAt: z.string() }),
  output: z.unknown(),
  keys: 'honoured',
  retry: relentless,
  request: ({ rowId, erpId, syncedAt }) => writeRow(accounts, rowId, { dvs_erpid: erpId, dvs_erpsyncedon: syncedAt }),
  meanings: { 404: 'applied' },
})

export const dataverse: Partner = {
  name,
  addressSetting: 'DATAVERSE_URL',
  actions: [readContact, storeKey, readAccount, acknowledge],
  authentication: { kind: 'managedIdentity' },
  // Dataverse takes 52 requests of one user at once; what waits behind these is written in batches.
  limits: { concurrency: 40 },
  batch: odataBatch,
}
