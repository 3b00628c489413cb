// What a person can say to a running saga, and when it makes sense. Each word is kept in the saga's own log, with who said it and why.

import { pivotStageOf, type Saga } from './define.js'
import { SagaError } from './errors.js'
import { checkSize } from './size.js'
import { isOwed, type SagaState, type StepState, standsOf } from './state.js'
import { unreachable } from './unreachable.js'

interface Said {
  /** Made by whoever raises it: a command that arrives twice is followed once. */
  readonly id: string
  readonly actor: string
  readonly reason: string
  /** What a preview said that it will come to (plan.ts): the saga does that, or nothing more. */
  readonly plan?: readonly string[]
}

export type SagaCommand = Said &
  (
    | { readonly kind: 'retry'; readonly step?: string }
    | { readonly kind: 'skip'; readonly step: string }
    /** The step counts as applied, with this output. */
    | { readonly kind: 'supply'; readonly step: string; readonly output: unknown }
    /** The step is asked anew with this input, under a new key. */
    | { readonly kind: 'edit'; readonly step: string; readonly input: unknown }
    | { readonly kind: 'hold' }
    | { readonly kind: 'resume' }
    /** Undoes everything, in reverse. */
    | { readonly kind: 'cancel' }
    /** Ends the debt of a step that can't be undone. */
    | { readonly kind: 'writeOff'; readonly step: string }
  )

export const commandKinds: readonly SagaCommand['kind'][] = [
  'retry',
  'skip',
  'supply',
  'edit',
  'hold',
  'resume',
  'cancel',
  'writeOff',
]

/** Why a command can not be followed now; undefined if it can. */
export function objectionTo(command: SagaCommand, saga: Saga, state: SagaState): string | undefined {
  return objectionToKind(command, saga, state) ?? objectionToValue(command, saga)
}

/** The same without what it brings along: whether it can be followed now at all. */
export function objectionToKind(
  { kind, step: name }: { readonly kind: SagaCommand['kind']; readonly step?: string },
  saga: Saga,
  state: SagaState,
): string | undefined {
  if (state.end) return `the saga is ${state.end}`
  const ofStep = (objection: (step: StepState) => string | undefined) => objectionToStep(name, saga, state, objection)
  switch (kind) {
    case 'hold':
      return state.held && 'the saga is on hold already'
    case 'resume':
      return state.held ? undefined : 'the saga is not on hold'
    case 'cancel':
      if (state.turned) return 'the saga is being undone already'
      return isPastPivot(saga, state) ? 'the saga is past its pivot and only goes forward' : undefined
    case 'retry':
      if (name === undefined)
        return standsOf(state).some(({ at }) => isPatient(at)) ? undefined : 'nothing waits or is held'
      return ofStep(({ doing, undoing }) =>
        isPatient((undoing ?? doing).stand.at) ? undefined : 'it neither waits nor is held',
      )
    case 'writeOff':
      return ofStep((step) => (isOwed(step) ? undefined : 'nothing is owed of it'))
    case 'supply':
      return ofStep((step) => objectionToForward(state, step))
    case 'edit':
      return ofStep((step) => objectionToCertain(state, step))
    case 'skip':
      if (saga.steps.some((step) => step.name === name && step.kind === 'pivot'))
        return 'what comes after the pivot relies on it: supply its result, or cancel'
      return ofStep((step) => objectionToCertain(state, step))
    default:
      return unreachable(kind)
  }
}

/** Whether the point of no return is behind it. */
export function isPastPivot(saga: Saga, state: SagaState): boolean {
  const stage = pivotStageOf(saga)
  return (
    stage >= 0 &&
    saga.steps.every((step, index) => step.stage !== stage || state.steps[index]?.doing.outcome === 'applied')
  )
}

const isPatient = (at: string) => at === 'waiting' || at === 'answer' || at === 'person'

function objectionToStep(
  name: string | undefined,
  saga: Saga,
  state: SagaState,
  objection: (step: StepState) => string | undefined,
): string | undefined {
  const step = state.steps[saga.steps.findIndex((one) => one.name === name)]
  return step ? objection(step) : `the saga has no step '${name}'`
}

function objectionToForward({ turned }: SagaState, { doing }: StepState): string | undefined {
  if (turned) return 'the saga is being undone'
  return isPatient(doing.stand.at) ? undefined : 'the step neither waits nor is held'
}

/** What is in doubt may have been applied: leaving it out or asking for something else could double or forget it. */
function objectionToCertain(state: SagaState, step: StepState): string | undefined {
  const isInDoubt = step.doing.outcome === 'inDoubt' || step.doing.stand.at === 'answer'
  return (
    objectionToForward(state, step) ??
    (isInDoubt ? 'it is in doubt whether the step was applied: supply its result, or cancel' : undefined)
  )
}

function objectionToValue(command: SagaCommand, { steps }: Saga): string | undefined {
  try {
    if (command.kind === 'supply') checkSize('output', actionOf(steps, command.step)?.readOutput(command.output))
    if (command.kind === 'edit') actionOf(steps, command.step)?.requestFor(checkSize('input', command.input))
    return undefined
  } catch (error) {
    if (error instanceof SagaError) return error.what
    // The reader's words may quote the value.
    return 'the value is not what the action declares'
  }
}

const actionOf = (steps: Saga['steps'], name: string) => steps.find((step) => step.name === name)?.action
