// Actions of every kind, for definitions that compile and definitions that do not.

import { z } from 'zod'
import { defineAction } from '../../../src/saga/action.js'
import type { Partner } from '../../../src/saga/partner.js'
import { relentless } from '../../../src/saga/policy.js'

const text = z.object({ text: z.string() })
const number = z.object({ number: z.number() })
const request = (body: unknown) => ({ method: 'POST', path: '/', body }) as const
const undo = { request: () => ({ method: 'DELETE', path: '/' }) as const }

export const on = { table: 'contact', message: 'Create' }
export const read = defineAction('p', 'read', {
  input: z.object({ rowId: z.string() }),
  output: z.object({ name: z.string() }),
  keys: 'honoured',
  request,
})
/** Text in, number out; can be undone. */
export const count = defineAction('p', 'count', { input: text, output: number, keys: 'honoured', request, undo })
/** Number in, text out; can be undone, and never gives up. */
export const spell = defineAction('p', 'spell', {
  input: number,
  output: text,
  keys: 'honoured',
  request,
  undo,
  retry: relentless,
})
/** Text in; can not be undone, for a reason. */
export const mail = defineAction('p', 'mail', {
  input: text,
  output: z.unknown(),
  keys: 'ignored',
  request,
  undo: { irreversible: 'An e-mail can not be unsent.' },
})
/** Text in, number out; nothing is said of undoing. */
export const pay = defineAction('p', 'pay', { input: text, output: number, keys: 'honoured', request })
/** Text in; nothing is said of undoing, but never gives up. */
export const notify = defineAction('p', 'notify', {
  input: text,
  output: z.unknown(),
  keys: 'honoured',
  request,
  retry: relentless,
})

/** Lets us in by a key, and bears only so much of us. */
export const warehouse: Partner = {
  name: 'warehouse',
  addressSetting: 'WAREHOUSE_URL',
  actions: [count, pay],
  authentication: { kind: 'apiKey', header: 'x-api-key', keySetting: 'WAREHOUSE_KEY' },
  limits: { concurrency: 8, perSecond: 40 },
}
