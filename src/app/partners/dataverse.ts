// Dataverse as the place that sagas read rows from and write keys back to.

import { z } from 'zod'
import { readRow, writeRow } from '../../dataverse/web-api.js'
import { defineAction } from '../../saga/action.js'
import type { Partner } from '../../saga/partner.js'

const name = 'dataverse'
const contacts = 'contacts'

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

export const dataverse: Partner = {
  name,
  addressSetting: 'DATAVERSE_URL',
  actions: [readContact, storeKey],
  authentication: { kind: 'managedIdentity' },
}
