// All sagas at a glance: kept in memory, filtered in one pass, the newest first. Knows nothing of where they come from.

import type { Phase } from '../../saga/phase.js'
import { SagaError } from '../../saga/errors.js'
import type { SagaStatus } from '../../saga/status.js'
import type { SagaFilter } from '../schemas/filter.js'
import type { Cause } from './causes.js'
import { type Entry, entryOf, matches } from './entry.js'

interface Place {
  entry: Entry
  /** Counts up with every change of anything. */
  revision: number
}

/** Ids told with a cause. */
const sampleSize = 5

type PerPhase = Partial<Record<Phase, number>>

export class SagaIndex {
  readonly #most: number
  /** At which the oldest are left out. */
  #limit: number
  readonly #places = new Map<string, Place>()
  readonly #open = new Set<string>()
  /** The newest first; made anew when there are others. */
  #ordered: readonly Place[] | undefined
  #revision = 0
  #oldest: string | undefined

  /** @param most sagas that are kept; beyond, the oldest of those that are over are left out */
  constructor(most: number) {
    this.#most = most
    this.#limit = roomFor(most)
  }

  get size(): number {
    return this.#places.size
  }

  get revision(): number {
    return this.#revision
  }

  /** Those to which something may happen yet. */
  get open(): ReadonlySet<string> {
    return this.#open
  }

  /** Set once some were left out: those that started before are not all there. */
  get oldest(): string | undefined {
    return this.#oldest
  }

