// A step on its way forward: asked, asked again, probed, answered later, given up.

import { isOnlyTaken } from './action.js'
import { isPastPivot } from './commands.js'
import { type Known, pivotStageOf, type Saga, type Step } from './define.js'
import { keyOf } from './ids.js'
import type { Outcome } from './outcome.js'
import { mostAttempts, waitAfter } from './policy.js'
import { checkSize, largestTotal } from './size.js'
import {
  answered,
  asking,
  atRest,
  isUndone,
  later,
  type Progress,
  parked,
  type SagaState,
  type StepState,
  stepAt,
  withDoing,
  withStep,
} from './state.js'
import { unreachable } from './unreachable.js'

/** Begins a step, unless it is not needed. A mapping that fails is a person's business: nothing has been asked yet. */
export function beginStep(saga: Saga, state: SagaState, index: number): SagaState {
  const step = definitionOf(saga, index)
  const known = knownTo(saga, state)
  try {
    if (step.when && !step.when(known)) return withDoing(state, index, { outcome: 'skipped' })
    const input = checkSize('input', step.inputFor(known))
    checkSize(
      'whole of all inputs and outputs',
      [input, ...state.steps.map((one) => [one.input, one.output])],
      largestTotal,
    )
    return askStep(withStep(state, index, { input }), index)
  } catch (error) {
    return holdStep(
      state,
      index,
      `its input can not be made: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

export function askStep(state: SagaState, index: number): SagaState {
  return withDoing(state, index, asking(stepAt(state, index).doing, state.updatedAt))
}

export function afterDo(saga: Saga, state: SagaState, index: number, answer: Outcome): SagaState {
  const { action } = definitionOf(saga, index)
  const { doing, reply } = stepAt(state, index)
  if (reply) return afterReply(saga, state, index, reply)
  if (answer.kind === 'deferred' && answer.parked) return parkStep(saga, state, index, answer, 'asking')
  const outcome = withEarlierDoubt(doing, answer, action.keys)
  const recorded = withDoing(state, index, answered(outcome, state.updatedAt))
  switch (outcome.kind) {
    case 'applied':
      return action.answeredWithin === undefined || !isOnlyTaken(action, outcome.output)
        ? applyStep(recorded, index, outcome.output)
        : withDoing(recorded, index, {
            outcome: 'pending',
            stand: { at: 'answer', until: later(state.updatedAt, action.answeredWithin) },
          })
    case 'refused':
      return refuseStep(saga, recorded, index, outcome.reason)
    case 'deferred':
      return waitOrGiveUp(saga, recorded, index, outcome.reason, 'asking', answer)
    case 'inDoubt':
      return doubtStep(saga, recorded, index, outcome.reason, answer)
    default:
      return unreachable(outcome)
  }
}

/** What the partner says of a call in doubt. */
export function afterProbe(saga: Saga, state: SagaState, index: number, answer: Outcome): SagaState {
  if (answer.kind === 'deferred' && answer.parked) return parkStep(saga, state, index, answer, 'probing')
  switch (answer.kind) {
    case 'applied':
      return applyStep(withDoing(state, index, answered(answer, state.updatedAt)), index, answer.output)
    case 'refused':
      // It was not applied: the doubt is over, and the step may be asked again.
      return waitOrGiveUp(
        saga,
        withDoing(state, index, { outcome: 'deferred', reason: 'the partner has not applied it' }),
        index,
        'the partner has not applied it',
        'asking',
        answer,
      )
    case 'deferred':
    case 'inDoubt':
      return waitOrGiveUp(saga, state, index, `the probe brought nothing: ${answer.reason}`, 'probing', answer)
    default:
      return unreachable(answer)
  }
}

/** The partner's own message. One that comes before the call was answered is kept until then. */
export function afterReply(saga: Saga, state: SagaState, index: number, reply: Outcome): SagaState {
  const { doing } = stepAt(state, index)
  const isAsked =
    doing.attempts > 0 && (doing.outcome === 'pending' || doing.outcome === 'deferred' || doing.outcome === 'inDoubt')
  if (!isAsked) return state
  if (state.direction === 'back') return afterLateReply(saga, state, index, reply)
  if (doing.stand.at === 'asking' && !stepAt(state, index).reply) return withStep(state, index, { reply })
  const recorded = withDoing(state, index, { ...answered(reply, state.updatedAt), stand: atRest })
  if (reply.kind === 'applied') return applyStep(recorded, index, reply.output)
  return refuseStep(saga, recorded, index, reply.reason)
}

/** What was given up in doubt is known after all: then it can be undone, or needs not to be. */
function afterLateReply(saga: Saga, state: SagaState, index: number, reply: Outcome): SagaState {
  const { undoing, ...step } = stepAt(state, index)
  if (step.doing.outcome !== 'inDoubt' || undoing?.stand.at === 'asking' || isUndone(undoing)) return state
  // It may be undone already: to ask for that again could undo it twice.
  if (reply.kind === 'applied' && undoing?.outcome === 'inDoubt' && definitionOf(saga, index).action.keys === 'ignored')
    return state
  const anew: SagaState = { ...state, steps: state.steps.map((other, at) => (at === index ? step : other)) }
  const known = withDoing(anew, index, answered(reply, state.updatedAt))
  return reply.kind === 'applied' ? applyStep(known, index, reply.output) : known
}

export function probeStep(state: SagaState, index: number): SagaState {
  const { doing } = stepAt(state, index)
  return withDoing(state, index, { stand: { at: 'probing' }, spent: doing.spent + 1 })
}

/** The time has come for which the step waited. */
export function wakeStep(saga: Saga, state: SagaState, index: number): SagaState {
  const { doing } = stepAt(state, index)
  const { stand } = doing
  switch (stand.at) {
    case 'waiting':
      if (stand.next === 'asking') return askStep(state, index)
      return probeStep(state, index)
    case 'answer': {
      const reason = 'the answer did not come in time'
      return doubtStep(saga, withDoing(state, index, { outcome: 'inDoubt', reason }), index, reason)
    }
    case 'person':
      return giveUpStep(state, index)
    case 'asking':
    case 'probing':
    case 'rest':
      return state
    default:
      return unreachable(stand)
  }
}

/** What a step's mapping may use. */
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

/** Nothing more is asked for it; what is known of it stays. A call that the partner took and has not answered yet is in doubt. */
export function giveUpStep(state: SagaState, index: number): SagaState {
  const isTaken = stepAt(state, index).doing.stand.at === 'answer'
  const doubt = { outcome: 'inDoubt', reason: 'it was given up before the answer came' } as const
  return withDoing(state, index, { ...(isTaken ? doubt : {}), stand: atRest })
}

export function definitionOf(saga: Saga, index: number): Step {
  const step = saga.steps[index]
  if (!step) throw new Error(`Saga '${saga.name}' has no step number ${index}.`)
  return step
}

export function applyStep(state: SagaState, index: number, output: unknown): SagaState {
  return withStep(withDoing(state, index, { outcome: 'applied', stand: atRest, endedAt: state.updatedAt }), index, {
    output,
  })
}

function refuseStep(saga: Saga, state: SagaState, index: number, reason: string): SagaState {
  const { holdRefusalFor, stage } = definitionOf(saga, index)
  if (stage > pivotStageOf(saga) && isPastPivot(saga, state))
    return holdStep(state, index, `refused, and past the pivot there is no way back: ${reason}`)
  if (holdRefusalFor !== undefined)
    return holdStep(state, index, `refused: ${reason}`, later(state.updatedAt, holdRefusalFor))
  return giveUpStep(state, index)
}

/** Probed if there is a probe, asked again if the partner honours keys, else held. */
function doubtStep(saga: Saga, state: SagaState, index: number, reason: string, answer?: Outcome): SagaState {
  const { action } = definitionOf(saga, index)
  if (action.probed) return waitOrGiveUp(saga, state, index, reason, 'probing', answer)
  if (action.keys === 'honoured') return waitOrGiveUp(saga, state, index, reason, 'asking', answer)
  return holdStep(state, index, inDoubt(reason))
}

const inDoubt = (reason: string) => `it is in doubt whether this was applied: ${reason}`

function waitOrGiveUp(
  saga: Saga,
  state: SagaState,
  index: number,
  why: string,
  next: 'asking' | 'probing',
  answer?: Outcome,
): SagaState {
  const { action, name } = definitionOf(saga, index)
  const { doing } = stepAt(state, index)
  const askedFor = answer?.kind === 'deferred' ? answer.retryAfterMs : undefined
  const ms = waitAfter(action.retry, doing.spent, keyOf(state.instance, name, 'do'), askedFor)
  if (doing.spent >= mostAttempts(action.retry) || isTooLate(saga, state, index, ms))
    return exhaustStep(saga, state, index, why)
  return withDoing(state, index, { stand: { at: 'waiting', until: later(state.updatedAt, ms), why, next } })
}

/** The partner is known to be down: waits without spending an attempt, as long as the step's own time allows. */
function parkStep(
  saga: Saga,
  state: SagaState,
  index: number,
  { reason, retryAfterMs: ms = 1_000 }: Outcome & { kind: 'deferred' },
  next: 'asking' | 'probing',
): SagaState {
  const { doing } = stepAt(state, index)
  const unspent = withDoing(state, index, next === 'asking' ? parked(doing) : { spent: doing.spent - 1 })
  if (isTooLate(saga, state, index, ms))
    return exhaustStep(
      saga,
      doing.outcome === 'inDoubt' ? unspent : withDoing(unspent, index, { outcome: 'deferred', reason }),
      index,
      reason,
    )
  return withDoing(unspent, index, {
    stand: { at: 'waiting', until: later(state.updatedAt, ms), why: reason, next },
  })
}

/** Whether an attempt after so many milliseconds would be beyond the step's own time. */
function isTooLate(saga: Saga, state: SagaState, index: number, ms: number): boolean {
  const { timeout = Infinity } = definitionOf(saga, index)
  const { startedAt = state.updatedAt } = stepAt(state, index).doing
  return Date.parse(state.updatedAt) - Date.parse(startedAt) + ms > timeout
}

/** No other attempt is made. */
function exhaustStep(saga: Saga, state: SagaState, index: number, why: string): SagaState {
  const { action, kind } = definitionOf(saga, index)
  if (isPastPivot(saga, state))
    return holdStep(state, index, `given up, and past the pivot there is no way back: ${why}`)
  // Given up in doubt it would be owed at once: a person may know better.
  const isInDoubt = stepAt(state, index).doing.outcome === 'inDoubt'
  if (isInDoubt && !action.undoableInDoubt && kind !== 'snapshot') return holdStep(state, index, inDoubt(why))
  return giveUpStep(state, index)
}

function holdStep(state: SagaState, index: number, why: string, until?: string): SagaState {
  return withDoing(state, index, { stand: { at: 'person', why, ...(until === undefined ? {} : { until }) } })
}

/** An attempt in doubt may have been applied, whatever a later attempt met on its way to the partner. */
function withEarlierDoubt(before: Progress, answer: Outcome, keys: 'honoured' | 'ignored'): Outcome {
  if (before.outcome !== 'inDoubt' || answer.kind === 'applied') return answer
  if (answer.kind === 'refused' && keys === 'honoured') return answer
  return { kind: 'inDoubt', reason: answer.reason }
}

/** A step that nobody works on any more, and that was begun. */
export const isSettled = ({ doing }: StepState) => doing.stand.at === 'rest' && doing.outcome !== 'pending'
