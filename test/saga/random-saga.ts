// Random sagas with random partners and random people.

import * as fc from 'fast-check'
import type { Saga } from '../../src/saga/define.js'
import type { Ask } from '../../src/saga/next.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { relentless } from '../../src/saga/policy.js'
import { anEvent } from '../../testkit/event.js'
import { simulate, type SagaWord } from '../../testkit/simulate.js'
import { type ActionShape, aSaga, applied, deferred, inDoubt, parked, refused, thrice } from './three-steps.js'

const shape: fc.Arbitrary<ActionShape> = fc.record({
  keys: fc.constantFrom('honoured' as const, 'ignored' as const),
  back: fc.constantFrom('undoable' as const, 'undoableInDoubt' as const, 'irreversible' as const, 'none' as const),
  probed: fc.boolean(),
})

/** One to four stages of one to three steps, perhaps with a pivot. */
const sagas: fc.Arbitrary<Saga> = fc
  .record({
    stages: fc.array(fc.array(shape, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    pivot: fc.option(fc.nat(3)),
    skipped: fc.integer({ min: -1, max: 8 }),
    holds: fc.boolean(),
  })
  .map(({ stages, pivot, skipped, holds }) => {
    let count = 0
    return aSaga(
      stages.map((shapes, stage) =>
        (stage === pivot ? shapes.slice(0, 1) : shapes).map((one) => {
          const number = count++
          return {
            name: `s${number}`,
            kind: stage === pivot ? ('pivot' as const) : ('step' as const),
            shape: { ...one, retry: pivot !== null && stage > pivot ? relentless : thrice },
            ...(number === skipped ? { when: () => false } : {}),
            ...(holds ? { holdRefusalFor: 5_000 } : {}),
          }
        }),
      ),
    )
  })

/** Mostly applied, so that sagas get somewhere. */
export const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(applied) },
  { weight: 3, arbitrary: fc.constantFrom(refused, deferred, deferred) },
  { weight: 2, arbitrary: fc.constant(inDoubt) },
  { weight: 1, arbitrary: fc.constant(parked) },
)

const person = { actor: 'ops', reason: 'because' }
const words: fc.Arbitrary<SagaWord> = fc.oneof(
  fc.constantFrom<SagaWord>(
    { kind: 'retry', ...person },
    { kind: 'hold', ...person },
    { kind: 'resume', ...person },
    { kind: 'cancel', ...person },
  ),
  fc
    .record({ kind: fc.constantFrom('skip' as const, 'writeOff' as const), step: fc.nat(8).map((n) => `s${n}`) })
    .map((word) => ({ ...word, ...person })),
  fc.nat(8).map((n): SagaWord => ({ kind: 'supply', step: `s${n}`, output: 'by hand', ...person })),
)

/** A partner that truly holds or does not hold an effect, whatever it tells. */
export class Partners {
  readonly #effects = new Map<string, number>()
  readonly calls: { readonly ask: Ask; readonly outcome: Outcome }[] = []
  readonly #script: readonly Outcome[]
  readonly #lied: readonly boolean[]

  constructor(script: readonly Outcome[], lied: readonly boolean[]) {
    this.#script = script
    this.#lied = lied
  }

  answer(saga: Saga, ask: Ask): Outcome {
    const index = this.calls.length
    const scripted = this.#script[index] ?? applied
    const keys = saga.steps.find(({ name }) => name === ask.step)?.action.keys
    const outcome = this.#believable(ask, scripted, keys)
    this.calls.push({ ask, outcome })
    // In doubt, it may have been done or not.
    const happened = outcome.kind === 'applied' || (outcome.kind === 'inDoubt' && this.#lied[index] === true)
    if (happened && ask.what === 'do') this.#effects.set(ask.step, 1)
    if (happened && ask.what === 'undo') this.#effects.delete(ask.step)
    return outcome
  }

  /** A probe tells the truth; and who honours keys does not refuse what it has applied. */
  #believable(ask: Ask, scripted: Outcome, keys: string | undefined): Outcome {
    if (ask.what === 'probe' && (scripted.kind === 'applied' || scripted.kind === 'refused'))
      return this.#effects.has(ask.step) ? applied : refused
    if (ask.what === 'do' && keys === 'honoured' && this.#effects.has(ask.step) && scripted.kind === 'refused')
      return applied
    return scripted
  }

  get held(): string[] {
    return [...this.#effects.keys()]
  }
}

export const runs = fc.record({
  saga: sagas,
  script: fc.array(outcomes, { maxLength: 40 }),
  lied: fc.array(fc.boolean(), { maxLength: 40 }),
  said: fc.array(fc.option(words), { maxLength: 20 }),
})

export type Run = typeof runs extends fc.Arbitrary<infer Value> ? Value : never

export function play({ saga, script, lied, said }: Run) {
  const partners = new Partners(script, lied)
  const left = [...said]
  const story = simulate(saga, anEvent(), {
    answers: (ask) => partners.answer(saga, ask),
    words: () => left.shift() ?? undefined,
  })
  return { ...story, partners }
}
