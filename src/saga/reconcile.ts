// Has a row's last change had its saga? Decided by what the sagas of the row have read: no clock and no message is trusted for it.

import type { On } from './define.js'
import { isOver } from './phase.js'
import type { SagaStatus } from './status.js'

export interface SeenRow {
  /** Of the columns that the saga reads (mark.ts). */
  readonly digest: string
  /** Milliseconds since 1970. */
  readonly modifiedOn: number
  /** Milliseconds since 1970. */
  readonly createdOn: number
}

export type Verdict =
  /** A saga has read the row as it stands, or is about to read it. */
  | 'in sync'
  /** Its message may still be on the way. */
  | 'young'
  /** Of a time of which nothing is known here: before there were sagas, or so long ago that theirs are purged. */
  | 'old'
  | 'missing'

export interface Span {
  /** Milliseconds for which a message may be on the way. */
  readonly grace: number
  /** Milliseconds for which sagas that have ended are remembered, at least. */
  readonly reach: number
}

/** A minute on the way. Three weeks back: longer than a message waits and a token lasts, and shorter than the month after which the scheduler purges. */
export const usualSpan: Span = { grace: 60_000, reach: 21 * 86_400_000 }

/** @param sagas all of this saga that the row ever had, as far as they are remembered */
export function verdictOf(
  on: On,
  row: SeenRow,
  sagas: readonly SagaStatus[],
  now: number,
  { grace, reach }: Span = usualSpan,
): Verdict {
  if (hasBeenSeen(sagas, row) || (isForCreation(on) && sagas.length > 0)) return 'in sync'
  if (now - row.modifiedOn < grace) return 'young'
  return now - (isForCreation(on) ? row.createdOn : row.modifiedOn) > reach ? 'old' : 'missing'
}

/** A creation happens once: whatever the row has become since, its saga had its chance. */
const isForCreation = ({ message }: On) => ![message].flat().includes('Update')

/** By one that has yet to read it, or by the last that has: what one before it read may have been another change, which came back to the same. */
function hasBeenSeen(sagas: readonly SagaStatus[], { digest }: SeenRow): boolean {
  // One that did nothing, since another one did its work, has seen nothing either.
  const working = sagas.filter(({ phase }) => phase !== 'merged')
  if (working.some(({ phase, snapshot }) => snapshot === undefined && !isOver(phase))) return true
  const readers = working.filter(({ snapshot }) => snapshot !== undefined)
  const last = readers.reduce((time, saga) => (readAt(saga) > time ? readAt(saga) : time), '')
  return readers.some((saga) => saga.snapshot === digest && readAt(saga) === last)
}

/** The row is read by the first step. */
const readAt = ({ steps: [first], startedAt }: SagaStatus): string => first?.endedAt ?? startedAt

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
  /** Absent in pages that were read before rows could be too old. */
  readonly old?: number
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
  /** Changed, or created, longer ago than sagas are remembered: left as they are. */
  readonly old: number
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
  old: 0,
  missingCount: 0,
  missing: [],
  wasFull: delta === undefined,
})

export function addPage(before: Reconciliation, { delta }: ReconcileInput, page: ReconciledPage): Reconciliation {
  if (page.isExpired) {
    // All is read from the beginning, and counted from there; what was missing has been started.
    const { saga, missing, missingCount } = before
    return { ...reconciliationOf({ saga }), missing, missingCount, wasFull: true }
  }
  const told = {
    ...before,
    rows: before.rows + page.rows,
    deleted: before.deleted + page.deleted,
    young: before.young + page.young,
    old: before.old + (page.old ?? 0),
    missingCount: before.missingCount + page.missing.length,
    missing: [...before.missing, ...page.missing].slice(0, mostNamed),
  }
  // With young rows the same is read again the next time: what comes in the meantime is small.
  const next = told.young > 0 ? delta : page.delta
  return next === undefined ? told : { ...told, delta: next }
}
