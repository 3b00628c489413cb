// The life of one instance: state and event in, state out. What is to be done next is read from the state alone (next.ts).
//
// Promises: a pure function; the simulator, the orchestrator and the status view run this very code. A state is the fold of its events.
// Never: reads a clock, logs, throws on a partner's answer, or knows that Azure exists.
//
// Invariants (test/saga/invariants.test.ts walks every path up to a depth, test/saga/random-sagas.test.ts random sagas)
//   M1  A step is undone only if it was applied or is in doubt, and at most once.
//   M2  Undoing runs in the reverse order of the stages; once it began, nothing is asked forward.
//   M3  'compensated' and 'cancelled' are reached only when no step is applied any more; otherwise the end is 'indebted', by a named write-off.
//   M4  Every attempt of a step carries the same key and the same input, unless a person gives it another input: then another key as well.
//   M5  A refused step is never asked again, no step more often than its policy allows, unless a person says so. A debt is asked for until it is paid.
//   M6  A doubt ends only by 'applied', by a probe, or by a refusal under the same key from a partner that honours keys. Until then the same is asked
//       again, or probed, or held for a person, or given up in doubt: then it is itself undone, or owed.
//   M7  Past the pivot nothing is undone.

import { afterUndo, askUndo, beginUndo, isToBeUndone } from './backward.js'
import { objectionTo, type SagaCommand } from './commands.js'
import type { Saga } from './define.js'
import type { DataverseEvent } from './event.js'
import {
  afterDo,
  afterProbe,
  afterReply,
  applyStep,
  askStep,
  beginStep,
  giveUpStep,
  isSettled,
  probeStep,
  wakeStep,
} from './forward.js'
import type { InstanceId } from './ids.js'
import { deadlineOf, nextOf } from './next.js'
import type { Outcome } from './outcome.js'
import { asPlanned, newIn, planOf } from './plan.js'
import { type SagaState, stepAt, untouched, withDoing, withStep, withUndoing } from './state.js'
import { unreachable } from './unreachable.js'

/** Something that happened; `at` is ISO 8601 in UTC. */
export type SagaEvent =
  | {
      readonly kind: 'answered'
      readonly at: string
      readonly step: string
      readonly what: 'do' | 'undo' | 'probe'
      readonly outcome: Outcome
    }
  /** A time has come for which something waited. */
  | { readonly kind: 'woken'; readonly at: string }
  /** A partner's own message about a call that it had taken. */
  | {
      readonly kind: 'replied'
      readonly at: string
      readonly step: string
      /** Of the input that the call was made with. */
      readonly edition: number
      readonly outcome: Outcome
    }
  | { readonly kind: 'said'; readonly at: string; readonly command: SagaCommand }

export interface Start {
  readonly instance: InstanceId
  readonly event: DataverseEvent
  readonly at: string
}

export const begin = (saga: Saga, start: Start): SagaState => advance(saga, pending(saga, start))

/** An instance that is durably started, and nothing more. */
export function pending(saga: Saga, { instance, event, at }: Start): SagaState {
  return {
    instance,
    event,
    startedAt: at,
    updatedAt: at,
    direction: 'forward',
    stage: -1,
    steps: saga.steps.map(() => ({ doing: untouched, edition: 1 })),
    log: [],
  }
}

/** Another instance of the same row does its work, before anything was asked. */
export const merged = (state: SagaState, into: string, at: string): SagaState => ({
  ...state,
  updatedAt: at,
  end: 'merged',
  mergedInto: into,
})

/** With a plan, what would depart from it is not begun: the saga is put on hold, or the command that brings the plan is not followed. */
export function turn(saga: Saga, before: SagaState, event: SagaEvent): SagaState {
  if (before.end) return before
  const after = take(saga, before, event)
  if (!after.plan) return after
  const { plan, departure } = asPlanned(after.plan, newIn(nextOf(saga, before), nextOf(saga, after)))
  if (departure === undefined) return { ...after, plan }
  if (event.kind === 'said') return noted({ ...before, updatedAt: event.at }, event.command, departure)
  const { plan: _, ...freed } = before
  return take(saga, { ...freed, held: { by: 'the plan', reason: departure, at: event.at } }, event)
}

