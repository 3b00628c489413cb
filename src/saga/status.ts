// What the world is told of one instance: the document that becomes the orchestration's custom status after every turn.
//
// Promises: made of the machine's state alone; below the platform's 16 KB; no input, no output, no value of a row.

import type { Saga } from './define.js'
import type { Progress, SagaState, WaitsFor } from './machine.js'
import { isOver, type Phase } from './phase.js'

export interface SagaStatus {
  readonly id: string
  readonly saga: string
  readonly version: number
  readonly table: string
  readonly rowId: string
  readonly phase: Phase
  /** All times are ISO 8601 in UTC. */
  readonly startedAt: string
  readonly updatedAt: string
  readonly endedAt?: string
  readonly waitsFor?: WaitsFor
  readonly steps: readonly StepStatus[]
  /** Effects that a partner still holds although the saga is being undone. */
  readonly owed: readonly Owed[]
}

export interface StepStatus extends Progress {
  readonly name: string
  readonly partner: string
  readonly action: string
  readonly undo?: Progress
}

export interface Owed {
  readonly step: string
  readonly partner: string
  readonly reason: string
}

/** Reasons come from partners and may be long; 300 characters of one tell an operator enough. */
const longestReason = 300

export function statusOf(saga: Saga, state: SagaState): SagaStatus {
  const { event, phase, waitsFor } = state
  const steps = saga.steps.map(({ name, action }, index): StepStatus => {
    const { input: _, output: __, undo, ...progress } = state.steps[index] ?? { outcome: 'pending', attempts: 0 }
    return {
      name,
      partner: action.partner,
      action: action.name,
      ...shortened(progress),
      ...(undo && { undo: shortened(undo) }),
    }
  })
  return {
    id: state.instance,
    saga: saga.name,
    version: saga.version,
    table: event.table,
    rowId: event.rowId,
    phase,
    startedAt: state.startedAt,
    updatedAt: state.updatedAt,
    ...(isOver(phase) && { endedAt: state.updatedAt }),
    ...(waitsFor && { waitsFor: { ...waitsFor, why: waitsFor.why.slice(0, longestReason) } }),
    steps,
    owed: state.at.what === 'undo' ? owedIn(saga, steps) : [],
  }
}

function owedIn(saga: Saga, steps: readonly StepStatus[]): Owed[] {
  return steps.flatMap(({ name, partner, outcome, undo }, index) =>
    outcome === 'applied' && saga.steps[index]?.kind === 'step' && undo?.outcome !== 'applied'
      ? [{ step: name, partner, reason: undo?.reason ?? 'not undone yet' }]
      : [],
  )
}

function shortened<P extends Progress>(progress: P): P {
  return progress.reason === undefined ? progress : { ...progress, reason: progress.reason.slice(0, longestReason) }
}
