// Why sagas are not complete: what each failed at, in words that are the same for all that failed alike.

import { digestOf } from '../../saga/mark.js'
import { normalized } from '../../saga/masking.js'
import { unreachable } from '../../saga/unreachable.js'
import type { SagaStatus, StepStatus, Told } from '../../saga/status.js'

export interface Cause {
  /** Digest of all the rest. */
  readonly cause: string
  readonly saga: string
  /** Absent when it is the whole saga. */
  readonly step?: string
  readonly partner?: string
  readonly what?: 'do' | 'undo'
  readonly kind: 'held' | 'indebted' | 'waiting' | 'compensated' | 'repair'
  readonly reason: string
}

/** None for a saga that goes its way. */
export function causesOf(status: SagaStatus): readonly Cause[] {
  const { phase, waitsFor, undoneBecause } = status
  const whole = (kind: Cause['kind'], why = '') => [causeOf(status.saga, kind, why)]
  if (waitsFor?.kind === 'repair') return whole('repair', waitsFor.why)
  switch (phase) {
    case 'held': {
      const undos = troubles(status, 'undo', 'held')
      const found = undos.length > 0 ? undos : troubles(status, 'do', 'held')
      return found.length > 0 ? found : whole('held', waitsFor?.why)
    }
    case 'waiting':
      return waitsFor?.kind === 'retry' ? troubles(status, 'do', 'waiting') : []
    case 'compensating':
      return waitsFor?.kind === 'retry' ? troubles(status, 'undo', 'waiting') : []
    case 'compensated': {
      const found = troubles(status, 'do', 'compensated')
      return found.length > 0 ? found : whole('compensated', undoneBecause)
    }
    case 'indebted':
      return troubles(status, 'undo', 'indebted')
    case 'pending':
    case 'running':
    case 'completed':
    case 'cancelled':
    case 'merged':
      return []
    default:
      return unreachable(phase)
  }
}

function troubles({ saga, steps }: SagaStatus, what: 'do' | 'undo', kind: Cause['kind']): Cause[] {
  return steps.flatMap((step) => {
    const told: Told | undefined = what === 'do' ? step : step.undo
    // An undo that was written off is told as skipped.
    const isTrouble =
      told && (/^(refused|deferred|inDoubt)$/.test(told.outcome) || (kind === 'indebted' && told.outcome === 'skipped'))
    return isTrouble ? [causeOf(saga, kind, told.reason ?? told.outcome, step, what)] : []
  })
}

function causeOf(saga: string, kind: Cause['kind'], why: string, step?: StepStatus, what?: Cause['what']): Cause {
  const rest = {
    saga,
    ...(step && { step: step.name, partner: step.partner }),
    ...(what && { what }),
    kind,
    reason: normalized(why),
  }
  return { cause: digestOf(rest), ...rest }
}
