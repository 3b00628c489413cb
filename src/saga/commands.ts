// What a person can say to a running saga, and when it makes sense. Each word is kept in the saga's own log, with who said it and why.

import { pivotStageOf, type Saga } from './define.js'
import { SagaError } from './errors.js'
import { checkSize } from './size.js'
import { type SagaState, type StepState, standsOf } from './state.js'
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
  if (state.end) return `the saga is ${state.end}`
  switch (command.kind) {
    case 'hold':
      return state.held && 'the saga is on hold already'
    case 'resume':
      return state.held ? undefined : 'the saga is not on hold'
    case 'cancel':
      if (state.turned) return 'the saga is being undone already'
      return isPastPivot(saga, state) ? 'the saga is past its pivot and only goes forward' : undefined
    case 'retry':
      if (command.step === undefined)
        return standsOf(state).some(({ at }) => isPatient(at)) ? undefined : 'nothing waits or is held'
      return objectionToStep(command.step, saga, state, ({ doing, undoing }) =>
        isPatient((undoing ?? doing).stand.at) ? undefined : 'it neither waits nor is held',
      )
    case 'writeOff':
      return objectionToStep(command.step, saga, state, ({ undoing }) =>
        undoing?.debtSince === undefined || undoing.writtenOff ? 'nothing is owed of it' : undefined,
      )
    case 'supply':
      return objectionToStep(
        command.step,
        saga,
        state,
        (step, index) =>
          objectionToForward(state, step) ??
          objectionToValue(() => checkSize('output', saga.steps[index]?.action.readOutput(command.output))),
      )
    case 'edit':
      return objectionToStep(
        command.step,
        saga,
        state,
        (step, index) =>
          objectionToCertain(state, step) ??
          objectionToValue(() => saga.steps[index]?.action.requestFor(checkSize('input', command.input))),
      )
    case 'skip':
      return objectionToStep(command.step, saga, state, (step) => objectionToCertain(state, step))
    default:
      return unreachable(command)
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
  name: string,
  saga: Saga,
  state: SagaState,
  objection: (step: StepState, index: number) => string | undefined,
): string | undefined {
  const index = saga.steps.findIndex((step) => step.name === name)
  const step = state.steps[index]
  return step ? objection(step, index) : `the saga has no step '${name}'`
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

function objectionToValue(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof SagaError) return error.what
    // The reader's words may quote the value.
    return 'the value is not what the action declares'
  }
}