function take(saga: Saga, before: SagaState, event: SagaEvent): SagaState {
  const state: SagaState = { ...before, updatedAt: event.at }
  switch (event.kind) {
    case 'answered':
      return advance(saga, onAnswer(saga, state, indexOf(saga, event.step), event))
    case 'woken':
      return advance(saga, onTime(saga, state))
    case 'replied':
      return advance(saga, onReply(saga, state, event))
    case 'said':
      return advance(saga, onCommand(saga, state, event.command))
    default:
      return unreachable(event)
  }
}

function onAnswer(
  saga: Saga,
  state: SagaState,
  index: number,
  { what, outcome }: { what: 'do' | 'undo' | 'probe'; outcome: Outcome },
): SagaState {
  switch (what) {
    case 'do':
      return afterDo(saga, state, index, outcome)
    case 'probe':
      return afterProbe(saga, state, index, outcome)
    case 'undo':
      return afterUndo(saga, state, index, outcome)
    default:
      return unreachable(what)
  }
}

/** It comes from outside: one for a step that is not there, or for an input that a person has replaced, is passed over. */
function onReply(
  saga: Saga,
  state: SagaState,
  { step, edition, outcome }: { step: string; edition: number; outcome: Outcome },
): SagaState {
  const index = saga.steps.findIndex(({ name }) => name === step)
  return state.steps[index]?.edition === edition ? afterReply(saga, state, index, outcome) : state
}

/** Everything whose time has come. On hold, and when the saga turns back in this very moment, nothing new begins. */
function onTime(saga: Saga, state: SagaState): SagaState {
  const due = (until: string | undefined) => until !== undefined && until <= state.updatedAt
  const deadline = deadlineOf(saga, state)
  const turned = due(deadline) ? turnBack(state, 'deadline', 'its deadline has passed') : state
  if (turned.held || turned !== state) return turned
  return saga.steps.reduce((next, _, index) => {
    const { doing, undoing } = stepAt(next, index)
    if (undoing && 'until' in undoing.stand && due(undoing.stand.until)) return askUndo(next, index)
    return 'until' in doing.stand && due(doing.stand.until) ? wakeStep(saga, next, index) : next
  }, turned)
}

function turnBack(state: SagaState, because: NonNullable<SagaState['turned']>['because'], why: string): SagaState {
  return state.turned ? state : { ...state, turned: { because, why } }
}

function onCommand(saga: Saga, state: SagaState, command: SagaCommand): SagaState {
  if (state.log.some((entry) => entry.command.id === command.id)) return state
  const refused = objectionTo(command, saga, state)
  const logged = noted(state, command, refused)
  if (refused !== undefined) return logged
  // Whoever speaks now has other plans, or none.
  const { plan: _, ...freed } = logged
  return follow(saga, command.plan ? { ...freed, plan: planOf(command.plan) } : freed, command)
}

const noted = (state: SagaState, command: SagaCommand, refused: string | undefined): SagaState => ({
  ...state,
  log: [...state.log, { at: state.updatedAt, command, ...(refused === undefined ? {} : { refused }) }],
})

function follow(saga: Saga, state: SagaState, command: SagaCommand): SagaState {
  switch (command.kind) {
    case 'hold':
      return { ...state, held: { by: command.actor, reason: command.reason, at: state.updatedAt } }
    case 'resume':
      return resumed(state)
    case 'cancel':
      return turnBack(resumed(state), 'cancelled', `${command.actor}: ${command.reason}`)
    case 'retry':
      return saga.steps.reduce(
        (next, { name }, index) =>
          command.step === undefined || command.step === name ? retryStep(saga, next, index) : next,
        state,
      )
    case 'skip':
      return withDoing(state, indexOf(saga, command.step), {
        outcome: 'skipped',
        stand: { at: 'rest' },
        reason: command.reason,
      })
    case 'supply': {
      const index = indexOf(saga, command.step)
      return applyStep(state, index, saga.steps[index]?.action.readOutput(command.output))
    }
    case 'edit': {
      const index = indexOf(saga, command.step)
      const edited = withStep(state, index, { input: command.input, edition: stepAt(state, index).edition + 1 })
      return askStep(withDoing(edited, index, { spent: 0 }), index)
    }
    case 'writeOff':
      return withUndoing(state, indexOf(saga, command.step), {
        stand: { at: 'rest' },
        writtenOff: { by: command.actor, reason: command.reason, at: state.updatedAt },
      })
    default:
      return unreachable(command)
  }
}

