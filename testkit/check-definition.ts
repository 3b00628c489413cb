// What must hold of a definition before anything happens: what the compiler would not let pass, and what it can't see.

import { pivotStageOf, type Saga, type Step } from '../src/saga/define.js'
import type { DataverseEvent } from '../src/saga/event.js'
import { instanceIdOf } from '../src/saga/ids.js'
import { mostAttempts, type RetryPolicy } from '../src/saga/policy.js'
import { promise } from './violation.js'

/** @throws Violation */
export function checkDefinition(saga: Saga, event: DataverseEvent): void {
  const sense = (holds: boolean, what: string) =>
    promise('a definition makes sense', holds, `Saga '${saga.name}': ${what}.`)
  sense(saga.steps.length > 0, 'it has no step')
  sense(new Set(saga.steps.map(({ name }) => name)).size === saga.steps.length, 'two steps have one name')
  sense(saga.steps.filter(({ kind }) => kind === 'pivot').length <= 1, 'it has two pivots')
  sense(saga.deadline === undefined || saga.deadline > 0, 'its deadline is not after its start')
  saga.steps.forEach((step, index) => {
    const before = saga.steps[index - 1]?.stage ?? -1
    sense(
      step.stage === before + 1 || (step.stage === before && index > 0),
      `'${step.name}' stands in stage ${step.stage} after ${before}`,
    )
    checkStep(saga, step, sense)
  })
  checkInstance(saga, event)
}

type Sense = (holds: boolean, what: string) => void

function checkStep(saga: Saga, { name, kind, stage, action, timeout, holdRefusalFor }: Step, sense: Sense): void {
  const pivot = pivotStageOf(saga)
  const isAlone = saga.steps.every((other) => other.stage !== stage || other.name === name)
  const isAfter = pivot >= 0 && stage > pivot
  sense(/^\w[\w-]*$/.test(name), `'${name}' can not be the name of a step`)
  sense(kind !== 'pivot' || isAlone, `'${name}' is the pivot and runs beside another step`)
  sense(kind !== 'snapshot' || stage === 0, `'${name}' reads the row when the saga has begun already`)
  sense(
    kind !== 'step' || isAfter || action.undoable || Boolean(action.irreversible),
    `'${name}' stands before the pivot and has neither an undo nor a reason why it can't be undone`,
  )
  sense(
    kind !== 'step' || !isAfter || mostAttempts(action.retry) === Infinity,
    `'${name}' stands after the pivot and gives up at some time`,
  )
  for (const policy of [action.retry, action.undoRetry]) {
    const flaw = flawOf(policy)
    sense(flaw === undefined, `'${name}' is retried with ${flaw}`)
  }
  for (const ms of [timeout, holdRefusalFor, action.answeredWithin])
    sense(ms === undefined || ms > 0, `'${name}' has a time limit that is over when it begins`)
}

function flawOf(policy: RetryPolicy): string | undefined {
  if (!(mostAttempts(policy) >= 1)) return 'less than one attempt'
  if (!(policy.firstRetryIntervalInMilliseconds > 0)) return 'no wait'
  if ((policy.backoffCoefficient ?? 1) < 1) return 'waits that shrink'
  return (policy.maxRetryIntervalInMilliseconds ?? Infinity) < policy.firstRetryIntervalInMilliseconds
    ? 'a longest wait below the first'
    : undefined
}

/** However often an event is delivered, it is one instance; and another event is another. */
function checkInstance(saga: Saga, event: DataverseEvent): void {
  const id = instanceIdOf(saga.name, event)
  const other = instanceIdOf(saga.name, {
    ...event,
    id: event.id.replace(/^./, (digit) => (digit === 'f' ? '0' : 'f')),
  })
  promise(
    'one event, one instance',
    id === instanceIdOf(saga.name, { ...event }),
    'The same event begins two instances.',
  )
  promise('one event, one instance', id !== other, 'Two events begin one instance.')
  promise(
    'one event, one instance',
    id.startsWith(`${saga.name}:${event.table}:${event.rowId}`),
    'The instance can not be found by its row.',
  )
}
