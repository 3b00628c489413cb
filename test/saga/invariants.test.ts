// The invariants M1-M6 of src/saga/machine.ts, checked on every path: each answer a partner can give at each attempt, to a depth of eight answers.

import { describe, expect, it } from 'vitest'
import type { Saga } from '../../src/saga/define.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import { type Ask, begin, type SagaEvent, type SagaState, type Turn, turn } from '../../src/saga/machine.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { anEvent } from '../../testkit/simulate.js'
import { applied, deferred, inDoubt, inShort, refused, threeSteps } from './three-steps.js'

interface Answered {
  readonly ask: Ask
  readonly outcome: Outcome
  /** How often a person had said 'retry' by then. */
  readonly retries: number
}

interface Path {
  readonly answered: readonly Answered[]
  readonly last: Turn
}

const at = '2026-01-01T00:00:00.000Z'
const depth = 8
const outcomes = [applied, refused, deferred, inDoubt]

/** All paths, each as long as it gets: to its end, to a second hold, or to the depth. */
function* pathsOf(saga: Saga): Generator<Path> {
  const event = anEvent()
  const first = begin(saga, { instance: instanceIdOf(saga.name, event), event, at })
  const open: (Path & { retries: number })[] = [{ answered: [], last: first, retries: 0 }]
  for (let path = open.pop(); path; path = open.pop()) {
    const { last, answered, retries } = path
    const { command, state } = last
    const go = (happened: SagaEvent) => turn(saga, state, happened)
    if (command.kind === 'sleep') open.push({ ...path, last: go({ kind: 'woken', at }) })
    else if (command.kind === 'hold' && retries === 0)
      open.push({ answered, last: go({ kind: 'retry', at }), retries: 1 })
    else if (command.kind === 'ask' && answered.length < depth)
      for (const outcome of outcomes)
        open.push({
          answered: [...answered, { ask: command.ask, outcome, retries }],
          last: go({ kind: 'answered', at, outcome }),
          retries,
        })
    else yield path
  }
}

const variants = [
  { title: 'with keys honoured', saga: threeSteps() },
  { title: 'with keys ignored', saga: threeSteps({ keys: 'ignored' }) },
  { title: 'without any undo', saga: threeSteps({ undoable: false }) },
]

describe.each(variants)('on every path of a saga $title', ({ saga }) => {
  const paths = [...pathsOf(saga)]
  /** The paths that break a rule, in short; at most three, for reading. */
  const against = (holds: (path: Path) => boolean) =>
    paths
      .filter((path) => !holds(path))
      .slice(0, 3)
      .map(({ answered }) => answered.map(({ ask, outcome }) => `${inShort(ask)}: ${outcome.kind}`))

  it('there are paths of many lengths and ends', () => {
    const phases = new Set(paths.map(({ last }) => last.state.phase))

    expect(paths.length).toBeGreaterThan(100)
    expect([...phases]).toEqual(expect.arrayContaining(['completed', 'compensated', 'held']))
  })

  it('M1: a step is undone only if it was applied, and at most once', () => {
    expect(
      against(({ answered }) => {
        const done = namesOf(answered, 'do', 'applied')
        const undone = namesOf(answered, 'undo', 'applied')
        const undoing = new Set(answered.filter(({ ask }) => ask.what === 'undo').map(({ ask }) => ask.step))
        return [...undoing].every((step) => done.includes(step)) && new Set(undone).size === undone.length
      }),
    ).toEqual([])
  })

  it('M2: undoing runs in reverse, and nothing new is called once it began', () => {
    expect(
      against(({ answered }) => {
        const done = namesOf(answered, 'do', 'applied')
        const undone = namesOf(answered, 'undo', 'applied')
        const began = answered.findIndex(({ ask }) => ask.what === 'undo')
        const after = began < 0 ? [] : answered.slice(began)
        return (
          undone.join() ===
            done
              .slice(-undone.length || done.length)
              .toReversed()
              .slice(0, undone.length)
              .join() && after.every(({ ask }) => ask.what === 'undo')
        )
      }),
    ).toEqual([])
  })

  it('M3: compensated means that no step is applied any more', () => {
    expect(
      against(
        ({ last, answered }) =>
          last.state.phase !== 'compensated' ||
          namesOf(answered, 'do', 'applied').length === namesOf(answered, 'undo', 'applied').length,
      ),
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
          const before = answered
            .slice(0, index)
            .filter((earlier) => inShort(earlier.ask) === inShort(ask) && earlier.retries === retries)
          const most = ask.what === 'do' ? 3 : 2
          return before.length < most && before.every(({ outcome }) => outcome.kind !== 'refused')
        }),
      ),
    ).toEqual([])
  })

  it('M6: once in doubt, nothing else is asked until the doubt has ended', () => {
    expect(
      against(({ answered, last }) => {
        let doubted: string | undefined
        for (const { ask, outcome } of answered) {
          if (doubted !== undefined && inShort(ask) !== doubted) return false
          const ends =
            outcome.kind === 'applied' || (outcome.kind === 'refused' && saga.steps[0]?.action.keys === 'honoured')
          if (outcome.kind === 'inDoubt') doubted = inShort(ask)
          else if (ends) doubted = undefined
        }
        return doubted === undefined || whatWaits(last.state) === doubted
      }),
    ).toEqual([])
  })
})

function namesOf(answered: readonly Answered[], what: Ask['what'], outcome: Outcome['kind']): string[] {
  return answered.filter((one) => one.ask.what === what && one.outcome.kind === outcome).map(({ ask }) => ask.step)
}

/** The step that a state is at, in short. */
function whatWaits({ at: { index, what } }: SagaState): string {
  const step = 'abc'[index] ?? ''
  return what === 'do' ? step : `undo ${step}`
}
