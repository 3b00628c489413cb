// A command to many: what it is to do, how far it has come, and how fast it goes.

import type { SagaCommand } from './commands.js'

/** What it does with each of its items: a saga by its id, or a dead letter by `queue/number`. */
export type BulkDeed =
  | { readonly kind: 'command'; readonly command: SagaCommand['kind']; readonly step?: string }
  | { readonly kind: 'resubmit' }

export interface BulkJob {
  readonly id: string
  readonly actor: string
  readonly role: 'Reader' | 'Operator' | 'Admin' | 'none'
  /** Shared by all its entries in the operations log. */
  readonly operation: string
  readonly reason: string
  readonly deed: BulkDeed
  /** Items begun in a second. */
  readonly perSecond: number
  /** ISO 8601 in UTC. */
  readonly startedAt: string
  /** Which items; absent where they were named one by one. */
  readonly choice?: BulkChoice
}

/** As the query parameters that the list of sagas, or of dead letters, is asked with. */
export interface BulkChoice {
  readonly of: 'sagas' | 'deadLetters'
  readonly query: Readonly<Record<string, string>>
}

export interface BulkProgress {
  readonly state: 'running' | 'stopped' | 'done'
  /** Grows until all items are found. */
  readonly total: number
  readonly done: number
  readonly refused: number
  /** The first of them. */
  readonly failed: readonly { readonly id: string; readonly why: string }[]
  readonly failedCount: number
  readonly endedAt?: string
}

/** The orchestration's input, and where it goes on when its history is cut. */
export interface BulkInput {
  readonly job: BulkJob
  /** Pages of items that are kept. */
  readonly pages: number
  /** Absent when all items are found. */
  readonly finding?: { readonly token?: string }
  readonly next: { readonly page: number; readonly from: number }
  readonly progress: BulkProgress
}

/** One page of items was found and kept. */
export interface FoundPage {
  readonly count: number
  readonly token?: string
}

/** What came of a few items. */
export interface BulkBatch {
  readonly done: readonly string[]
  readonly refused: readonly { readonly id: string; readonly why: string }[]
  readonly failed: readonly { readonly id: string; readonly why: string }[]
  /** Where the next batch begins; absent at the end of the page. */
  readonly from?: number
  /** Somebody has stopped it: nothing was done. */
  readonly isStopped?: true
}

export const unbegun: BulkProgress = { state: 'running', total: 0, done: 0, refused: 0, failed: [], failedCount: 0 }

/** So many are told by name: the status has an upper limit. */
const mostFailedTold = 25

/** Whether there is anything left to find or to do. */
export const isAtEnd = ({ finding, next, pages }: BulkInput) => !finding && next.page >= pages

export function afterFound(input: BulkInput, { count, token }: FoundPage): BulkInput {
  const { finding: _, ...before } = input
  const { pages, progress } = before
  return {
    ...before,
    pages: pages + 1,
    ...(token !== undefined && { finding: { token } }),
    progress: { ...progress, total: progress.total + count },
  }
}

export function afterBatch(before: BulkInput, { from, done, refused, failed }: BulkBatch): BulkInput {
  const { progress, next } = before
  const told = [...progress.failed, ...failed.map(({ id, why }) => ({ id, why: why.slice(0, 150) }))]
  return {
    ...before,
    next: from === undefined ? { page: next.page + 1, from: 0 } : { ...next, from },
    progress: {
      ...progress,
      done: progress.done + done.length,
      refused: progress.refused + refused.length,
      failed: told.slice(0, mostFailedTold),
      failedCount: progress.failedCount + failed.length,
    },
  }
}

/** Items of one batch, and milliseconds until the next may begin. */
export function paceOf({ perSecond }: Pick<BulkJob, 'perSecond'>): { readonly size: number; readonly ms: number } {
  const size = Math.min(50, Math.max(1, Math.ceil(perSecond)))
  return { size, ms: Math.round((size / perSecond) * 1_000) }
}

/** In words, for lists and for the log. */
export const inWords = (deed: BulkDeed) =>
  deed.kind === 'resubmit' ? 'resubmit' : `${deed.command}${deed.step === undefined ? '' : ` ${deed.step}`}`
