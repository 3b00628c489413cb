// The life of one instance: state and event in, state and next command out.
//
// Promises: a pure function; the simulator, the orchestrator and the status view run this very code.
// Never: reads a clock, logs, throws on a partner's answer, or knows that Azure exists.
//
// Invariants (test/saga/invariants.test.ts walks every path up to a depth)
//   M1  A step is undone only if it was applied, and at most once.
//   M2  Undoing runs in the reverse order of applying; once it began, nothing new is called.
//   M3  'compensated' is reached only when no step is applied any more.
//   M4  Every attempt of a step carries the same key and the same input.
//   M5  A refused step is never asked again; no step is asked more often than its policy allows, unless a person says so.
//   M6  A doubt ends only by an answer under the same key that a partner which honours keys gave, or by 'applied'. Until then nothing else is
//       asked: the same is asked again, or held for a person.

import type { Done } from './action.js'
import type { Known, Saga, Step } from './define.js'
import type { DataverseEvent } from './event.js'
import { type IdempotencyKey, type InstanceId, keyOf } from './ids.js'
import type { Outcome, OutcomeKind } from './outcome.js'
import type { EndPhase, Phase } from './phase.js'
import { type RetryPolicy, waitAfter } from './policy.js'
import { unreachable } from './unreachable.js'

/** One thing asked of one partner, once. It is the whole input of the activity that asks. */
export type Ask = AskDo | AskUndo

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
export interface AskUndo extends Asking {
  readonly what: 'undo'
  readonly done: Done<unknown, unknown>
}

export type Command =
  | { readonly kind: 'ask'; readonly ask: Ask }
  | { readonly kind: 'sleep'; readonly ms: number }
  /** Until a person says 'retry'. */
  | { readonly kind: 'hold' }
  | { readonly kind: 'end'; readonly phase: EndPhase }

/** Something that happened; `at` is ISO 8601 in UTC. */
export type SagaEvent =
  | { readonly kind: 'answered'; readonly at: string; readonly outcome: Outcome }
  | { readonly kind: 'woken'; readonly at: string }
  | { readonly kind: 'retry'; readonly at: string }

/** What became of asking for one thing, over all its attempts. */
export interface Progress {
  readonly outcome: 'pending' | OutcomeKind
  readonly attempts: number
  readonly startedAt?: string
  readonly endedAt?: string
  /** Why it was not applied, in the words of the last answer. */
  readonly reason?: string
}

export interface StepState extends Progress {
  /** There from the first attempt on. */
  readonly input?: unknown
  /** There once applied. */
  readonly output?: unknown
  readonly undo?: Progress
}

export interface SagaState {
  readonly instance: InstanceId
  readonly event: DataverseEvent
  readonly phase: Phase
  readonly startedAt: string
  readonly updatedAt: string
  /** As many as the saga has, in the same order. */
  readonly steps: readonly StepState[]
  /** The step that is being done or undone, and which of both. */
  readonly at: { readonly index: number; readonly what: 'do' | 'undo' }
  /** Attempts made since a person last said 'retry': the policy counts these. */
  readonly spent: number
  readonly waitsFor?: WaitsFor
}

export type WaitsFor =
  | { readonly kind: 'retry'; readonly until: string; readonly why: string }
  /** A person may look into it and say 'retry'. */
  | { readonly kind: 'operator'; readonly why: string }
  /** The orchestration itself has stopped: somebody must mend the app or the platform first. */
  | { readonly kind: 'repair'; readonly why: string }

export interface Turn {
  readonly state: SagaState
  readonly command: Command
}

export interface Start {
  readonly instance: InstanceId
  readonly event: DataverseEvent
  readonly at: string
}

export function begin(saga: Saga, start: Start): Turn {
  return doNext(saga, pending(saga, start))
}

/** An instance that is durably started, and nothing more. */
export function pending(saga: Saga, { instance, event, at }: Start): SagaState {
  const untouched: StepState = { outcome: 'pending', attempts: 0 }
  return {
    instance,
    event,
    phase: 'pending',
    startedAt: at,
    updatedAt: at,
    steps: saga.steps.map(() => untouched),
    at: { index: -1, what: 'do' },
    spent: 0,
  }
}

export function turn(saga: Saga, before: SagaState, event: SagaEvent): Turn {
  const { waitsFor: _, ...rest } = before
  const state: SagaState = { ...rest, updatedAt: event.at }
  switch (event.kind) {
    case 'answered':
      return afterAnswer(saga, state, event.outcome)
    case 'woken':
      return askAgain(saga, state)
    case 'retry':
      return askAgain(saga, { ...state, spent: 0 })
    default:
      return unreachable(event)
  }
}

/** What is known when the given step is about to be asked. */
export function knownTo(saga: Saga, state: SagaState): Known {
  const outputs: Record<string, unknown> = {}
  let row: unknown
  saga.steps.forEach(({ name, kind }, index) => {
    const output = state.steps[index]?.output
    if (kind === 'snapshot') row = output
    else if (output !== undefined) outputs[name] = output
  })
  return { event: state.event, row, outputs }
}

function afterAnswer(saga: Saga, state: SagaState, answer: Outcome): Turn {
  const { action } = stepAt(saga, state.at.index)
  const askedFor = answer.kind === 'deferred' ? answer.retryAfterMs : undefined
  const outcome = withEarlierDoubt(progressAt(state), answer, action.keys)
  const recorded = recordAnswer(state, outcome)
  const doing = state.at.what === 'do'
  switch (outcome.kind) {
    case 'applied':
      return doing ? doNext(saga, recorded) : undoNext(saga, recorded)
    case 'refused':
      return doing ? undoNext(saga, recorded) : hold(recorded, `the undo was refused: ${outcome.reason}`)
    case 'deferred':
      if (canWait(saga, recorded)) return wait(saga, recorded, outcome.reason, askedFor)
      return doing ? undoNext(saga, recorded) : hold(recorded, `the undo could not be done: ${outcome.reason}`)
    case 'inDoubt':
      if (action.keys === 'honoured' && canWait(saga, recorded)) return wait(saga, recorded, outcome.reason, askedFor)
      return hold(recorded, `it is in doubt whether this was applied: ${outcome.reason}`)
    default:
      return unreachable(outcome)
  }
}

