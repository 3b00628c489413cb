// What must hold after every turn: the saga does what it can, and what it tells is true.

import type { Saga, Step } from '../src/saga/define.js'
import { turn } from '../src/saga/machine.js'
import { type Next, nextOf } from '../src/saga/next.js'
import { mostAttempts } from '../src/saga/policy.js'
import { type SagaState, standsOf, stepAt } from '../src/saga/state.js'
import { type SagaStatus, statusOf } from '../src/saga/status.js'
import { type AskMoment, isNeeded, madeInput } from './check-ask.js'
import { heldSteps, holds, inWords, isHidden, isUndone } from './truth.js'
import { promise } from './violation.js'

/** What an author's own invariant may look at. */
export interface Snapshot {
  readonly status: SagaStatus
  /** The steps whose effect partners truly hold now; not what a worker that died has hidden (see `risks`). */
  readonly held: readonly string[]
}
export type Invariants = Readonly<Record<string, (snapshot: Snapshot) => boolean>>

/** The largest custom status of the platform, in bytes of UTF-16. */
const largestStatus = 16 * 1024

/** @throws Violation */
export function checkState(moment: AskMoment, own: Invariants): void {
  const { saga, state, truth } = moment
  const status = statusOf(saga, state)
  promise('the status fits', JSON.stringify(status).length * 2 <= largestStatus, 'It is above 16 KB.')
  checkTurningBack(moment)
  checkTelling(moment, status)
  const next = nextOf(saga, state)
  if (state.end) checkEnd(moment, status)
  else if (next.kind === 'wait') checkWait(moment, status, next)
  else {
    const begun = standsOf(state).filter(({ at }) => at === 'asking' || at === 'probing')
    const asked = next.kind === 'ask' ? next.asks.length : 0
    promise('a block is asked at once', asked === begun.length, `${asked} of ${begun.length} are asked.`)
  }
  const held = heldSteps(truth).filter((step) => !isHidden(truth, step))
  for (const [name, isKept] of Object.entries(own))
    promise(
      name,
      isKept({ status, held }),
      `It does not hold when the saga is ${status.phase} and partners hold ${held.length === 0 ? 'nothing' : held.join(', ')}.`,
    )
}

/** It gives up only for a reason: a refusal, a policy or a time that is exhausted, a deadline, a person. */
function checkTurningBack({ saga, state, truth, now }: AskMoment): void {
  if (state.turned?.because !== 'refused' || truth.wentBack) return
  const isReason = ({ name, action, timeout, holdRefusalFor }: Step): boolean => {
    const told = truth.told[name]
    const isExhausted = (truth.spent[name] ?? 0) >= mostAttempts(action.retry) || timeout !== undefined
    if (told === 'refused') return now >= (truth.refusedAt[name] ?? now) + (holdRefusalFor ?? 0)
    return (told === 'deferred' || told === 'inDoubt') && isExhausted
  }
  promise('it gives up only for a reason', saga.steps.some(isReason), `It turns back: ${state.turned.why}.`)
}

/** Each attempt is counted, what was parked is not; what is owed is owed for a reason. */
function checkTelling({ saga, state, truth }: AskMoment, status: SagaStatus): void {
  const isBack = state.direction === 'back' && !state.end
  promise(
    'the phase is true',
    !isBack || status.phase === 'compensating' || status.phase === 'held',
    `It is being undone, and told as ${status.phase}.`,
  )
  saga.steps.forEach(({ name, action }, index) => {
    const { doing, undoing } = state.steps[index] ?? {}
    const told = status.steps[index]
    const tried = (truth.tried[name] ?? 0) + (doing?.stand.at === 'asking' ? 1 : 0)
    const undone = (truth.tried[`undo ${name}`] ?? 0) + (undoing?.stand.at === 'asking' ? 1 : 0)
    promise(
      'attempts are counted',
      told?.attempts === tried,
      `'${name}' was tried ${tried} times, and ${told?.attempts} are told.`,
    )
    promise(
      'attempts are counted',
      (told?.undo?.attempts ?? undone) === undone,
      `The undo of '${name}' was tried ${undone} times, and ${told?.undo?.attempts} are told.`,
    )
    const isIdle = undoing?.stand.at === 'person' && isUndone(truth, name)
    promise('nobody is held up by what is done', !isIdle, `'${name}' is undone, and a person is wanted for it.`)
    const isDebt =
      undoing?.debtSince !== undefined && truth.toldOfUndo[name] === 'deferred' && !truth.permitted.includes(name)
    const spent = truth.spent[`undo ${name}`] ?? 0
    promise(
      'a debt is what the policy could not do',
      !isDebt || spent >= mostAttempts(action.undoRetry),
      `The undo of '${name}' is owed after ${spent} attempts.`,
    )
  })
  const paid = status.owed.find(({ step }) => isUndone(truth, step))
  promise('what is owed is told', !paid, `'${paid?.step}' is undone, and told as owed.`)
}

