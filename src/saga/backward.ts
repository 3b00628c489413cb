// A step on its way back: undone, asked to be undone again, owed, written off.

import type { Saga } from './define.js'
import { definitionOf } from './forward.js'
import { keyOf } from './ids.js'
import type { Outcome } from './outcome.js'
import { mostAttempts, spanOf, waitAfter } from './policy.js'
import {
  answered,
  asking,
  atRest,
  isUndone,
  later,
  parked,
  type SagaState,
  stepAt,
  type Undoing,
  untouched,
  withUndoing,
} from './state.js'
import { unreachable } from './unreachable.js'

/** Milliseconds between two attempts to pay a debt, if the policy does not say. */
const debtInterval = 300_000

/** Whether the partner holds, or may hold, an effect of the step that is to be undone. */
export function isToBeUndone(saga: Saga, state: SagaState, index: number): boolean {
  const { doing, undoing } = stepAt(state, index)
  const mayBeApplied = doing.outcome === 'applied' || doing.outcome === 'inDoubt'
  return mayBeApplied && definitionOf(saga, index).kind !== 'snapshot' && !isUndone(undoing)
}

export function beginUndo(saga: Saga, state: SagaState, index: number): SagaState {
  const { action } = definitionOf(saga, index)
  const { doing } = stepAt(state, index)
  if (action.irreversible !== undefined)
    return withUndoing(state, index, {
      writtenOff: { by: 'the definition', reason: action.irreversible, at: state.updatedAt },
    })
  const canAsk = doing.outcome === 'applied' ? action.undoable : action.undoableInDoubt
  if (canAsk) return askUndo(state, index)
  return owe(state, index, {
    stand: {
      at: 'person',
      why: doing.outcome === 'applied' ? 'it was applied and has no undo' : 'nobody knows whether it was applied',
    },
  })
}

export function askUndo(state: SagaState, index: number): SagaState {
  return withUndoing(state, index, asking(stepAt(state, index).undoing ?? untouched, state.updatedAt))
}

export function afterUndo(saga: Saga, state: SagaState, index: number, outcome: Outcome): SagaState {
  const { action } = definitionOf(saga, index)
  if (outcome.kind === 'deferred' && outcome.parked) return parkUndo(saga, state, index, outcome)
  const recorded = withUndoing(state, index, answered(outcome, state.updatedAt))
  switch (outcome.kind) {
    case 'applied':
      return withUndoing(recorded, index, { stand: atRest })
    case 'refused':
      return owe(recorded, index, { stand: { at: 'person', why: `the undo was refused: ${outcome.reason}` } })
    case 'inDoubt':
      if (action.keys === 'honoured') return waitForUndo(saga, recorded, index, outcome)
      return owe(recorded, index, {
        stand: { at: 'person', why: `it is in doubt whether this was undone: ${outcome.reason}` },
      })
    case 'deferred':
      return waitForUndo(saga, recorded, index, outcome)
    default:
      return unreachable(outcome)
  }
}

/** Within its policy it is retried; beyond it, it is owed, and asked for at long intervals until the partner has it undone. */
function waitForUndo(saga: Saga, state: SagaState, index: number, outcome: Outcome & { reason: string }): SagaState {
  const { action, name } = definitionOf(saga, index)
  const { spent } = stepAt(state, index).undoing ?? untouched
  const askedFor = outcome.kind === 'deferred' ? outcome.retryAfterMs : undefined
  const isDebt = spent >= mostAttempts(action.undoRetry)
  const ms = isDebt
    ? (action.undoRetry.maxRetryIntervalInMilliseconds ?? debtInterval)
    : waitAfter(action.undoRetry, spent, keyOf(state.instance, name, 'undo'), askedFor)
  const stand = { at: 'waiting', until: later(state.updatedAt, ms), why: outcome.reason, next: 'asking' } as const
  return isDebt ? owe(state, index, { stand }) : withUndoing(state, index, { stand })
}

/** The partner is known to be down: that spends no attempt, but what is not undone in the time that its policy spans is a debt. */
function parkUndo(
  saga: Saga,
  state: SagaState,
  index: number,
  { reason, retryAfterMs: ms = 1_000 }: Outcome & { kind: 'deferred' },
): SagaState {
  const undoing = stepAt(state, index).undoing ?? untouched
  const { startedAt = state.updatedAt } = undoing
  const isDebt =
    Date.parse(state.updatedAt) - Date.parse(startedAt) >= spanOf(definitionOf(saga, index).action.undoRetry)
  const change: Partial<Undoing> = {
    ...parked(undoing),
    stand: { at: 'waiting', until: later(state.updatedAt, ms), why: reason, next: 'asking' },
  }
  return isDebt ? owe(state, index, { ...change, reason }) : withUndoing(state, index, change)
}

function owe(state: SagaState, index: number, change: Partial<Undoing>): SagaState {
  const since = stepAt(state, index).undoing?.debtSince ?? state.updatedAt
  return withUndoing(state, index, { ...change, debtSince: since })
}
