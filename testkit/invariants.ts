// What must hold on every path of every saga: the promises of the machine and of the language, seen from outside.

import { digestOf } from '../src/saga/mark.js'
import { pivotStageOf, type Saga, type Step } from '../src/saga/define.js'
import { turn } from '../src/saga/machine.js'
import { type Ask, nextOf } from '../src/saga/next.js'
import { isOver } from '../src/saga/phase.js'
import { mostAttempts, type RetryPolicy } from '../src/saga/policy.js'
import { requestOf } from '../src/saga/request.js'
import type { SagaState } from '../src/saga/state.js'
import { type SagaStatus, statusOf } from '../src/saga/status.js'
import { callOf, stepOf } from './partners.js'
import { watch } from './purity.js'
import { heldSteps, holds, isHidden, type Truth } from './truth.js'

/** Which promise is broken, and by what. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: string

  constructor(invariant: string, what: string) {
    super(what)
    this.invariant = invariant
  }
}

/** A violation, with the schedule that leads to it. */
export class ExplorationError extends Error {
  override readonly name = 'ExplorationError'
  readonly invariant: string
  /** The deviations from all going well, as `follow` takes them. */
  readonly schedule: readonly string[]

  constructor(message: string, invariant: string, schedule: readonly string[]) {
    super(message)
    this.invariant = invariant
    this.schedule = schedule
  }
}

/** What an author's own invariant may look at. */
export interface Snapshot {
  readonly status: SagaStatus
  /** The steps whose effect partners truly hold now; not what a worker that died has hidden (see `risks`). */
  readonly held: readonly string[]
}
export type Invariants = Readonly<Record<string, (snapshot: Snapshot) => boolean>>

/** A definition that the compiler would not let pass, or can't see through. */
export function checkDefinition(saga: Saga): void {
  const wrong = (what: string) => new Violation('a definition makes sense', `Saga '${saga.name}': ${what}.`)
  const pivots = saga.steps.filter(({ kind }) => kind === 'pivot')
  const names = new Set(saga.steps.map(({ name }) => name))
  if (names.size !== saga.steps.length) throw wrong('two steps have one name')
  if (pivots.length > 1) throw wrong('it has two pivots')
  if (saga.deadline !== undefined && !(saga.deadline > 0)) throw wrong('its deadline is not after its start')
  saga.steps.forEach((step, index) => {
    const before = saga.steps[index - 1]?.stage ?? -1
    if (step.stage !== before && step.stage !== before + 1)
      throw wrong(`'${step.name}' stands in stage ${step.stage} after ${before}`)
    checkStep(saga, step, wrong)
  })
}

function checkStep(
  saga: Saga,
  { name, kind, stage, action, timeout, holdRefusalFor }: Step,
  wrong: (what: string) => Violation,
): void {
  const pivot = pivotStageOf(saga)
  if (kind === 'pivot' && saga.steps.some((other) => other.stage === stage && other.name !== name))
    throw wrong(`'${name}' is the pivot and runs beside another step`)
  if (kind === 'snapshot' && stage > 0) throw wrong(`'${name}' reads the row when the saga has begun already`)
  if (kind === 'step' && (pivot < 0 || stage < pivot) && !action.undoable && !action.irreversible)
    throw wrong(`'${name}' stands before the pivot and has neither an undo nor a reason why it can't be undone`)
  if (kind === 'step' && pivot >= 0 && stage > pivot && mostAttempts(action.retry) !== Infinity)
    throw wrong(`'${name}' stands after the pivot and gives up at some time`)
  for (const policy of [action.retry, action.undoRetry]) {
    const bad = badPolicy(policy)
    if (bad) throw wrong(`'${name}' is retried with ${bad}`)
  }
  for (const ms of [timeout, holdRefusalFor, action.answeredWithin])
    if (ms !== undefined && !(ms > 0)) throw wrong(`'${name}' has a time limit that is over when it begins`)
}

function badPolicy(policy: RetryPolicy): string | undefined {
  if (!(mostAttempts(policy) >= 1)) return 'less than one attempt'
  if (!(policy.firstRetryIntervalInMilliseconds > 0)) return 'no wait'
  if ((policy.backoffCoefficient ?? 1) < 1) return 'waits that shrink'
  if ((policy.maxRetryIntervalInMilliseconds ?? Infinity) < policy.firstRetryIntervalInMilliseconds)
    return 'a longest wait below the first'
  return undefined
}

/** Before a partner is asked: whether it may be, and what it gets. Tells the truth with what was sent. */
export function checkAsk(saga: Saga, state: SagaState, truth: Truth, ask: Ask, now: number): Truth {
  const step = stepOf(saga, ask.step)
  const call = callOf(ask)
  if (ask.what === 'undo') checkUndo(saga, state, truth, ask, step)
  else checkForward(saga, truth, ask, step)
  if (now < (truth.notBefore[call] ?? 0))
    throw new Violation('a retry waits', `'${call}' is asked again ${(truth.notBefore[call] ?? 0) - now} ms too early.`)
  return { ...withSent(saga, state, truth, ask, step), wentBack: truth.wentBack || ask.what === 'undo' }
}

