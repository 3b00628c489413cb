// An account that was created or changed goes to the ERP as it stands now; the ERP's answer is acknowledged on the row.

import { defineSaga } from '../../saga/define.js'
import { acknowledge, readAccount } from '../partners/dataverse.js'
import { syncAccount } from '../partners/erp.js'

export const accountSync = defineSaga('account-sync', {
  version: 1,
  on: { table: 'account', message: ['Create', 'Update'], columns: ['name', 'accountnumber', 'emailaddress1'] },
  lane: 'row',
})
  .snapshot(readAccount)
  // From here on it only goes forward: when the acknowledgement fails, only the acknowledgement is tried again.
  .pivot('sync', syncAccount, ({ event, row }) => ({
    rowId: event.rowId,
    name: row.name ?? '',
    number: row.accountnumber ?? null,
    email: row.emailaddress1 ?? null,
  }))
  .step('acknowledge', acknowledge, ({ event, outputs }) => ({
    rowId: event.rowId,
    erpId: outputs.sync.id,
    syncedAt: outputs.sync.receivedAt,
  }))
  .end()