function resumed(state: SagaState): SagaState {
  const { held: _, ...rest } = state
  return rest
}

/** Asks at once what waits or is held, with its policy anew. A step whose input could not be made is begun again. */
function retryStep(saga: Saga, state: SagaState, index: number): SagaState {
  const { doing, undoing, input } = stepAt(state, index)
  const { at } = (undoing ?? doing).stand
  if (at !== 'waiting' && at !== 'answer' && at !== 'person') return state
  if (undoing) {
    const { debtSince: _, ...anew } = undoing
    const again = withStep(state, index, { undoing: { ...anew, spent: 0, stand: { at: 'rest' } } })
    return beginUndo(saga, again, index)
  }
  // What the partner took, it may have done, whatever it says the next time.
  const doubt = at === 'answer' ? ({ outcome: 'inDoubt', reason: 'asked again before the answer came' } as const) : {}
  const again = withDoing(state, index, { spent: 0, ...doubt })
  // To call it once more would double it at a partner that ignores keys: the probe may know better.
  if (stepAt(again, index).doing.outcome === 'inDoubt' && saga.steps[index]?.action.probed)
    return probeStep(again, index)
  return input === undefined && doing.attempts === 0 ? beginStep(saga, again, index) : askStep(again, index)
}

/** Goes on as far as it can without anything happening. */
function advance(saga: Saga, state: SagaState): SagaState {
  let next = state
  for (let before: SagaState | undefined; next !== before && !next.end && !next.held; ) {
    before = next
    next = next.direction === 'forward' ? goForward(saga, next) : goBack(saga, next)
  }
  return next
}

function goForward(saga: Saga, state: SagaState): SagaState {
  const current = stage(saga, state.stage)
  if (state.turned) {
    // What is being asked is waited for: it may be applied.
    const isBusy = current.some((index) => ['asking', 'probing'].includes(stepAt(state, index).doing.stand.at))
    return isBusy ? state : { ...current.reduce(giveUpStep, state), direction: 'back' }
  }
  if (!current.every((index) => isSettled(stepAt(state, index)))) return state
  const failed = current.find((index) => !['applied', 'skipped'].includes(stepAt(state, index).doing.outcome))
  if (failed !== undefined) {
    const { doing } = stepAt(state, failed)
    return turnBack(state, 'refused', `${saga.steps[failed]?.name}: ${doing.reason ?? doing.outcome}`)
  }
  const following = stage(saga, state.stage + 1)
  if (following.length === 0) return { ...state, end: 'completed' }
  return following.reduce((next, index) => beginStep(saga, next, index), { ...state, stage: state.stage + 1 })
}

function goBack(saga: Saga, state: SagaState): SagaState {
  if (state.stage < 0) return { ...state, end: endOf(state) }
  const left = stage(saga, state.stage).filter((index) => isToBeUndone(saga, state, index))
  if (left.length === 0) return { ...state, stage: state.stage - 1 }
  const fresh = left.filter((index) => stepAt(state, index).undoing === undefined)
  return fresh.reduce((next, index) => beginUndo(saga, next, index), state)
}

function endOf({ steps, turned }: SagaState): 'compensated' | 'cancelled' | 'indebted' {
  if (steps.some(({ undoing }) => undoing?.writtenOff)) return 'indebted'
  return turned?.because === 'cancelled' ? 'cancelled' : 'compensated'
}

/** The numbers of a stage's steps. */
function stage({ steps }: Saga, number: number): number[] {
  return steps.flatMap((step, index) => (step.stage === number ? [index] : []))
}

function indexOf(saga: Saga, name: string): number {
  const index = saga.steps.findIndex((step) => step.name === name)
  if (index < 0) throw new Error(`Saga '${saga.name}' has no step '${name}'.`)
  return index
}
