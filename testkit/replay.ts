// Runs recorded histories on today's code: does it still decide what it decided then? To be asked before a deployment, with sagas in flight.

import type { Saga } from '../src/saga/define.js'
import type { SagaHistory } from '../src/saga/history.js'
import { recall } from '../src/saga/recall.js'
import type { SagaState } from '../src/saga/state.js'
import { statusOf } from '../src/saga/status.js'

/** Today's code decides otherwise. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError'
  /** Counts from 1; 0 when what came of it all is different. */
  readonly event: number

  constructor(history: SagaHistory, event: number, why: string) {
    super(`${history.id}, ${event === 0 ? 'in the end' : `event ${event} of ${history.happened.length}`}: ${why}`)
    this.event = event
  }
}

/**
 * A history as `GET /api/sagas/{id}/history` tells it, of an instance that has ended or is still running. Time is not compared, only what is asked,
 * with which input and under which key, in which order, and what comes of it.
 * @throws ReplayError at the first event at which today's saga does something else
 */
export function replay(saga: Saga, history: SagaHistory): void {
  if (saga.name !== history.saga || saga.version !== history.version)
    throw new ReplayError(
      history,
      0,
      `it ran as '${history.saga}' version ${history.version}, which is not '${saga.name}' version ${saga.version}`,
    )
  // Another instance did its work: nothing was decided here.
  if (history.status.phase === 'merged') return
  const { state, parting } = recall(saga, history)
  if (parting) throw new ReplayError(history, parting.event, parting.why)
  compareEnds(saga, history, state)
}

function compareEnds(saga: Saga, history: SagaHistory, state: SagaState): void {
  const { status } = history
  const today = statusOf(saga, state)
  const other = status.steps.find((step, index) => {
    const now = today.steps[index]
    return now?.name !== step.name || now.outcome !== step.outcome || now.undo?.outcome !== step.undo?.outcome
  })
  if (other || today.steps.length !== status.steps.length)
    throw new ReplayError(history, 0, `step '${other?.name ?? today.steps.at(-1)?.name}' is not what it was then`)
  // Where the orchestration itself was stopped, the recorded phase is the platform's doing.
  if (today.phase !== status.phase && status.waitsFor?.kind !== 'repair')
    throw new ReplayError(history, 0, `it was ${status.phase}, today's saga is ${today.phase}`)
}
