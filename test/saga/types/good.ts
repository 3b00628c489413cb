// Definitions that compile: each says in its comment what it is to show.

import { z } from 'zod'
import { defineAction } from '../../../src/saga/action.js'
import { defineSaga } from '../../../src/saga/define.js'
import { relentless } from '../../../src/saga/policy.js'
import { count, mail, notify, on, pay, read, spell } from './partners.js'

const head = { version: 1, on }
const one = () => ({ text: 'x' })

// accepted: one step
defineSaga('s', head).step('a', count, one).end()
// accepted: an output of an earlier step
defineSaga('s', head)
  .step('a', count, one)
  .step('b', spell, ({ outputs }) => ({ number: outputs.a.number }))
  .end()
// accepted: outputs of several earlier steps
defineSaga('s', head)
  .step('a', count, one)
  .step('b', count, one)
  .step('c', spell, ({ outputs }) => ({ number: outputs.a.number + outputs.b.number }))
  .end()
// accepted: the event
defineSaga('s', head)
  .step('a', count, ({ event }) => ({ text: event.rowId }))
  .end()
// accepted: the row, after a snapshot
defineSaga('s', head)
  .snapshot(read)
  .step('a', count, ({ row }) => ({ text: row.name }))
  .end()
// accepted: the row, many steps later
defineSaga('s', head)
  .snapshot(read)
  .step('a', count, one)
  .step('b', count, ({ row }) => ({ text: row.name }))
  .end()
// accepted: an irreversible step before the pivot, with its reason
defineSaga('s', head).step('a', mail, one).end()
// accepted: a pivot of which nothing is said of undoing
defineSaga('s', head).step('a', count, one).pivot('p', pay, one).end()
// accepted: a pivot alone
defineSaga('s', head).pivot('p', pay, one).end()
// accepted: after the pivot a step that never gives up
defineSaga('s', head).pivot('p', pay, one).step('z', notify, one).end()
// accepted: after the pivot the pivot's output
defineSaga('s', head)
  .pivot('p', pay, one)
  .step('z', spell, ({ outputs }) => ({ number: outputs.p.number }))
  .end()
// accepted: a block
defineSaga('s', head)
  .parallel((b) => b.step('a', count, one).step('b', mail, one))
  .end()
// accepted: after a block the outputs of all its branches
defineSaga('s', head)
  .parallel((b) => b.step('a', count, one).step('b', count, one))
  .step('c', spell, ({ outputs }) => ({ number: outputs.a.number + outputs.b.number }))
  .end()
// accepted: in a block what was known before it
defineSaga('s', head)
  .step('a', count, one)
  .parallel((b) => b.step('b', spell, ({ outputs }) => ({ number: outputs.a.number })))
  .end()
// accepted: a block after the pivot
defineSaga('s', head)
  .pivot('p', pay, one)
  .parallel((b) => b.step('a', notify, one).step('b', notify, one))
  .end()
// accepted: two blocks
defineSaga('s', head)
  .parallel((b) => b.step('a', count, one))
  .parallel((b) => b.step('b', count, one))
  .end()
// accepted: a conditional step
defineSaga('s', head)
  .step('a', count, one, { when: ({ event }) => event.table === 'contact' })
  .end()
// accepted: a conditional step's output, if it is there
defineSaga('s', head)
  .step('a', count, one, { when: () => true })
  .step('b', spell, ({ outputs }) => ({ number: outputs.a?.number ?? 0 }))
  .end()
// accepted: a condition on the row
defineSaga('s', head)
  .snapshot(read)
  .step('a', count, one, { when: ({ row }) => row.name !== '' })
  .end()
// accepted: a condition on an earlier output
defineSaga('s', head)
  .step('a', count, one)
  .step('b', count, one, { when: ({ outputs }) => outputs.a.number > 1 })
  .end()
// accepted: a timeout
defineSaga('s', head).step('a', count, one, { timeout: 60_000 }).end()
// accepted: a refusal that is held
defineSaga('s', head).step('a', count, one, { holdRefusalFor: 60_000 }).end()
// accepted: a deadline
defineSaga('s', { ...head, deadline: 3_600_000 })
  .step('a', count, one)
  .end()
// accepted: a step without use for what is known
defineSaga('s', head)
  .step('a', count, () => ({ text: '' }))
  .end()
// accepted: an undo of input and output
defineAction('p', 'a', {
  input: z.object({ a: z.string() }),
  output: z.object({ b: z.number() }),
  keys: 'honoured',
  request: ({ a }) => ({ method: 'POST', path: `/${a}` }),
  undo: { request: ({ input, output }) => ({ method: 'DELETE', path: `/${input.a}/${output.b.toFixed()}` }) },
})
// accepted: an undo in doubt, of input and key
defineAction('p', 'a', {
  input: z.object({ a: z.string() }),
  output: z.unknown(),
  keys: 'ignored',
  request: () => ({ method: 'POST', path: '/' }),
  undo: {
    request: () => ({ method: 'DELETE', path: '/' }),
    inDoubt: ({ input, key }) => ({ method: 'DELETE', path: `/${input.a}/${key}` }),
  },
})
// accepted: a probe
defineAction('p', 'a', {
  input: z.object({ a: z.string() }),
  output: z.unknown(),
  keys: 'ignored',
  request: () => ({ method: 'POST', path: '/' }),
  probe: { request: ({ key }) => ({ method: 'GET', path: `/keys/${key}` }) },
})
// accepted: an answer that comes later, and an endless policy
defineAction('p', 'a', {
  input: z.unknown(),
  output: z.unknown(),
  keys: 'honoured',
  answeredWithin: 60_000,
  retry: relentless,
  request: () => ({ method: 'POST', path: '/' }),
})
