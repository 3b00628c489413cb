// A saga of three steps with partners that accept anything, for tests of what all sagas have in common.

import { z } from 'zod'
import { type ActionDeclaration, type AnyAction, defineAction } from '../../src/saga/action.js'
import type { Saga, Step } from '../../src/saga/define.js'
import type { Ask } from '../../src/saga/next.js'
import type { Outcome } from '../../src/saga/outcome.js'
import type { FinitePolicy, RetryPolicy } from '../../src/saga/policy.js'
import { anEvent } from '../../testkit/event.js'
import { type SagaWord, simulate } from '../../testkit/simulate.js'

export interface ActionShape {
  readonly keys?: 'honoured' | 'ignored'
  readonly back?: 'undoable' | 'undoableInDoubt' | 'irreversible' | 'none'
  readonly probed?: boolean
  readonly answeredWithin?: number
  readonly mayAnswerAtOnce?: true
  readonly retry?: RetryPolicy
}

export const thrice: FinitePolicy = { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts: 3 }
export const twice: FinitePolicy = { firstRetryIntervalInMilliseconds: 1_000, maxNumberOfAttempts: 2 }

/** An action that accepts anything and brings anything. */
export function anAction(partner: string, shape: ActionShape = {}): AnyAction {
  const {
    keys = 'honoured',
    back = 'undoable',
    probed = false,
    answeredWithin,
    mayAnswerAtOnce,
    retry = thrice,
  } = shape
  const declaration: ActionDeclaration<unknown, unknown, RetryPolicy> = {
    input: z.unknown(),
    output: z.unknown(),
    keys,
    retry,
    request: (body) => ({ method: 'POST', path: '/do', body }),
    ...(probed ? { probe: { request: ({ key }) => ({ method: 'GET', path: `/keys/${key}` }) } } : {}),
    ...(answeredWithin === undefined ? {} : { answeredWithin }),
    ...(mayAnswerAtOnce && { mayAnswerAtOnce }),
  }
  const undo = {
    request: () => ({ method: 'POST', path: '/undo' }) as const,
    ...(back === 'undoableInDoubt' ? { inDoubt: () => ({ method: 'POST', path: '/undo' }) as const } : {}),
    retry: twice,
  }
  if (back === 'none') return defineAction(partner, 'do', declaration)
  if (back === 'irreversible')
    return defineAction(partner, 'do', { ...declaration, undo: { irreversible: 'it is sent' } })
  return defineAction(partner, 'do', { ...declaration, undo })
}

type StepShape = Partial<Step> & { readonly shape?: ActionShape }

/** A saga out of the language, for shapes that the language would not let pass. Each inner list is a stage. */
export function aSaga(
  stages: readonly (readonly (StepShape & { readonly name: string })[])[],
  head: Partial<Saga> = {},
): Saga {
  return {
    name: 'test',
    version: 1,
    on: { table: 'contact', message: 'Create' },
    ...head,
    steps: stages.flatMap((steps, stage) =>
      steps.map(
        ({ shape, ...step }): Step => ({
          kind: 'step',
          stage,
          action: anAction(`partner-${step.name}`, shape),
          inputFor: ({ event, outputs }) => [step.name, event.rowId, Object.values(outputs)],
          ...step,
        }),
      ),
    ),
  }
}

/** Steps a, b and c. */
export const threeSteps = (shape: ActionShape = {}) => aSaga(['a', 'b', 'c'].map((name) => [{ name, shape }]))

export const applied: Outcome = { kind: 'applied', output: 'done' }
export const refused: Outcome = { kind: 'refused', reason: 'no' }
export const deferred: Outcome = { kind: 'deferred', reason: 'not now' }
export const parked: Outcome = { kind: 'deferred', reason: 'known to be down', retryAfterMs: 5_000, parked: true }
export const inDoubt: Outcome = { kind: 'inDoubt', reason: 'no answer' }

/** What the steps bring that may answer at once: without an output, nobody could tell. */
export const broughtAtOnce = ({ steps }: Saga): Record<string, Outcome> =>
  Object.fromEntries(steps.filter(({ action }) => action.mayAnswerAtOnce).map(({ name }) => [name, applied]))

/** An attempt in short: `a`, `undo a`, `probe a`. */
export const inShort = ({ what, step }: { readonly what: Ask['what']; readonly step: string }) =>
  what === 'do' ? step : `${what} ${step}`

/** Everything is applied, but for what is named: `{ c: [deferred, refused] }` answers the first two times that c is asked so. The last answer stays. */
export function answering(deviations: Record<string, readonly Outcome[]>): (ask: Ask) => Outcome {
  const counts = new Map<string, number>()
  return (ask) => {
    const name = inShort(ask)
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    const outcomes = deviations[name] ?? []
    return outcomes[Math.min(count, outcomes.length) - 1] ?? applied
  }
}

/** A story in short, with what people say while it waits, one after the other. */
export function tell(saga: Saga, deviations: Record<string, readonly Outcome[]>, words: readonly SagaWord[] = []) {
  const story = simulate(saga, anEvent(), { answers: answering(deviations), words })
  return { ...story, asks: story.calls.map(({ ask }) => ask), asked: story.calls.map(inShort) }
}

export const by = { actor: 'ops', reason: 'because' } as const
