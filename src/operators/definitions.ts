// A saga as it is declared, in the words in which people talk of it.

import { diagramOf } from '../saga/diagram.js'
import type { Saga, Step } from '../saga/define.js'
import type { RetryPolicy } from '../saga/policy.js'

export function definitionOf(saga: Saga) {
  const { name, version, on, lane, deadline, steps } = saga
  return {
    saga: name,
    version,
    on: { table: on.table, message: [on.message].flat(), ...(on.columns && { columns: on.columns }) },
    ...(lane && { lane }),
    ...(deadline !== undefined && { deadline }),
    steps: steps.map((step) => ({
      name: step.name,
      partner: step.action.partner,
      action: step.action.name,
      kind: step.kind,
      stage: step.stage,
      undo: undoOf(step),
      retry: inWords(step.action.retry),
    })),
    mermaid: diagramOf(saga),
  }
}

function undoOf({ action }: Step): 'yes' | 'irreversible' | 'none' {
  if (action.undoable) return 'yes'
  return action.irreversible === undefined ? 'none' : 'irreversible'
}

/** For example: 12 attempts, 1 s to 2 min apart. */
function inWords(policy: RetryPolicy): string {
  const { maxNumberOfAttempts: most, firstRetryIntervalInMilliseconds: first, backoffCoefficient = 1 } = policy
  if (most === 1) return 'one attempt'
  const longest = backoffCoefficient === 1 ? first : (policy.maxRetryIntervalInMilliseconds ?? 3_600_000)
  const apart = longest === first ? spell(first) : `${spell(first)} to ${spell(longest)}`
  return `${most === 'unlimited' ? 'until it is done' : `${most} attempts`}, ${apart} apart`
}

function spell(ms: number): string {
  const units = [
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ] as const
  const [size, name] = units.find(([one]) => ms >= one && ms % one === 0) ?? [1, 'ms']
  return `${ms / size} ${name}`
}
