// What is to be done next, read from the state alone: partners to be asked, or a time to be waited for.

import type { Done } from './action.js'
import { isPastPivot } from './commands.js'
import type { Saga } from './define.js'
import { definitionOf } from './forward.js'
import { type IdempotencyKey, keyOf } from './ids.js'
import type { EndPhase } from './phase.js'
import type { SagaState, StepState } from './state.js'

/** One thing asked of one partner, once. It is the whole input of the activity that asks. */
export type Ask = AskDo | AskUndo | AskProbe

interface Asking {
  readonly step: string
  readonly partner: string
  readonly action: string
  readonly key: IdempotencyKey
  /** Counts from 1. */
  readonly attempt: number
}
export interface AskDo extends Asking {
  readonly what: 'do'
  readonly input: unknown
}
/** With the output of what is undone, or with the key of what is in doubt. */
export interface AskUndo extends Asking {
  readonly what: 'undo'
  readonly done: Done<unknown, unknown> | { readonly input: unknown; readonly key: IdempotencyKey }
}
/** Under the key of the call that is in doubt. */
export interface AskProbe extends Asking {
  readonly what: 'probe'
  readonly input: unknown
}

export type Next =
  /** At the same time; the answers may be told in any order. */
  | { readonly kind: 'ask'; readonly asks: readonly Ask[] }
  /** Until the earliest time, ISO 8601, or a word from outside; without a time for a word alone. */
  | { readonly kind: 'wait'; readonly until?: string }
  | { readonly kind: 'end'; readonly phase: EndPhase }

export function nextOf(saga: Saga, state: SagaState): Next {
  if (state.end) return { kind: 'end', phase: state.end }
  const asks = state.steps.flatMap((step, index) => asksOf(saga, state, step, index))
  if (asks.length > 0) return { kind: 'ask', asks }
  const times = [deadlineOf(saga, state), ...(state.held ? [] : state.steps.flatMap(timesOf))]
  const until = times.filter((time) => time !== undefined).toSorted()[0]
  return { kind: 'wait', ...(until === undefined ? {} : { until }) }
}

/** When the saga is to be undone, as long as it still can be; ISO 8601. */
export function deadlineOf(saga: Saga, state: SagaState): string | undefined {
  if (saga.deadline === undefined || state.turned || state.end || isPastPivot(saga, state)) return undefined
  return new Date(Date.parse(state.startedAt) + saga.deadline).toISOString()
}

function asksOf(saga: Saga, { instance }: SagaState, step: StepState, index: number): Ask[] {
  const { name, action } = definitionOf(saga, index)
  const { doing, undoing, input, output, edition } = step
  const asking = (what: 'do' | 'undo', attempt: number): Asking => ({
    step: name,
    partner: action.partner,
    action: action.name,
    key: keyOf(instance, name, what, edition),
    attempt,
  })
  // What is new stands before what is spread: the other way round V8 makes a hidden class for each object (docs/performance.md).
  if (doing.stand.at === 'asking') return [{ what: 'do', input, ...asking('do', doing.attempts) }]
  if (doing.stand.at === 'probing') return [{ what: 'probe', input, ...asking('do', doing.spent) }]
  if (undoing?.stand.at !== 'asking') return []
  const done = doing.outcome === 'applied' ? { input, output } : { input, key: keyOf(instance, name, 'do', edition) }
  return [{ what: 'undo', done, ...asking('undo', undoing.attempts) }]
}

function timesOf({ doing, undoing }: StepState): string[] {
  return [doing.stand, ...(undoing ? [undoing.stand] : [])].flatMap((stand) =>
    'until' in stand && stand.until !== undefined ? [stand.until] : [],
  )
}
