// The system of record for people: it gives each one a key.

import { z } from 'zod'
import { defineAction } from '../../saga/action.js'
import type { Partner } from '../../saga/partner.js'

const name = 'master-data'

/** Registers a contact; the answer brings its key. */
export const register = defineAction(name, 'register', {
  input: z.object({ rowId: z.guid(), name: z.string(), email: z.string().nullable() }),
  output: z.object({ id: z.string().min(1) }),
  keys: 'honoured',
  request: (contact) => ({
    method: 'POST',
    path: '/records',
    body: { source: 'dataverse', table: 'contact', ...contact },
  }),
  undo: {
    request: ({ output }) => ({ method: 'POST', path: `/records/${encodeURIComponent(output.id)}/retire` }),
  },
})

export const masterData: Partner = { name, addressSetting: 'MASTER_DATA_URL', actions: [register] }
