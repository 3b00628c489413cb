// What one attempt tells the saga: what is no word of the partner about the call is not taken for one.

import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { askPartner } from '../../src/activities/ask-partner.js'
import { defineAction } from '../../src/saga/action.js'
import { instanceIdOf, keyOf } from '../../src/saga/ids.js'
import type { Ask } from '../../src/saga/next.js'
import { anEvent } from '../../testkit/event.js'

const book = defineAction('erp', 'book', {
  input: z.object({ amount: z.number() }),
  output: z.object({ id: z.string() }),
  keys: 'ignored',
  request: (body) => ({ method: 'POST', path: '/bookings', body }),
  probe: { request: ({ key }) => ({ method: 'GET', path: `/bookings?key=${key}` }) },
  undo: { irreversible: 'it is booked' },
})
const world = vi.hoisted(() => ({ status: 200 }))

vi.mock('../../src/app/index.js', () => ({ actionNamed: () => ({ action: book, partner: { name: 'erp' } }) }))
vi.mock('../../src/gateways.js', () => ({
  gatewayTo: () => ({ ask: async () => ({ status: world.status, body: undefined }) }),
}))

const key = keyOf(instanceIdOf('booking', anEvent()), 'book', 'do')
const asked = { step: 'book', partner: 'erp', action: 'book', key, attempt: 1, input: { amount: 1 } }
const kindOf = async (ask: Ask) => (await askPartner(ask, { log: () => undefined })).kind

describe('a probe', () => {
  it.each([
    [302, 'inDoubt'],
    [400, 'inDoubt'],
    [403, 'inDoubt'],
    [405, 'inDoubt'],
    [406, 'inDoubt'],
    [404, 'refused'],
  ])('that is answered with HTTP %i is %s', async (status, kind) => {
    world.status = status

    expect(await kindOf({ ...asked, what: 'probe' })).toBe(kind)
  })
})

describe('a request that can not be made', () => {
  const unreadable = { ...asked, input: { amount: 'of another version' } }

  it('is refused at the first attempt: nothing was sent', async () => {
    expect(await kindOf({ ...unreadable, what: 'do' })).toBe('refused')
  })

  it.each([
    ['a later attempt', { ...unreadable, what: 'do', attempt: 2 }],
    ['a probe', { ...unreadable, what: 'probe' }],
  ] as const)('for %s is deferred: what was sent may have been applied', async (_, ask) => {
    expect(await kindOf(ask)).toBe('deferred')
  })
})