function checkForward(saga: Saga, truth: Truth, ask: Ask, step: Step): void {
  const call = callOf(ask)
  const told = truth.told[ask.step]
  const spent = truth.spent[ask.step] ?? 0
  const isPermitted = truth.permitted.includes(ask.step)
  if (truth.wentBack)
    throw new Violation('once it goes back, it does not go forward', `'${call}' is asked after an undo.`)
  const open = saga.steps.find(({ name, stage }) => stage < step.stage && isOpen(truth.told[name]))
  if (open)
    throw new Violation(
      'one after the other',
      `'${call}' is asked although '${open.name}' is ${wordOf(truth.told[open.name])}.`,
    )
  if (spent >= mostAttempts(step.action.retry))
    throw new Violation(
      'no attempt beyond the policy',
      `'${call}' is asked for the ${spent + 1}th time; its policy allows ${mostAttempts(step.action.retry)}.`,
    )
  if (ask.what === 'probe') {
    if (told !== 'inDoubt')
      throw new Violation('a probe is for a doubt', `'${call}' is asked although nothing is in doubt.`)
    return
  }
  if (told === 'refused' && !isPermitted)
    throw new Violation('a refusal is final', `'${call}' is asked again after it was refused.`)
  if (told === 'applied')
    throw new Violation('what is done is not done again', `'${call}' is asked again after it was applied.`)
  if (told === 'inDoubt' && step.action.keys === 'ignored' && !isPermitted)
    throw new Violation('a doubt is not repeated', `'${call}' is in doubt, and its partner ignores keys.`)
}

const isOpen = (told: Truth['told'][string] | undefined) =>
  told === 'inDoubt' || told === 'deferred' || told === 'refused'

function checkUndo(saga: Saga, state: SagaState, truth: Truth, ask: Ask, step: Step): void {
  const told = truth.told[ask.step]
  const pivot = saga.steps.find(({ kind }) => kind === 'pivot')
  if (pivot && truth.told[pivot.name] === 'applied')
    throw new Violation(
      'past the pivot nothing is undone',
      `'${ask.step}' is being undone although '${pivot.name}' was applied.`,
    )
  if (told !== 'applied' && told !== 'inDoubt')
    throw new Violation('only what was done is undone', `'${ask.step}' is being undone although it is ${wordOf(told)}.`)
  if (truth.undone.includes(ask.step))
    throw new Violation('each undo once', `'${ask.step}' is being undone a second time.`)
  const left = saga.steps.find(
    ({ name, stage, kind }, index) =>
      stage > step.stage &&
      kind !== 'snapshot' &&
      (truth.told[name] === 'applied' || truth.told[name] === 'inDoubt') &&
      !truth.undone.includes(name) &&
      !truth.vouched.includes(name) &&
      state.steps[index]?.undoing?.writtenOff === undefined,
  )
  if (left)
    throw new Violation(
      'undone in reverse',
      `'${ask.step}' is being undone before '${left.name}', which came after it.`,
    )
  const isDebt = state.steps.some(
    (one, index) => saga.steps[index]?.name === ask.step && one.undoing?.debtSince !== undefined,
  )
  const spent = truth.spent[callOf(ask)] ?? 0
  if (!isDebt && spent >= mostAttempts(step.action.undoRetry))
    throw new Violation(
      'no attempt beyond the policy',
      `The undo of '${ask.step}' is asked for the ${spent + 1}th time, and is not told as owed.`,
    )
}

/** One key, one request: whatever the attempt. */
function withSent(saga: Saga, state: SagaState, truth: Truth, ask: Ask, step: Step): Truth {
  const call = callOf(ask)
  const edition = state.steps[saga.steps.indexOf(step)]?.edition ?? 1
  const request = madeRequest(ask, step)
  const place = `${call} ~${edition}`
  const digest = digestOf({ key: ask.key, request })
  const before = truth.sent[place]
  if (before !== undefined && before !== digest)
    throw new Violation(
      'one key, one request',
      `'${call}' sends another key or another request than in its first attempt.`,
    )
  const keyPlace = `key ${digestOf(ask.key)}`
  const ofKey = ask.what === 'probe' ? `${ask.step} ~${edition}` : place
  if ((truth.sent[keyPlace] ?? ofKey) !== ofKey)
    throw new Violation('one key, one request', `'${call}' is sent under the key of '${truth.sent[keyPlace]}'.`)
  return { ...truth, sent: { ...truth.sent, [place]: digest, [keyPlace]: ofKey } }
}

