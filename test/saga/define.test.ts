// What a saga's definition refuses, at compile time and when it ends.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineAction } from '../../src/saga/action.js'
import { defineSaga } from '../../src/saga/define.js'

const number = defineAction('partner', 'number', {
  input: z.object({ text: z.string() }),
  output: z.object({ number: z.number() }),
  keys: 'honoured',
  request: (body) => ({ method: 'POST', path: '/', body }),
})
const on = { table: 'contact', message: 'Create' }

describe('a definition', () => {
  it('refuses a second step of the same name', () => {
    const saga = defineSaga('twice', { version: 1, on })
      .step('a', number, () => ({ text: '' }))
      .step('a', number, () => ({ text: '' }))

    expect(() => saga.end()).toThrow("Saga 'twice' names step 'a' twice.")
  })

  it('refuses a name with which instance ids would be longer than the platform allows', () => {
    const saga = defineSaga('a-name-that-goes-on-and-on-and-on-and-on', { version: 1, on })

    expect(() => saga.end()).toThrow('Give the saga a shorter name.')
  })

  it('does not compile when a mapping uses what is not there or gives what is not accepted', () => {
    const saga = defineSaga('typed', { version: 1, on })
    const first = saga.step('first', number, () => ({ text: 'x' }))

    // @ts-expect-error -- no step 'second' has run
    first.step('third', number, ({ outputs }) => ({ text: outputs.second.text }))
    // @ts-expect-error -- the output is a number, the input wants a text
    first.step('third', number, ({ outputs }) => ({ text: outputs.first.number }))
    // @ts-expect-error -- nothing has run before the first step
    saga.step('first', number, ({ outputs }) => ({ text: outputs.first.text }))
    // @ts-expect-error -- there was no snapshot, so there is no row
    first.step('third', number, ({ row }) => ({ text: row.name }))

    expect(
      first.step('third', number, ({ outputs }) => ({ text: `${outputs.first.number}` })).end().steps,
    ).toHaveLength(2)
  })
})
