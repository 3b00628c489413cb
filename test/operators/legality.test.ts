// What may be said to a saga now is what the machine would follow, in every state that it comes through.

import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import { legalityOf } from '../../src/operators/legality.js'
import { turn } from '../../src/saga/machine.js'
import { readSignal } from '../../src/saga/signal.js'
import { anEvent } from '../../testkit/event.js'
import { applied, deferred, inDoubt, refused } from '../../testkit/partners.js'
import { simulate, type World } from '../../testkit/simulate.js'
import { answers } from './answers.js'

const person = { actor: 'Ada', reason: 'a test' }

const worlds: Readonly<Record<string, World>> = {
  completes: { answers },
  'is undone': { answers: { ...answers, 'create-customer': refused() } },
  'waits, and is given up': { answers: { ...answers, register: deferred() } },
  'is in doubt': { answers: { ...answers, 'create-customer': inDoubt() } },
  'is on hold, and cancelled': {
    answers: { ...answers, 'create-customer': [deferred(), applied({ number: 'C-1' })] },
    words: (status) => {
      if (status.log.length === 0 && status.waitsFor?.kind === 'retry') return { ...person, kind: 'hold' }
      return status.log.length === 1 ? { ...person, kind: 'cancel' } : undefined
    },
  },
  'owes an undo': { answers: { ...answers, 'create-customer': refused(), 'undo register': refused() } },
}

/** What fits each step, so that only the moment can be wrong. */
const values: Readonly<Record<string, object>> = {
  snapshot: { input: { rowId: anEvent().rowId }, output: { fullname: 'Ada' } },
  register: { input: { rowId: anEvent().rowId, name: 'Ada', email: null }, output: { id: 'MD-1' } },
  'store-key': { input: { rowId: anEvent().rowId, key: 'MD-1' }, output: {} },
  'create-customer': {
    input: { rowId: anEvent().rowId, masterId: 'MD-1', name: 'Ada', email: null },
    output: { number: 'C-1' },
  },
}

describe.each(Object.entries(worlds))('a saga that %s', (_, world) => {
  const { states } = simulate(contactOnboarding, anEvent(), world)

  it(`is told the truth about every command in each of its states`, () => {
    const wrong: string[] = []
    const legal = new Set<string>()
    for (const state of states)
      for (const { command: kind, step, allowed } of legalityOf(contactOnboarding, state)) {
        const signal = readSignal({
          kind: 'command',
          command: { ...person, ...values[step ?? ''], id: 'x', kind, step },
        })
        if (signal?.kind !== 'command') throw new Error(`'${kind}' of '${step}' is no command.`)
        const { updatedAt: at } = state
        const after = turn(contactOnboarding, state, { kind: 'said', at, command: signal.command })
        const entry = after.log.find(({ command }) => command.id === 'x')
        const isFollowed = entry !== undefined && entry.refused === undefined
        if (isFollowed !== allowed) wrong.push(`${kind} ${step} of ${JSON.stringify(state)}`)
        if (allowed) legal.add(kind)
      }

    expect(wrong).toEqual([])
    expect([...legal]).toEqual(expect.arrayContaining(['hold', 'cancel']))
  })
})