function madeRequest(ask: Ask, { name, action }: Step): unknown {
  let watched: ReturnType<typeof watch<unknown>>
  try {
    watched = watch(() => requestOf(ask, action, 'https://callback.test/'))
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new Violation('every request can be made', `The request of '${callOf(ask)}' can not be made: ${words}`)
  }
  if (watched.asked.length > 0)
    throw new Violation(
      'one key, one request',
      `The request of '${name}' is made of ${watched.asked.join(', ')}: it differs from attempt to attempt.`,
    )
  return watched.value
}

/** After a turn: what is told is true. */
export function checkState(saga: Saga, state: SagaState, truth: Truth, own: Invariants): void {
  const status = statusOf(saga, state)
  if (JSON.stringify(status).length * 2 > 16 * 1024) throw new Violation('the status fits', 'It is above 16 KB.')
  if (state.end) checkEnd(saga, state, truth, status)
  else if (nextOf(saga, state).kind === 'wait') checkWait(saga, state, truth, status)
  const held = heldSteps(truth).filter((step) => !isHidden(truth, step))
  for (const [name, isKept] of Object.entries(own))
    if (!isKept({ status, held }))
      throw new Violation(name, `It does not hold when the saga is ${status.phase} and partners hold ${inWords(held)}.`)
}

function checkWait(saga: Saga, state: SagaState, truth: Truth, status: SagaStatus): void {
  const next = nextOf(saga, state)
  if (
    next.kind === 'wait' &&
    next.until === undefined &&
    (status.waitsFor?.kind !== 'operator' || status.phase !== 'held')
  )
    throw new Violation('no end goes unsaid', `It waits for nothing, and is told as ${status.phase}.`)
  if (next.kind !== 'wait' || next.until !== undefined || state.direction !== 'back') return
  const isTold = (step: string) =>
    truth.vouched.includes(step) ||
    isHidden(truth, step) ||
    writtenOffIn(saga, state).includes(step) ||
    status.owed.some((one) => one.step === step)
  const untold = heldSteps(truth).find((step) => !isTold(step))
  if (untold !== undefined)
    throw new Violation('what is owed is told', `Its partner holds '${untold}', which is not told as owed.`)
}

function checkEnd(saga: Saga, state: SagaState, truth: Truth, status: SagaStatus): void {
  const held = heldSteps(truth).filter((step) => !truth.vouched.includes(step) && !isHidden(truth, step))
  const writtenOff = writtenOffIn(saga, state)
  if (status.phase === 'compensated' || status.phase === 'cancelled') {
    const [left] = held
    if (left !== undefined) throw new Violation(`${status.phase} is true`, `'${left}' is still held by its partner.`)
  }
  if (status.phase === 'completed') {
    const missing = saga.steps.find(
      ({ name, kind }) =>
        kind !== 'snapshot' && truth.told[name] !== undefined && !holds(truth, name) && !truth.vouched.includes(name),
    )
    if (missing) throw new Violation('completed is true', `'${missing.name}' is not held by its partner.`)
    const open = saga.steps.find(({ name }) => isOpen(truth.told[name]))
    if (open) throw new Violation('completed is true', `'${open.name}' is ${wordOf(truth.told[open.name])}.`)
  }
  if (status.phase === 'indebted') {
    const left = held.find((step) => !writtenOff.includes(step))
    if (left !== undefined || writtenOff.length === 0)
      throw new Violation('debts end by name', `'${left ?? 'nothing'}' is held, and was written off by nobody.`)
  }
  checkSilence(saga, state)
}

const writtenOffIn = (saga: Saga, state: SagaState) =>
  saga.steps.filter((_, index) => state.steps[index]?.undoing?.writtenOff).map(({ name }) => name)

/** After the end nothing moves any more. */
function checkSilence(saga: Saga, state: SagaState): void {
  const at = state.updatedAt
  const step = saga.steps[0]?.name ?? ''
  const by = { id: 'late', actor: 'somebody', reason: 'too late' }
  const late = [
    turn(saga, state, { kind: 'woken', at }),
    turn(saga, state, { kind: 'said', at, command: { ...by, kind: 'retry' } }),
    turn(saga, state, { kind: 'replied', at, step, edition: 1, outcome: { kind: 'refused', reason: 'late' } }),
    turn(saga, state, { kind: 'answered', at, step, what: 'do', outcome: { kind: 'refused', reason: 'late' } }),
  ]
  if (
    !late.every(
      (after) => after.end === state.end && isOver(after.end ?? 'running') && nextOf(saga, after).kind === 'end',
    )
  )
    throw new Violation('after the end nothing moves', `It was ${state.end}, and went on when something came late.`)
}

const wordOf = (told: Truth['told'][string] | undefined) =>
  told === undefined ? 'not begun' : told === 'inDoubt' ? 'in doubt' : told
const inWords = (steps: readonly string[]) => (steps.length === 0 ? 'nothing' : steps.join(', '))
