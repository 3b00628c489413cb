// What must hold whenever a partner is asked: that it may be asked, that it is time, and that it gets what it must get.

import type { Known, Saga, Step } from '../src/saga/define.js'
import type { DataverseEvent } from '../src/saga/event.js'
import { digestOf } from '../src/saga/mark.js'
import type { Ask } from '../src/saga/next.js'
import { mostAttempts } from '../src/saga/policy.js'
import { requestOf } from '../src/saga/request.js'
import { largestValue, sizeOf } from '../src/saga/size.js'
import type { SagaState } from '../src/saga/state.js'
import { callOf, stepOf } from './partners.js'
import { watch } from './purity.js'
import { inWords, isUndone, type Truth } from './truth.js'
import { promise, Violation } from './violation.js'

export interface AskMoment {
  readonly saga: Saga
  readonly event: DataverseEvent
  readonly state: SagaState
  readonly truth: Truth
  readonly now: number
}

/** @returns the truth, with what is sent @throws Violation */
export function checkAsk(moment: AskMoment, ask: Ask): Truth {
  const { saga, truth, now } = moment
  const step = stepOf(saga, ask.step)
  const call = callOf(ask)
  if (ask.what === 'undo') checkUndo(moment, ask, step)
  else {
    checkForward(moment, ask, step)
    if (ask.what === 'do') checkInput(moment, ask.input, step)
  }
  const early = (truth.notBefore[call] ?? 0) - now
  promise('a retry waits', early <= 0, `'${call}' is asked again ${early} ms too early.`)
  const isFirst = step.timeout !== undefined && ask.what === 'do' && truth.firstAt[ask.step] === undefined
  return {
    ...truth,
    sent: sentWith(moment, ask, step),
    firstAt: isFirst ? { ...truth.firstAt, [ask.step]: now } : truth.firstAt,
    wentBack: truth.wentBack || ask.what === 'undo',
  }
}

function checkForward({ saga, event, truth, now }: AskMoment, ask: Ask, step: Step): void {
  const call = callOf(ask)
  const told = truth.told[ask.step]
  const spent = truth.spent[ask.step] ?? 0
  const isPermitted = truth.permitted.includes(ask.step)
  const most = mostAttempts(step.action.retry)
  const open = saga.steps.find(({ name, stage }) => stage < step.stage && isOpen(truth.told[name]))
  const missed = saga.steps.find(
    (other) => other.stage < step.stage && truth.told[other.name] === undefined && isNeeded(truth, saga, event, other),
  )
  const since = truth.firstAt[ask.step] ?? now
  promise('once it goes back, it does not go forward', !truth.wentBack, `'${call}' is asked after an undo.`)
  promise(
    'one after the other',
    !open,
    `'${call}' is asked although '${open?.name}' is ${inWords(truth.told[open?.name ?? ''])}.`,
  )
  promise('one after the other', !missed, `'${call}' is asked although '${missed?.name}' was never begun.`)
  promise(
    'only what is needed is asked',
    isNeeded(truth, saga, event, step),
    `'${call}' is asked although its condition does not hold.`,
  )
  promise(
    'no attempt beyond the policy',
    spent < most,
    `'${call}' is asked for the ${spent + 1}th time; its policy allows ${most}.`,
  )
  promise(
    'no attempt beyond the time',
    now - since <= (step.timeout ?? Infinity),
    `'${call}' is asked ${now - since} ms after its beginning.`,
  )
  if (ask.what === 'probe')
    return promise('a probe is for a doubt', told === 'inDoubt', `'${call}' is asked although nothing is in doubt.`)
  promise('what is done is not done again', told !== 'applied', `'${call}' is asked again after it was applied.`)
  promise('a refusal is final', told !== 'refused' || isPermitted, `'${call}' is asked again after it was refused.`)
  const isCertain = told !== 'inDoubt' || isPermitted
  promise(
    'a doubt is not repeated',
    isCertain || step.action.keys === 'honoured',
    `'${call}' is in doubt, and its partner ignores keys.`,
  )
  promise(
    'a doubt is probed where it can be',
    isCertain || !step.action.probed,
    `'${call}' is in doubt, and is not probed first.`,
  )
}

const isOpen = (told: Truth['told'][string] | undefined) =>
  told === 'inDoubt' || told === 'deferred' || told === 'refused'

/** What a mapping may use: the event, the row, and what earlier stages brought. */
function knownTo(truth: Truth, saga: Saga, event: DataverseEvent, step: Step): Known {
  const earlier = saga.steps.filter(({ stage }) => stage < step.stage)
  const of = (kinds: readonly Step['kind'][]) =>
    earlier.filter(({ name, kind }) => kinds.includes(kind) && truth.brought[name] !== undefined)
  return {
    event,
    row: of(['snapshot']).map(({ name }) => truth.brought[name])[0],
    outputs: Object.fromEntries(of(['step', 'pivot']).map(({ name }) => [name, truth.brought[name]])),
  }
}

/** Also when its condition can't be told: then it is a person's business, and it must not be passed over. */
export function isNeeded(truth: Truth, saga: Saga, event: DataverseEvent, step: Step): boolean {
  try {
    return step.when?.(knownTo(truth, saga, event, step)) ?? true
  } catch {
    return true
  }
}