  isLeftOutBefore(startedAt: string): void {
    if (this.#oldest === undefined || startedAt > this.#oldest) this.#oldest = startedAt
  }

  put(status: SagaStatus): void {
    const place = this.#places.get(status.id)
    const entry = entryOf(status)
    if (place && isSame(place.entry, entry)) return
    if (entry.isOver) this.#open.delete(entry.id)
    else this.#open.add(entry.id)
    this.#revision += 1
    if (place?.entry.startedAt !== entry.startedAt) this.#ordered = undefined
    if (place) Object.assign(place, { entry, revision: this.#revision })
    else this.#places.set(entry.id, { entry, revision: this.#revision })
    if (this.#places.size > this.#limit) this.#leaveOut()
  }

  /** It was purged. */
  remove(id: string): void {
    if (!this.#places.delete(id)) return
    this.#open.delete(id)
    this.#ordered = undefined
  }

  /** Newest first. @param token of the page before @throws SagaError `QUERY_MALFORMED` */
  page(filter: SagaFilter, limit: number, token?: string): { readonly ids: readonly string[]; readonly next?: string } {
    const after = token === undefined ? undefined : readToken(token)
    const ids: string[] = []
    let last: Entry | undefined
    for (const { entry } of this.#inOrder()) {
      if (after && !isBehind(entry, after)) continue
      if (!matches(entry, filter)) continue
      if (last && ids.length === limit) return { ids, next: tokenOf(last) }
      ids.push(entry.id)
      last = entry
    }
    return { ids }
  }

  /** Those that have changed since a revision, the longest ago first, and the revision to go on from. */
  changes(
    since: number,
    isWanted: (entry: Entry) => boolean,
    most: number,
  ): { readonly entries: readonly Entry[]; readonly revision: number } {
    if (since === this.#revision) return { entries: [], revision: since }
    const changed = [...this.#places.values()]
      .filter(({ entry, revision }) => revision > since && isWanted(entry))
      .toSorted((one, other) => one.revision - other.revision)
    const told = changed.slice(0, most)
    const last = told.at(-1)
    const revision = last && told.length < changed.length ? last.revision : this.#revision
    return { entries: told.map(({ entry }) => entry), revision }
  }

  /** What sagas that are not over have open with each partner. */
  openWith(): ReadonlyMap<string, { readonly debts: number; readonly held: number; readonly doubts: number }> {
    const found = new Map<string, { debts: number; held: number; doubts: number }>()
    const count = (partner: string | undefined, what: 'debts' | 'held' | 'doubts') => {
      if (partner === undefined) return
      const known = found.get(partner) ?? { debts: 0, held: 0, doubts: 0 }
      known[what] += 1
      found.set(partner, known)
    }
    for (const id of this.#open) {
      const { owes = [], doubts = [], causes = [] } = this.#places.get(id)?.entry ?? {}
      for (const partner of new Set(owes)) count(partner, 'debts')
      for (const partner of new Set(doubts)) count(partner, 'doubts')
      const held = causes.filter(({ kind }) => kind === 'held').map(({ partner }) => partner)
      for (const partner of new Set(held)) count(partner, 'held')
    }
    return found
  }

  /** By name and version, with a space between. */
  byVersion(): ReadonlyMap<string, { readonly running: number; readonly ended: number }> {
    const found = new Map<string, { running: number; ended: number }>()
    for (const { entry } of this.#places.values()) {
      const key = `${entry.saga} ${entry.version}`
      const known = found.get(key) ?? { running: 0, ended: 0 }
      known[entry.isOver ? 'ended' : 'running'] += 1
      found.set(key, known)
    }
    return found
  }

  counts(filter: SagaFilter): { total: number; byPhase: PerPhase; bySaga: Record<string, PerPhase> } {
    const byPhase: PerPhase = {}
    const bySaga: Record<string, PerPhase> = {}
    let total = 0
    for (const { phase, saga } of this.select(filter)) {
      total += 1
      byPhase[phase] = (byPhase[phase] ?? 0) + 1
      const ofSaga = (bySaga[saga] ??= {})
      ofSaga[phase] = (ofSaga[phase] ?? 0) + 1
    }
    return { total, byPhase, bySaga }
  }

  /** The most frequent first. */
  causes(filter: SagaFilter): readonly (Cause & CauseCount)[] {
    const found = new Map<string, Cause & { count: number; oldest: string; newest: string; sample: string[] }>()
    for (const { id, causes, updatedAt } of this.select(filter))
      for (const cause of causes) {
        if (filter.cause !== undefined && cause.cause !== filter.cause) continue
        const known = found.get(cause.cause) ?? { ...cause, count: 0, oldest: updatedAt, newest: updatedAt, sample: [] }
        known.count += 1
        if (updatedAt < known.oldest) known.oldest = updatedAt
        if (updatedAt > known.newest) known.newest = updatedAt
        if (known.sample.length < sampleSize) known.sample.push(id)
        found.set(cause.cause, known)
      }
    return [...found.values()].toSorted((one, other) => other.count - one.count || (one.newest < other.newest ? 1 : -1))
  }

  /** Newest first. */
  *select(filter: SagaFilter): Generator<Entry> {
    for (const { entry } of this.#inOrder()) if (matches(entry, filter)) yield entry
  }

  #inOrder(): readonly Place[] {
    return (this.#ordered ??= [...this.#places.values()].toSorted(({ entry: one }, { entry: other }) =>
      order(one, other),
    ))
  }

  #leaveOut(): void {
    const isKept = new Set(this.#inOrder().slice(0, this.#most))
    for (const place of this.#inOrder()) {
      if (isKept.has(place) || !place.entry.isOver) continue
      this.isLeftOutBefore(place.entry.startedAt)
      this.#places.delete(place.entry.id)
    }
    this.#ordered = undefined
    this.#limit = roomFor(Math.max(this.#most, this.#places.size))
  }
}

/** Not at each one that is new. */
const roomFor = (count: number) => count * 1.1

/** Two turns may come within a millisecond. */
const isSame = (one: Entry, other: Entry) =>
  one.updatedAt === other.updatedAt && one.phase === other.phase && one.attempts === other.attempts

export interface CauseCount {
  readonly count: number
  /** When the first and the last of them came to stand there. */
  readonly oldest: string
  readonly newest: string
  readonly sample: readonly string[]
}

type Key = Pick<Entry, 'startedAt' | 'id'>

function order(one: Key, other: Key): number {
  if (one.startedAt !== other.startedAt) return one.startedAt < other.startedAt ? 1 : -1
  return one.id < other.id ? 1 : -1
}

const isBehind = (entry: Key, after: Key) => order(entry, after) > 0

const tokenOf = ({ startedAt, id }: Key) => Buffer.from(`${startedAt} ${id}`).toString('base64url')

/** Whether a page was told by an index, and not by the platform. */
export const isTokenOfIndex = (token: string | undefined): boolean => token !== undefined && keyIn(token) !== undefined

function keyIn(token: string): Key | undefined {
  const [, startedAt, id] = /^(\d{4}-\S+Z) (.+)$/.exec(Buffer.from(token, 'base64url').toString()) ?? []
  return startedAt === undefined || id === undefined ? undefined : { startedAt, id }
}

/** @throws SagaError `QUERY_MALFORMED` */
function readToken(token: string): Key {
  const key = keyIn(token)
  if (!key) throw SagaError.of('QUERY_MALFORMED', { parameter: 'token', expected: "'next' of the page before" })
  return key
}
