// Each attempt at each step and undo: what was asked, and what was answered.

import type { Saga } from '../saga/define.js'
import type { SagaHistory } from '../saga/history.js'
import type { Ask } from '../saga/next.js'
import { recall } from '../saga/recall.js'

export interface Call {
  readonly step: string
  readonly what: Ask['what']
  readonly attempt: number
  readonly at: string
  readonly endedAt?: string
  readonly input: unknown
  readonly outcome: 'asking' | 'applied' | 'refused' | 'deferred' | 'inDoubt'
  readonly output?: unknown
  readonly reason?: string
}

/** Recalled as far as today's code makes the same calls: beyond that, the history does not tell what was asked. */
export function callsIn(saga: Saga, history: SagaHistory): readonly Call[] {
  if (history.status.phase === 'merged' || history.status.phase === 'pending') return []
  return recall(saga, history).calls.map(({ ask, at, answer }) => {
    const { step, what, attempt } = ask
    const input = what === 'undo' ? ask.done : ask.input
    const call = { step, what, attempt, at, input }
    if (!answer) return { ...call, outcome: 'asking' }
    const { outcome, at: endedAt } = answer
    return outcome.kind === 'applied'
      ? { ...call, endedAt, outcome: outcome.kind, output: outcome.output }
      : { ...call, endedAt, outcome: outcome.kind, reason: outcome.reason }
  })
}
