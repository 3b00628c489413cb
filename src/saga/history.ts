// What happened to one instance, from its beginning to now: enough to see whether another version of the code would have done the same.

import type { DataverseEvent } from './event.js'
import type { Outcome } from './outcome.js'
import type { Signal } from './signal.js'
import type { SagaState } from './state.js'
import type { SagaStatus } from './status.js'

/** In the form in which `GET /api/sagas/{id}/history` tells it. It holds the values that partners were asked with and answered. */
export interface SagaHistory {
  readonly id: string
  readonly saga: string
  readonly version: number
  readonly event: DataverseEvent
  /** Where it goes on after its history was cut. */
  readonly state?: SagaState
  readonly happened: readonly Happened[]
  /** What came of it. */
  readonly status: SagaStatus
}

/** In the order in which the platform wrote it down; `at` is ISO 8601 in UTC. */
export type Happened =
  /** `of` is the mark of what was asked (mark.ts). */
  | { readonly kind: 'answered'; readonly at: string; readonly of: string; readonly outcome: Outcome }
  | { readonly kind: 'woken'; readonly at: string }
  | { readonly kind: 'heard'; readonly at: string; readonly signal: Signal }
