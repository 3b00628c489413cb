// Definitions that do not compile: each is preceded by words that the compiler's message must contain.

import { z } from 'zod'
import { defineAction } from '../../../src/saga/action.js'
import { defineSaga } from '../../../src/saga/define.js'
import { count, mail, notify, on, pay, read, spell } from './partners.js'

const head = { version: 1, on }
const one = () => ({ text: 'x' })
const request = () => ({ method: 'POST', path: '/' }) as const

// refused: Property 'a' does not exist
defineSaga('s', head)
  .step('b', spell, ({ outputs }) => ({ number: outputs.a.number }))
  .end()
// refused: Property 'c' does not exist
defineSaga('s', head)
  .step('a', count, one)
  .step('b', spell, ({ outputs }) => ({ number: outputs.c.number }))
  .end()
// refused: Property 'b' does not exist
defineSaga('s', head)
  .step('a', count, one)
  .step('b', spell, ({ outputs }) => ({ number: outputs.b.number }))
  .end()
// refused: Property 'wrong' does not exist on type '{ number: number; }'
defineSaga('s', head)
  .step('a', count, one)
  .step('b', spell, ({ outputs }) => ({ number: outputs.a.wrong }))
  .end()
// refused: Type 'number' is not assignable to type 'string'
defineSaga('s', head)
  .step('a', count, one)
  .step('b', count, ({ outputs }) => ({ text: outputs.a.number }))
  .end()
// refused: Property 'text' is missing
defineSaga('s', head)
  .step('a', count, () => ({}))
  .end()
// refused: 'row' is possibly
defineSaga('s', head)
  .step('a', count, ({ row }) => ({ text: row.name }))
  .end()
// refused: Property 'age' does not exist
defineSaga('s', head)
  .snapshot(read)
  .step('a', count, ({ row }) => ({ text: row.age }))
  .end()
// refused: Property 'snapshot' does not exist
defineSaga('s', head).step('a', count, one).snapshot(read).end()
// refused: is not assignable to parameter of type
defineSaga('s', head).snapshot(spell).end()
// refused: A step before the pivot needs an action with an undo, or with { irreversible: why }.
defineSaga('s', head).step('a', pay, one).end()
// refused: A step before the pivot needs an action with an undo, or with { irreversible: why }.
defineSaga('s', head).step('a', notify, one).pivot('p', pay, one).end()
// refused: A step before the pivot needs an action with an undo, or with { irreversible: why }.
defineSaga('s', head)
  .parallel((b) => b.step('a', count, one).step('b', pay, one))
  .end()
// refused: A step after the pivot can only go forward: its action needs a retry policy that never gives up.
defineSaga('s', head).pivot('p', pay, one).step('z', count, one).end()
// refused: A step after the pivot can only go forward: its action needs a retry policy that never gives up.
defineSaga('s', head)
  .pivot('p', pay, one)
  .parallel((b) => b.step('a', notify, one).step('b', mail, one))
  .end()
// refused: A saga has one pivot at most.
defineSaga('s', head).pivot('p', pay, one).pivot('q', pay, one).end()
// refused: A saga has one pivot at most.
defineSaga('s', head).pivot('p', pay, one).step('z', notify, one).pivot('q', pay, one).end()
// refused: A step named 'a' is there already: give each step a name of its own.
defineSaga('s', head).step('a', count, one).step('a', count, one).end()
// refused: A step named 'a' is there already: give each step a name of its own.
defineSaga('s', head).step('a', count, one).pivot('a', pay, one).end()
// refused: A step named 'a' is there already: give each step a name of its own.
defineSaga('s', head)
  .parallel((b) => b.step('a', count, one).step('a', count, one))
  .end()
// refused: Property 'a' does not exist
defineSaga('s', head)
  .parallel((b) => b.step('a', count, one).step('b', spell, ({ outputs }) => ({ number: outputs.a.number })))
  .end()
// refused: 'outputs.a' is possibly 'undefined'
defineSaga('s', head)
  .step('a', count, one, { when: () => true })
  .step('b', spell, ({ outputs }) => ({ number: outputs.a.number }))
  .end()
// refused: Property 'b' does not exist
defineSaga('s', head)
  .step('a', count, one, { when: ({ outputs }) => outputs.b !== undefined })
  .end()
// refused: 'retries' does not exist in type
defineSaga('s', head).step('a', count, one, { retries: 3 }).end()
// refused: 'when' does not exist in type
defineSaga('s', head)
  .pivot('p', pay, one, { when: () => true })
  .end()
// refused: Property 'version' is missing
defineSaga('s', { on })
// refused: Property 'c' does not exist on type '{ a: string; }'
defineAction('p', 'a', {
  input: z.object({ a: z.string() }),
  output: z.object({ b: z.number() }),
  keys: 'honoured',
  request,
  undo: { request: ({ input }) => ({ method: 'DELETE', path: input.c }) },
})
// refused: Property 'c' does not exist on type '{ b: number; }'
defineAction('p', 'a', {
  input: z.object({ a: z.string() }),
  output: z.object({ b: z.number() }),
  keys: 'honoured',
  request,
  undo: { request: ({ output }) => ({ method: 'DELETE', path: output.c }) },
})
// refused: Property 'keys' is missing
defineAction('p', 'a', { input: z.unknown(), output: z.unknown(), request })
// refused: Property 'output' does not exist on type '{ readonly input: { a: string; }; readonly key: string; }'
defineAction('p', 'a', {
  input: z.object({ a: z.string() }),
  output: z.unknown(),
  keys: 'ignored',
  request,
  undo: { request, inDoubt: ({ output }) => ({ method: 'DELETE', path: output }) },
})
