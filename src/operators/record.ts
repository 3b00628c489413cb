// What each partner holds of a row: for each saga and partner, what the latest instance that had to do with the partner tells.

import type { Saga } from '../saga/define.js'
import { isOver } from '../saga/phase.js'
import type { SagaStatus, StepStatus } from '../saga/status.js'

export interface Holding {
  readonly partner: string
  readonly state: 'inSync' | 'pending' | 'undone' | 'owed' | 'inDoubt'
  readonly saga: string
  readonly version: number
  /** The step that decides. */
  readonly step: string
  /** ISO 8601 in UTC. */
  readonly since: string
  readonly instance: string
}

/** @param statuses all of the row @param sagas the definitions: a snapshot reads, it leaves nothing with a partner */
export function holdingsOf(statuses: readonly SagaStatus[], sagas: readonly Saga[]): readonly Holding[] {
  const found = new Map<string, Holding>()
  for (const status of newestFirst(statuses))
    for (const holding of holdingsIn(status, sagas)) {
      const key = `${holding.saga} ${holding.partner}`
      if (!found.has(key)) found.set(key, holding)
    }
  return [...found.values()].toSorted((one, other) => (one.partner < other.partner ? -1 : 1))
}

export const newestFirst = (statuses: readonly SagaStatus[]): readonly SagaStatus[] =>
  statuses.toSorted((one, other) => (one.startedAt < other.startedAt ? 1 : -1))

function holdingsIn(status: SagaStatus, sagas: readonly Saga[]): Holding[] {
  const definition = sagas.find(({ name, version }) => name === status.saga && version === status.version)
  const reads = new Set(definition?.steps.filter(({ kind }) => kind === 'snapshot').map(({ name }) => name))
  const steps = status.steps.filter(({ name }) => !reads.has(name))
  return [...new Set(steps.map(({ partner }) => partner))].flatMap((partner) => {
    const told = decidingOf(
      steps.filter((step) => step.partner === partner),
      status,
    )
    if (!told) return []
    const { state, step } = told
    const since = step.undo?.endedAt ?? step.endedAt ?? step.startedAt ?? status.updatedAt
    const { saga, version, id: instance } = status
    return [{ partner, state, saga, version, step: step.name, since, instance }]
  })
}

/** The worst of its steps speaks for a partner; undefined if the instance has left nothing with it, and never will. */
function decidingOf(
  steps: readonly StepStatus[],
  status: SagaStatus,
): { readonly state: Holding['state']; readonly step: StepStatus } | undefined {
  const states = steps.map((step) => ({ state: stateOf(step, status), step }))
  const worst = (['owed', 'inDoubt', 'pending', 'inSync', 'undone'] as const).find((state) =>
    states.some((one) => one.state === state),
  )
  return states.findLast(
    (one): one is { state: Holding['state']; step: StepStatus } => one.state === worst && worst !== undefined,
  )
}

function stateOf(
  { name, outcome, undo }: StepStatus,
  { phase, owed, undoneBecause }: SagaStatus,
): Holding['state'] | undefined {
  // Also what was written off: the partner holds it, though nobody asks for it any more.
  if (undo?.outcome === 'skipped' || owed.some(({ step, since }) => step === name && since !== undefined)) return 'owed'
  if (undo?.outcome === 'applied') return 'undone'
  if (outcome === 'inDoubt') return 'inDoubt'
  if (outcome === 'applied') return undoneBecause === undefined || isOver(phase) ? 'inSync' : 'pending'
  return isOver(phase) || undoneBecause !== undefined || outcome === 'skipped' ? undefined : 'pending'
}
