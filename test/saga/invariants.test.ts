// The invariants M1-M6 of src/saga/machine.ts, checked on every path: each answer a partner can give at each attempt, to a depth of eight answers.

import { describe, expect, it } from 'vitest'
import type { Saga } from '../../src/saga/define.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import { begin, type SagaEvent, turn } from '../../src/saga/machine.js'
import { type Ask, nextOf } from '../../src/saga/next.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { phaseOf, type SagaState } from '../../src/saga/state.js'
import { anEvent } from '../../testkit/event.js'
import { applied, by, deferred, inDoubt, inShort, refused, threeSteps } from './three-steps.js'

interface Answered {
  readonly ask: Ask
  readonly outcome: Outcome
  /** How often a person had said 'retry' by then. */
  readonly retries: number
}

interface Path {
  readonly answered: readonly Answered[]
  readonly state: SagaState
  readonly retries: number
}

const depth = 8
const outcomes = [applied, refused, deferred, inDoubt]

/** All paths, each as long as it gets: to its end, to a second hold, or to the depth. */
function* pathsOf(saga: Saga): Generator<Path> {
  const event = anEvent()
  const at = '2026-01-01T00:00:00.000Z'
  const open: Path[] = [
    { answered: [], state: begin(saga, { instance: instanceIdOf(saga.name, event), event, at }), retries: 0 },
  ]
  for (let path = open.pop(); path; path = open.pop()) {
    const { state, answered, retries } = path
    const go = (happened: SagaEvent) => turn(saga, state, happened)
    const next = nextOf(saga, state)
    const [ask] = next.kind === 'ask' ? next.asks : []
    if (ask && answered.length < depth)
      for (const outcome of outcomes)
        open.push({
          answered: [...answered, { ask, outcome, retries }],
          state: go({ kind: 'answered', at: state.updatedAt, step: ask.step, what: ask.what, outcome }),
          retries,
        })
    else if (next.kind === 'wait' && next.until !== undefined)
      open.push({ ...path, state: go({ kind: 'woken', at: next.until }) })
    else if (next.kind === 'wait' && retries === 0)
      open.push({
        answered,
        state: go({ kind: 'said', at: state.updatedAt, command: { kind: 'retry', id: 'r', ...by } }),
        retries: 1,
      })
    else yield path
  }
}

const variants = [
  { title: 'with keys honoured', saga: threeSteps() },
  { title: 'with keys ignored', saga: threeSteps({ keys: 'ignored' }) },
  { title: 'with a probe', saga: threeSteps({ keys: 'ignored', probed: true }) },
  { title: 'with an undo in doubt', saga: threeSteps({ back: 'undoableInDoubt' }) },
  { title: 'without any undo', saga: threeSteps({ back: 'none' }) },
]

describe.each(variants)('on every path of a saga $title', ({ saga }) => {
  const paths = [...pathsOf(saga)]
  const keys = saga.steps[0]?.action.keys
  /** The paths that break a rule, in short; at most three, for reading. */
  const against = (holds: (path: Path) => boolean) =>
    paths
      .filter((path) => !holds(path))
      .slice(0, 3)
      .map(({ answered }) => answered.map(({ ask, outcome }) => `${inShort(ask)}: ${outcome.kind}`))

  it('there are paths of many lengths and ends', () => {
    const phases = new Set(paths.map(({ state }) => phaseOf(state)))

    expect(paths.length).toBeGreaterThan(100)
    expect([...phases]).toEqual(expect.arrayContaining(['completed', 'compensated', 'held']))
  })

  it('M1: a step is undone only if it was applied or in doubt, and at most once', () => {
    expect(
      against(({ answered }) => {
        const done = new Set([
          ...namesOf(answered, 'do', 'applied'),
          ...namesOf(answered, 'do', 'inDoubt'),
          ...namesOf(answered, 'probe', 'applied'),
        ])
        const undone = namesOf(answered, 'undo', 'applied')
        const undoing = new Set(answered.filter(({ ask }) => ask.what === 'undo').map(({ ask }) => ask.step))
        return [...undoing].every((step) => done.has(step)) && new Set(undone).size === undone.length
      }),
    ).toEqual([])
  })

  it('M2: undoing runs in reverse, and nothing is asked forward once it began', () => {
    expect(
      against(({ answered }) => {
        const began = answered.findIndex(({ ask }) => ask.what === 'undo')
        const after = began < 0 ? [] : answered.slice(began)
        const order = after.map(({ ask }) => ask.step)
        return after.every(({ ask }) => ask.what === 'undo') && order.join() === order.toSorted().toReversed().join()
      }),
    ).toEqual([])
  })

  it('M3: compensated means that every step that was applied is undone', () => {
    expect(
      against(({ state, answered }) => {
        const undone = namesOf(answered, 'undo', 'applied')
        const done = [...namesOf(answered, 'do', 'applied'), ...namesOf(answered, 'probe', 'applied')]
        return state.end !== 'compensated' || done.every((step) => undone.includes(step))
      }),
    ).toEqual([])
  })

  it('M4: every attempt carries the same key and the same input', () => {
    expect(
      against(({ answered }) => {
        const asked = new Map<string, string>()
        return answered.every(({ ask }) => {
          const text = JSON.stringify({ ...ask, attempt: 0 })
          const before = asked.get(inShort(ask))
          asked.set(inShort(ask), text)
          return before === undefined || before === text
        })
      }),
    ).toEqual([])
  })

  it('M5: a refused step is not asked again, and none more often than its policy allows, unless a person says so', () => {
    expect(
      against(({ answered }) =>
        answered.every(({ ask, retries }, index) => {
          if (ask.what === 'undo') return true
          const before = answered
            .slice(0, index)
            .filter(
              (earlier) => earlier.ask.what !== 'undo' && earlier.ask.step === ask.step && earlier.retries === retries,
            )
          const wasRefused = before.some((earlier) => earlier.ask.what === 'do' && earlier.outcome.kind === 'refused')
          return before.length < 3 && (!wasRefused || keys === 'ignored')
        }),
      ),
    ).toEqual([])
  })

  it('M6: once in doubt, nothing else is asked forward until the doubt has ended', () => {
    expect(
      against(({ answered, state }) => {
        let doubted: string | undefined
        for (const { ask, outcome } of answered) {
          if (ask.what === 'undo') return doubted === undefined || saga.steps[0]?.action.undoableInDoubt === true
          if (doubted !== undefined && ask.step !== doubted) return false
          const isRefusal = outcome.kind === 'refused' && (ask.what === 'probe' || keys === 'honoured')
          if (outcome.kind === 'inDoubt' && ask.what === 'do') doubted = ask.step
          else if (outcome.kind === 'applied' || isRefusal) doubted = undefined
        }
        return doubted === undefined || state.end !== 'completed'
      }),
    ).toEqual([])
  })
})

function namesOf(answered: readonly Answered[], what: Ask['what'], outcome: Outcome['kind']): string[] {
  return answered.filter((one) => one.ask.what === what && one.outcome.kind === outcome).map(({ ask }) => ask.step)
}