/** An attempt in doubt may have been applied, whatever a later attempt met on its way to the partner. */
function withEarlierDoubt(before: Progress, answer: Outcome, keys: 'honoured' | 'ignored'): Outcome {
  if (before.outcome !== 'inDoubt' || answer.kind === 'applied') return answer
  if (answer.kind === 'refused' && keys === 'honoured') return answer
  return { kind: 'inDoubt', reason: answer.reason }
}

/** The first step after the current one is asked for, or the saga is complete. */
function doNext(saga: Saga, state: SagaState): Turn {
  const index = state.at.index + 1
  const step = saga.steps[index]
  if (!step) return end(state, 'completed')
  const input = step.inputFor(knownTo(saga, state))
  return ask(saga, withStep({ ...state, at: { index, what: 'do' }, spent: 0 }, index, { input }))
}

/** The last step that is still applied is undone, or the saga is compensated. */
function undoNext(saga: Saga, state: SagaState): Turn {
  const index = state.steps.findLastIndex(
    ({ outcome, undo }, at) => outcome === 'applied' && stepAt(saga, at).kind === 'step' && undo?.outcome !== 'applied',
  )
  if (index < 0) return end(state, 'compensated')
  const next: SagaState = { ...state, phase: 'compensating', at: { index, what: 'undo' }, spent: 0 }
  if (stepAt(saga, index).action.undoable) return ask(saga, next)
  return hold(next, `step '${stepAt(saga, index).name}' was applied and has no undo`)
}

function canWait(saga: Saga, state: SagaState): boolean {
  return state.spent < policyAt(saga, state).maxNumberOfAttempts
}

/** @param askedFor milliseconds that the partner named. */
function wait(saga: Saga, state: SagaState, why: string, askedFor: number | undefined): Turn {
  const seed = keyOf(state.instance, stepAt(saga, state.at.index).name, state.at.what)
  const ms = waitAfter(policyAt(saga, state), state.spent, seed, askedFor)
  const until = new Date(Date.parse(state.updatedAt) + ms).toISOString()
  return {
    state: { ...state, phase: 'waiting', waitsFor: { kind: 'retry', until, why } },
    command: { kind: 'sleep', ms },
  }
}

function policyAt(saga: Saga, { at }: SagaState): RetryPolicy {
  const { action } = stepAt(saga, at.index)
  return at.what === 'do' ? action.retry : action.undoRetry
}

function askAgain(saga: Saga, state: SagaState): Turn {
  // A step that turned out to have no undo was held before it was asked; there is still nothing to ask.
  if (state.at.what === 'undo' && !stepAt(saga, state.at.index).action.undoable) return undoNext(saga, state)
  return ask(saga, state)
}

function ask(saga: Saga, state: SagaState): Turn {
  const { index, what } = state.at
  const { name, action } = stepAt(saga, index)
  const step = stateAt(state, index)
  const before = progressAt(state)
  const attempt = before.attempts + 1
  const progress: Progress = { ...before, attempts: attempt, startedAt: before.startedAt ?? state.updatedAt }
  const asking: Asking = {
    step: name,
    partner: action.partner,
    action: action.name,
    key: keyOf(state.instance, name, what),
    attempt,
  }
  const phase = what === 'do' ? 'running' : 'compensating'
  return {
    state: withStep({ ...state, phase, spent: state.spent + 1 }, index, what === 'do' ? progress : { undo: progress }),
    command: {
      kind: 'ask',
      ask:
        what === 'do'
          ? { ...asking, what, input: step.input }
          : { ...asking, what, done: { input: step.input, output: step.output } },
    },
  }
}

function recordAnswer(state: SagaState, outcome: Outcome): SagaState {
  const { index, what } = state.at
  const { reason: _, ...before } = progressAt(state)
  const progress: Progress = {
    ...before,
    outcome: outcome.kind,
    endedAt: state.updatedAt,
    ...(outcome.kind === 'applied' ? {} : { reason: outcome.reason }),
  }
  if (what === 'undo') return withStep(state, index, { undo: progress })
  return withStep(state, index, outcome.kind === 'applied' ? { ...progress, output: outcome.output } : progress)
}

function hold(state: SagaState, why: string): Turn {
  return { state: { ...state, phase: 'held', waitsFor: { kind: 'operator', why } }, command: { kind: 'hold' } }
}

function end(state: SagaState, phase: EndPhase): Turn {
  return { state: { ...state, phase }, command: { kind: 'end', phase } }
}

function withStep(state: SagaState, index: number, change: Partial<StepState>): SagaState {
  return { ...state, steps: state.steps.map((step, at) => (at === index ? { ...step, ...change } : step)) }
}

function stepAt(saga: Saga, index: number): Step {
  const step = saga.steps[index]
  if (!step) throw new Error(`Saga '${saga.name}' has no step number ${index}.`)
  return step
}

/** What became so far of what the state is at. */
function progressAt(state: SagaState): Progress {
  const step = stateAt(state, state.at.index)
  return state.at.what === 'do' ? step : (step.undo ?? { outcome: 'pending', attempts: 0 })
}

function stateAt(state: SagaState, index: number): StepState {
  const step = state.steps[index]
  if (!step) throw new Error(`Instance '${state.instance}' has no step number ${index}.`)
  return step
}
