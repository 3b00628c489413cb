// What partners truly hold while a saga is explored, and what the saga has been told: the two that must agree in the end. Plain data, never changed.

import type { Saga } from '../src/saga/define.js'
import type { Ask } from '../src/saga/next.js'
import type { Outcome, OutcomeKind } from '../src/saga/outcome.js'

type ByStep<Value> = Readonly<Record<string, Value>>

export interface Truth {
  /** Effects that partners hold. */
  readonly held: ByStep<number>
  /** What the saga was last told of doing a step. */
  readonly told: ByStep<OutcomeKind | 'vouched'>
  /** What the saga was last told of undoing a step. */
  readonly toldOfUndo: ByStep<OutcomeKind | 'parked'>
  /** What steps brought. */
  readonly brought: ByStep<unknown>
  /** Steps for which a person has answered: skipped, supplied, written off. */
  readonly vouched: readonly string[]
  /** Steps that a person wants asked again, whatever was said before. */
  readonly permitted: readonly string[]
  /** Whether a person has cancelled the saga. */
  readonly cancelled: boolean
  /** By call: attempts that were made, without those that were parked. */
  readonly tried: ByStep<number>
  /** By step, or `undo step`: attempts and probes since a person last said 'retry'. */
  readonly spent: ByStep<number>
  /** By call: milliseconds since 1970 before which it must not be asked again. */
  readonly notBefore: ByStep<number>
  /** Of steps with a time limit: when they were first asked. */
  readonly firstAt: ByStep<number>
  /** Of steps whose refusal is held: when they were refused. */
  readonly refusedAt: ByStep<number>
  /** By call and edition of its input: a digest of key and request; and by key, whose it is. */
  readonly sent: ByStep<string>
  /** By call: the answer that a partner keeps giving. */
  readonly stuck: ByStep<Stuck>
  /** Steps in whose call the worker died after it had its effect: the next execution of the same attempt may hide that from the saga. */
  readonly died: readonly string[]
  /** Steps whose partner took the call and keeps silent. */
  readonly silent: readonly string[]
  /** Whether an undo has been asked for. */
  readonly wentBack: boolean
}

export interface Stuck {
  readonly outcome: Outcome
  /** Whether each such call has its effect all the same. */
  readonly applies: boolean
}

export const nothingYet: Truth = {
  held: {},
  told: {},
  toldOfUndo: {},
  brought: {},
  vouched: [],
  permitted: [],
  cancelled: false,
  tried: {},
  spent: {},
  notBefore: {},
  firstAt: {},
  refusedAt: {},
  sent: {},
  stuck: {},
  died: [],
  silent: [],
  wentBack: false,
}

/** The call has its effect at the partner. One that honours keys has it once, however often it is asked under one key. */
export function withEffect(truth: Truth, saga: Saga, ask: Ask): Truth {
  if (ask.what === 'probe') return truth
  const step = saga.steps.find(({ name }) => name === ask.step)
  if (step?.kind === 'snapshot') return truth
  if (ask.what === 'undo') return { ...truth, held: { ...truth.held, [ask.step]: 0 } }
  const before = truth.held[ask.step] ?? 0
  const count = step?.action.keys === 'honoured' ? 1 : before + 1
  return { ...truth, held: { ...truth.held, [ask.step]: count } }
}

export const holds = ({ held }: Truth, step: string) => (held[step] ?? 0) > 0

/** The steps whose effect partners hold. */
export const heldSteps = (truth: Truth) => Object.keys(truth.held).filter((step) => holds(truth, step))

/** Whether the saga takes for not done what was done by a worker that died. */
export const isHidden = ({ died, told }: Truth, step: string) =>
  died.includes(step) && told[step] !== 'applied' && told[step] !== 'inDoubt'

/** Told of as undone. */
export const isUndone = ({ toldOfUndo }: Truth, step: string) => toldOfUndo[step] === 'applied'

/**
 * What nobody can promise: a worker that dies in the middle of a call leaves no trace of it, and the same attempt is executed again. Then a partner
 * that ignores keys does it twice; and one that has done it, but only defers from then on, holds what the saga takes for not done.
 */
export function risksIn(truth: Truth, saga: Saga): string[] {
  return truth.died.flatMap((step) => {
    const { partner, keys } = saga.steps.find(({ name }) => name === step)?.action ?? { partner: '', keys: 'honoured' }
    if ((truth.held[step] ?? 0) > 1)
      return [`${step}: if the worker dies in the call, ${partner} does it twice, for it ignores keys`]
    if (!holds(truth, step) || !isHidden(truth, step)) return []
    const then = keys === 'honoured' ? 'defers it until the saga gives up' : 'refuses or defers it'
    return [`${step}: if the worker dies in the call and ${partner} then ${then}, its effect stays unseen`]
  })
}

export const inWords = (told: Truth['told'][string] | undefined) =>
  told === undefined ? 'not begun' : told === 'inDoubt' ? 'in doubt' : told