/** The first attempt carries what the mapping makes of the facts; that it stays so is `one key, one request`. */
function checkInput(moment: AskMoment, input: unknown, step: Step): void {
  const { saga, state, truth } = moment
  const size = sizeOf(input)
  promise('values fit', size <= largestValue, `The input of '${step.name}' has ${size} characters.`)
  const isEdited = state.steps[saga.steps.indexOf(step)]?.edition !== 1
  if (isEdited || (truth.tried[step.name] ?? 0) > 0 || truth.permitted.includes(step.name)) return
  const made = madeInput(moment, step)
  promise(
    'the input is what the mapping makes',
    made !== undefined,
    `'${step.name}' is asked although its input can not be made.`,
  )
  promise(
    'the input is what the mapping makes',
    digestOf(made?.value) === digestOf(input),
    `'${step.name}' is asked with ${JSON.stringify(input)?.slice(0, 100)}; its mapping makes ${JSON.stringify(made?.value)?.slice(0, 100)}.`,
  )
}

/** What the mapping makes of the facts; undefined if it fails, or makes too much. */
export function madeInput({ saga, event, truth }: AskMoment, step: Step): { readonly value: unknown } | undefined {
  try {
    const value = step.inputFor(knownTo(truth, saga, event, step))
    return sizeOf(value) <= largestValue ? { value } : undefined
  } catch {
    return undefined
  }
}

function checkUndo({ saga, state, truth }: AskMoment, ask: Extract<Ask, { what: 'undo' }>, step: Step): void {
  const told = truth.told[ask.step]
  const { undoing } = state.steps[saga.steps.indexOf(step)] ?? {}
  const pivot = saga.steps.find(({ kind }) => kind === 'pivot')?.name ?? ''
  const call = callOf(ask)
  promise(
    'past the pivot nothing is undone',
    truth.told[pivot] !== 'applied',
    `'${ask.step}' is being undone although '${pivot}' was applied.`,
  )
  promise('only what was done is undone', step.kind !== 'snapshot', `'${ask.step}' only read, and is being undone.`)
  promise(
    'only what was done is undone',
    told === 'applied' || told === 'inDoubt',
    `'${ask.step}' is being undone although it is ${inWords(told)}.`,
  )
  promise('each undo once', !isUndone(truth, ask.step), `'${ask.step}' is being undone a second time.`)
  const left = saga.steps.find(
    ({ name, stage, kind }, index) =>
      stage > step.stage &&
      kind !== 'snapshot' &&
      (truth.told[name] === 'applied' || truth.told[name] === 'inDoubt') &&
      !isUndone(truth, name) &&
      !truth.vouched.includes(name) &&
      state.steps[index]?.undoing?.writtenOff === undefined,
  )
  promise('undone in reverse', !left, `'${ask.step}' is being undone before '${left?.name}', which came after it.`)
  const before = truth.toldOfUndo[ask.step]
  const isPermitted = truth.permitted.includes(ask.step)
  promise(
    'a refusal is final',
    before !== 'refused' || isPermitted,
    `The undo of '${ask.step}' is asked again after it was refused.`,
  )
  promise(
    'a doubt is not repeated',
    before !== 'inDoubt' || step.action.keys === 'honoured' || isPermitted,
    `The undo of '${ask.step}' is in doubt, and its partner ignores keys.`,
  )
  const spent = truth.spent[call] ?? 0
  promise(
    'no attempt beyond the policy',
    undoing?.debtSince !== undefined || spent < mostAttempts(step.action.undoRetry),
    `The undo of '${ask.step}' is asked for the ${spent + 1}th time, and is not told as owed.`,
  )
  if ('output' in ask.done && told === 'applied')
    promise(
      'undone with what it brought',
      digestOf(ask.done.output) === digestOf(truth.brought[ask.step]),
      `'${ask.step}' is being undone with another output than it brought.`,
    )
}

/** One key, one request: whatever the attempt. */
function sentWith({ saga, state, truth }: AskMoment, ask: Ask, step: Step): Truth['sent'] {
  const call = callOf(ask)
  const edition = state.steps[saga.steps.indexOf(step)]?.edition ?? 1
  const place = `${call} ~${edition}`
  const digest = digestOf({ key: ask.key, request: madeRequest(ask, step) })
  const before = truth.sent[place] ?? digest
  promise(
    'one key, one request',
    before === digest,
    `'${call}' sends another key or another request than in its first attempt.`,
  )
  const keyPlace = `key ${ask.key}`
  const owner = ask.what === 'probe' ? `${ask.step} ~${edition}` : place
  const known = truth.sent[keyPlace] ?? (ask.what === 'probe' ? 'no call' : owner)
  promise('one key, one request', known === owner, `'${call}' is sent under the key of '${known}'.`)
  return { ...truth.sent, [place]: digest, [keyPlace]: owner }
}

function madeRequest(ask: Ask, { name, action }: Step): unknown {
  let watched: ReturnType<typeof watch<unknown>>
  try {
    watched = watch(() => requestOf(ask, action, 'https://callback.test/'))
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new Violation('every request can be made', `The request of '${callOf(ask)}' can not be made: ${words}`)
  }
  const chance = watched.asked.join(', ')
  promise(
    'one key, one request',
    chance === '',
    `The request of '${name}' is made of ${chance}: it differs from attempt to attempt.`,
  )
  return watched.value
}
