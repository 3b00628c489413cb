// Has a row's last change had its saga? Decided by what the sagas of the row have read: no clock and no message is trusted for it.

import type { On } from './define.js'
import { isOver } from './phase.js'
import type { SagaStatus } from './status.js'

export interface SeenRow {
  /** Of the columns that the saga reads (mark.ts). */
  readonly digest: string
  /** Milliseconds since 1970. */
  readonly modifiedOn: number
}

export type Verdict =
  /** A saga has read the row as it stands, or is about to read it. */
  | 'in sync'
  /** Its message may still be on the way. */
  | 'young'
  | 'missing'

/** Milliseconds for which a message may be on the way. */
export const usualGrace = 60_000

/**
 * @param sagas all of this saga that the row ever had
 * @param grace milliseconds for which a message may be on the way
 */
export function verdictOf(
  on: On,
  row: SeenRow,
  sagas: readonly SagaStatus[],
  now: number,
  grace = usualGrace,
): Verdict {
  if (sagas.some((saga) => hasSeen(saga, row)) || (isForCreation(on) && sagas.length > 0)) return 'in sync'
  return now - row.modifiedOn < grace ? 'young' : 'missing'
}

/** A creation happens once: whatever the row has become since, its saga had its chance. */
const isForCreation = ({ message }: On) => ![message].flat().includes('Update')

function hasSeen({ phase, snapshot }: SagaStatus, { digest }: SeenRow): boolean {
  // One that did nothing, since another one did its work, has seen nothing either.
  if (phase === 'merged') return false
  return snapshot === undefined ? !isOver(phase) : snapshot === digest
}

export interface ReconcileInput {
  readonly saga: string
  /** Where the last run ended; absent for everything. */
  readonly delta?: string
}

/** What one page came to. */
export interface ReconciledPage {
  readonly rows: number
  readonly deleted: number
  readonly young: number
  /** Rows whose last change had no saga: it is started now. */
  readonly missing: readonly string[]
  readonly next?: string
  readonly delta?: string
  /** The token had expired: everything is read again. */
  readonly isExpired?: true
}

/** The statement of one run. Rows that are young are looked at again by the next one. */
export interface Reconciliation {
  readonly saga: string
  readonly rows: number
  readonly deleted: number
  readonly young: number
  readonly missingCount: number
  /** The first hundred. */
  readonly missing: readonly string[]
  readonly wasFull: boolean
  /** Where the next run begins. */
  readonly delta?: string
}

/** Rows that a statement names. */
const mostNamed = 100

export const reconciliationOf = ({ saga, delta }: ReconcileInput): Reconciliation => ({
  saga,
  rows: 0,
  deleted: 0,
  young: 0,
  missingCount: 0,
  missing: [],
  wasFull: delta === undefined,
})

export function addPage(before: Reconciliation, { delta }: ReconcileInput, page: ReconciledPage): Reconciliation {
  if (page.isExpired) return { ...before, wasFull: true }
  const told = {
    ...before,
    rows: before.rows + page.rows,
    deleted: before.deleted + page.deleted,
    young: before.young + page.young,
    missingCount: before.missingCount + page.missing.length,
    missing: [...before.missing, ...page.missing].slice(0, mostNamed),
  }
  // With young rows the same is read again the next time: what comes in the meantime is small.
  const next = told.young > 0 ? delta : page.delta
  return next === undefined ? told : { ...told, delta: next }
}