function checkWait(moment: AskMoment, status: SagaStatus, { until }: Extract<Next, { kind: 'wait' }>): void {
  const { saga, state, truth } = moment
  const pivot = saga.steps.find(({ kind }) => kind === 'pivot')?.name ?? ''
  const isPast = truth.told[pivot] === 'applied'
  const refused = saga.steps.find(({ name }) => truth.told[name] === 'refused')
  // A block waits for all its branches.
  const isAlone = saga.steps.every(
    ({ name, stage }) =>
      stage !== refused?.stage || (truth.told[name] !== 'deferred' && truth.told[name] !== 'inDoubt'),
  )
  if (refused && isAlone && !state.turned && !state.held && !isPast)
    promise(
      'a refusal is undone, at once or in time',
      refused.holdRefusalFor !== undefined &&
        until !== undefined &&
        Date.parse(until) <= (truth.refusedAt[refused.name] ?? 0) + refused.holdRefusalFor,
      `'${refused.name}' was refused, and nothing comes of it.`,
    )
  const spoilt = saga.steps.find(({ name }, index) => {
    const { stand, attempts } = stepAt(state, index).doing
    return stand.at === 'person' && attempts === 0 && truth.told[name] === undefined
  })
  const canBeMade = spoilt !== undefined && madeInput(moment, spoilt) !== undefined
  promise(
    'the input is what the mapping makes',
    !canBeMade,
    `'${spoilt?.name}' is held for its input, which can be made.`,
  )
  const due = standsOf(state)
    .flatMap((stand) => ('until' in stand && stand.until !== undefined ? [stand.until] : []))
    .toSorted()[0]
  promise(
    'it wakes in time',
    state.held !== undefined || due === undefined || (until !== undefined && until <= due),
    `Something is due at ${due}; it sleeps until ${until}.`,
  )
  if (until !== undefined) return
  promise(
    'no end goes unsaid',
    status.waitsFor?.kind === 'operator' && status.phase === 'held',
    `It waits for nothing, and is told as ${status.phase}.`,
  )
  if (state.direction !== 'back' || state.held) return
  const uncollected = saga.steps.find(({ name, action }) => {
    const told = truth.toldOfUndo[name]
    return told === 'deferred' || told === 'parked' || (told === 'inDoubt' && action.keys === 'honoured')
  })
  const isCollected = !uncollected || truth.vouched.includes(uncollected.name)
  promise('debts are collected unattended', isCollected, `Nobody asks for the undo of '${uncollected?.name}' any more.`)
  const untold = heldSteps(truth).find(
    (step) =>
      !truth.vouched.includes(step) &&
      !isHidden(truth, step) &&
      !writtenOffIn(saga, state).includes(step) &&
      !status.owed.some((one) => one.step === step),
  )
  promise('what is owed is told', untold === undefined, `Its partner holds '${untold}', which is not told as owed.`)
}

function checkEnd(moment: AskMoment, status: SagaStatus): void {
  const { saga, state, truth } = moment
  const { phase } = status
  const held = heldSteps(truth).filter((step) => !truth.vouched.includes(step) && !isHidden(truth, step))
  const writtenOff = writtenOffIn(saga, state)
  if (phase === 'compensated' || phase === 'cancelled') {
    promise(`${phase} is true`, held.length === 0, `'${held[0]}' is still held by its partner.`)
    promise(`${phase} is true`, writtenOff.length === 0, `'${writtenOff[0]}' was written off.`)
    promise(
      `${phase} is true`,
      truth.cancelled === (phase === 'cancelled') || state.turned?.because !== 'cancelled',
      'A person has cancelled it.',
    )
  }
  if (phase === 'completed') checkCompleted(moment, status)
  if (phase === 'indebted') {
    const left = held.find((step) => !writtenOff.includes(step))
    promise(
      'debts end by name',
      left === undefined && writtenOff.length > 0,
      `'${left}' is held, and was written off by nobody.`,
    )
    const silent = saga.steps.find(
      ({ name, action }) =>
        writtenOff.includes(name) && !truth.vouched.includes(name) && action.irreversible === undefined,
    )
    promise('debts end by name', !silent, `'${silent?.name}' was written off, and nobody has said so.`)
  }
  checkSilence(saga, state)
}

function checkCompleted({ saga, event, truth }: AskMoment, status: SagaStatus): void {
  saga.steps.forEach((step, index) => {
    const { name, kind } = step
    const told = truth.told[name]
    const isVouched = truth.vouched.includes(name)
    promise(
      'completed is true',
      told !== undefined || !isNeeded(truth, saga, event, step),
      `'${name}' was never asked.`,
    )
    promise(
      'completed is true',
      told === undefined || told === 'applied' || isVouched,
      `'${name}' is ${inWords(told)}.`,
    )
    promise(
      'completed is true',
      told === undefined || kind === 'snapshot' || isVouched || holds(truth, name),
      `'${name}' is not held by its partner.`,
    )
    promise(
      'completed is true',
      (told === 'applied') === (status.steps[index]?.outcome === 'applied'),
      `'${name}' is ${inWords(told)}, and told as ${status.steps[index]?.outcome}.`,
    )
  })
}

/** After the end nothing moves any more. */
function checkSilence(saga: Saga, state: SagaState): void {
  const at = state.updatedAt
  const step = saga.steps[0]?.name ?? ''
  const by = { id: 'late', actor: 'somebody', reason: 'too late' }
  const late = [
    turn(saga, state, { kind: 'woken', at }),
    turn(saga, state, { kind: 'said', at, command: { ...by, kind: 'retry' } }),
    turn(saga, state, { kind: 'said', at, command: { ...by, kind: 'cancel' } }),
    turn(saga, state, { kind: 'replied', at, step, edition: 1, outcome: { kind: 'refused', reason: 'late' } }),
    turn(saga, state, { kind: 'answered', at, step, what: 'do', outcome: { kind: 'refused', reason: 'late' } }),
  ]
  const isSilent = late.every(
    (after) => JSON.stringify(after) === JSON.stringify(state) && nextOf(saga, after).kind === 'end',
  )
  promise('after the end nothing moves', isSilent, `It was ${state.end}, and went on when something came late.`)
}

const writtenOffIn = (saga: Saga, state: SagaState): string[] =>
  saga.steps.filter((_, index) => state.steps[index]?.undoing?.writtenOff).map(({ name }) => name)
