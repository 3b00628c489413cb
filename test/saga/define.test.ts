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
  undo: { request: () => ({ method: 'DELETE', path: '/' }) },
})
const on = { table: 'contact', message: 'Create' }

describe('a definition', () => {
  it('refuses a second step of the same name', () => {
    const saga = defineSaga('twice', { version: 1, on })
      .step('a', number, () => ({ text: '' }))
      // @ts-expect-error -- the compiler knows it too
      .step('a', number, () => ({ text: '' }))

    expect(() => saga.end()).toThrow("Saga 'twice' names step 'a' twice.")
  })

  it('refuses a name with which instance ids would be longer than the platform allows', () => {
    const saga = defineSaga('a-name-that-goes-on-and-on-and-on-and-on', { version: 1, on }).step('a', number, () => ({
      text: '',
    }))

    expect(() => saga.end()).toThrow('Give the saga a shorter name.')
  })

  it.each(['a:undo', 'a~2', 'a b', ''])('refuses the name %j: ids and keys are made of names', (name) => {
    const wrongly = (saga: string, step: string) => () =>
      defineSaga(saga, { version: 1, on })
        .step(step, number, () => ({ text: '' }))
        .end()

    expect(wrongly('saga', name)).toThrow(expect.objectContaining({ code: 'SAGA_NAME_MALFORMED' }))
    expect(wrongly(name, 'step')).toThrow(expect.objectContaining({ code: 'SAGA_NAME_MALFORMED' }))
  })

  it('refuses to be empty', () => {
    expect(() => defineSaga('empty', { version: 1, on }).end()).toThrow("Saga 'empty' has no step.")
  })

  it('numbers its stages: the steps of a block share one', () => {
    const saga = defineSaga('stages', { version: 1, on })
      .step('a', number, () => ({ text: '' }))
      .parallel((block) => block.step('b', number, () => ({ text: '' })).step('c', number, () => ({ text: '' })))
      .pivot('d', number, ({ outputs }) => ({ text: `${outputs.b.number + outputs.c.number}` }))
      .end()

    expect(saga.steps.map(({ name, stage, kind }) => [name, stage, kind])).toEqual([
      ['a', 0, 'step'],
      ['b', 1, 'step'],
      ['c', 1, 'step'],
      ['d', 2, 'pivot'],
    ])
  })
})
