// A saga of three steps with partners that accept anything, for tests of what all sagas have in common.

import { z } from 'zod'
import { type ActionDeclaration, defineAction } from '../../src/saga/action.js'
import { defineSaga } from '../../src/saga/define.js'
import type { Ask } from '../../src/saga/machine.js'
import type { Outcome } from '../../src/saga/outcome.js'

type Declaration = ActionDeclaration<unknown, unknown>

const usual: Declaration = {
  input: z.unknown(),
  output: z.unknown(),
  keys: 'honoured',
  request: (body) => ({ method: 'POST', path: '/do', body }),
  retry: { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts: 3 },
}

const undo: NonNullable<Declaration['undo']> = {
  request: ({ output }) => ({ method: 'POST', path: '/undo', body: output }),
  retry: { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts: 2 },
}

/** Steps a, b and c, of one partner each. */
export function threeSteps({ keys = usual.keys, undoable = true } = {}) {
  const action = (partner: string) => defineAction(partner, 'do', { ...usual, keys, ...(undoable ? { undo } : {}) })
  return defineSaga('three-steps', { version: 1, on: { table: 'contact', message: 'Create' } })
    .step('a', action('first'), ({ event }) => event.rowId)
    .step('b', action('second'), ({ outputs }) => ['b after', outputs.a])
    .step('c', action('third'), ({ outputs }) => ['c after', outputs.b])
    .end()
}

export const applied: Outcome = { kind: 'applied', output: 'done' }
export const refused: Outcome = { kind: 'refused', reason: 'no' }
export const deferred: Outcome = { kind: 'deferred', reason: 'not now' }
export const inDoubt: Outcome = { kind: 'inDoubt', reason: 'no answer' }

/** An attempt in short: `a`, or `undo a`. */
export const inShort = ({ what, step }: Ask) => (what === 'do' ? step : `undo ${step}`)

/** Everything is applied, but for what is named: `{ c: [deferred, refused] }` answers the first two attempts of c so. The last answer stays. */
export function answering(deviations: Record<string, readonly Outcome[]>): (ask: Ask) => Outcome {
  return (ask) => {
    const outcomes = deviations[inShort(ask)] ?? []
    return outcomes[Math.min(ask.attempt, outcomes.length) - 1] ?? applied
  }
}
