// What a saga is said to cost is what it asks of the platform: counted in the history of the real orchestrator.

import { describe, expect, it } from 'vitest'
import { eventType, type HistoryEvent } from '../../embedded/taskhub/history.js'
import { costOf, type Course, furtherAttempt, tableOf } from '../../local/cost.js'
import { names } from '../../src/names.js'
import { sagaOrchestrator } from '../../src/orchestrators/saga.js'
import type { Saga } from '../../src/saga/define.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import type { Ask } from '../../src/saga/next.js'
import { runOrchestration } from '../../testkit/durable.js'
import { anEvent } from '../../testkit/event.js'
import { answering, applied, aSaga, deferred, refused, threeSteps } from '../saga/three-steps.js'

/** The history of one saga whose partners answer so. */
async function historyOf(saga: Saga, answer: (ask: Ask) => unknown): Promise<readonly HistoryEvent[]> {
  const event = anEvent()
  const { status, history } = await runOrchestration(
    sagaOrchestrator(() => saga),
    {
      instanceId: instanceIdOf(saga.name, event),
      input: { saga: saga.name, version: saga.version, event },
      activities: { [names.askPartner]: (ask: unknown) => answer(ask as Ask) },
    },
  )
  expect(status).toBe('completed')
  return history
}

/** What the platform hands to the app, and how much it writes down. */
function counted(history: readonly HistoryEvent[]) {
  const count = (...kinds: readonly (keyof typeof eventType)[]) =>
    history.filter(({ EventType }) => kinds.some((kind) => eventType[kind] === EventType)).length
  return {
    calls: count('TaskScheduled'),
    actions: count('ExecutionStarted', 'TaskScheduled', 'TaskCompleted', 'TimerFired', 'EventRaised'),
    historyEvents: history.length,
  }
}

const told = (saga: Saga, course: Course) => {
  const { calls, actions, historyEvents } = costOf(saga, course)
  return { calls, actions, historyEvents }
}

const withPivot = aSaga([
  [{ name: 'look', kind: 'snapshot' }],
  [{ name: 'a' }],
  [{ name: 'p', kind: 'pivot' }],
  [{ name: 'z' }],
])

describe('the cost of a saga', () => {
  it.each([
    ['three steps', threeSteps()],
    ['a pivot', withPivot],
  ])('of %s that completes is what the platform has to do for it', async (_, saga) => {
    expect(told(saga, 'completed')).toEqual(counted(await historyOf(saga, () => applied)))
  })

  it.each([
    ['three steps', threeSteps(), 'c'],
    ['a pivot', withPivot, 'p'],
  ])('of %s that is undone by its last refusal is too', async (_, saga, last) => {
    expect(told(saga, 'undone')).toEqual(counted(await historyOf(saga, answering({ [last]: [refused] }))))
  })

  it('grows by the same for every attempt more', async () => {
    const history = counted(await historyOf(threeSteps(), answering({ b: [deferred, deferred, applied] })))
    const { calls, actions, historyEvents } = costOf(threeSteps(), 'completed')

    expect(history).toEqual({
      calls: calls + 2 * furtherAttempt.calls,
      actions: actions + 2 * furtherAttempt.actions,
      historyEvents: historyEvents + 2 * furtherAttempt.historyEvents,
    })
  })

  it('of steps at the same time is no more than one after the other', async () => {
    const parallel = aSaga([[{ name: 'a' }], [{ name: 'b' }, { name: 'c' }]])
    const history = counted(await historyOf(parallel, () => applied))

    expect(history.actions).toBe(costOf(parallel, 'completed').actions)
    expect(history.historyEvents).toBeLessThanOrEqual(costOf(parallel, 'completed').historyEvents)
  })

  it('has a lane entered and left besides', () => {
    const { actions } = costOf(threeSteps(), 'completed')

    expect(costOf({ ...threeSteps(), lane: 'row' }, 'completed').actions).toBe(actions + 4)
  })

  it('is told for one and for a month', () => {
    expect(tableOf(threeSteps(), 1_000)).toMatch(/durable actions \(azureManaged\) +7 +11 +3 +7,000 +11,000/)
  })
})
