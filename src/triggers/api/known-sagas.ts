// The sagas that this worker has in mind, brought up to date when somebody asks: the platform itself finds instances by prefix, status and time alone.
//
// Promises: what is over is read once; what is not over, and what is new, is read again at each refresh. No more than a tenth of the time is
// spent on refreshing, so answers may be older by ten times what a refresh takes; each tells how old it is.
// Never: relies on the order in which the platform lists, or on its statuses being up to the millisecond.

import { setTimeout } from 'node:timers/promises'
import type { DurableClient } from 'durable-functions'
import { SagaIndex } from '../../operators/index/saga-index.js'
import type { InstanceQuery } from '../../task-hub.js'
import { listInstances, readAll } from '../instances.js'

/** A worker has room for this many: about 100 MB. */
const mostSagas = 200_000
const pageSize = 1_000
/** Milliseconds between two refreshes, and how long an answer waits for one that runs. */
const shortestPause = 100
const longestPause = 60_000
const patience = 120
/** Milliseconds for which clocks of workers may differ, and an instance may stay unseen in the platform's list. */
const overlap = 60_000
/** Purged instances are forgotten by reading everything anew, milliseconds after the last time. */
const longestTrust = 3_600_000
/** All but completed: an instance that has failed or was terminated is held for repair, and may go on after it. */
const notCompleted = ['Pending', 'Running', 'Suspended', 'ContinuedAsNew', 'Failed', 'Terminated', 'Canceled']

export interface Glance {
  readonly index: SagaIndex
  /** ISO 8601 in UTC. */
  readonly asOf: string
}

export class KnownSagas {
  #glance: Glance | undefined
  #loading: Promise<Glance> | undefined
  #refreshing: Promise<void> | undefined
  #loadedAt = 0
  #dueAt = 0

  /** Waits for the first load, and a moment for a refresh. @throws when the task hub can not be read for the first time */
  async upToDate(client: DurableClient): Promise<Glance> {
    if (!this.#glance) return this.#load(client)
    if (Date.now() - this.#loadedAt > longestTrust) this.#load(client).catch(() => undefined)
    if (!this.#refreshing && Date.now() >= this.#dueAt) this.#refreshing = this.#refresh(client, this.#glance)
    if (this.#refreshing) await Promise.race([this.#refreshing, setTimeout(patience)])
    return this.#glance
  }

  #load(client: DurableClient): Promise<Glance> {
    this.#loading ??= load(client)
      .then((glance) => {
        this.#loadedAt = Date.now()
        this.#glance = glance
        return glance
      })
      .finally(() => (this.#loading = undefined))
    return this.#loading
  }

  /** Never rejects: what is known stays, and gets older. */
  async #refresh(client: DurableClient, { index, asOf: last }: Glance): Promise<void> {
    const began = Date.now()
    const asOf = new Date(began).toISOString()
    try {
      await refresh(client, index, last)
      if (this.#glance?.index === index) this.#glance = { index, asOf }
    } catch {
      // The next one tries again; until then `asOf` says how old everything is.
    } finally {
      const took = Date.now() - began
      this.#dueAt = Date.now() + Math.min(Math.max(10 * took, shortestPause), longestPause)
      this.#refreshing = undefined
    }
  }
}

/** One for this worker. */
export const knownSagas = new KnownSagas()

async function load(client: DurableClient): Promise<Glance> {
  const index = new SagaIndex(mostSagas)
  const asOf = new Date().toISOString()
  await readInto(index, client, {}, true)
  return { index, asOf }
}

async function refresh(client: DurableClient, index: SagaIndex, last: string): Promise<void> {
  const wereOpen = [...index.open]
  const seen = await readInto(index, client, { since: new Date(Date.parse(last) - overlap).toISOString() })
  for (const id of await readInto(index, client, { statuses: notCompleted })) seen.add(id)
  // Those that have ended since, or are gone.
  const left = wereOpen.filter((id) => !seen.has(id))
  const found = await readAll(client, left)
  for (const status of found) index.put(status)
  const there = new Set(found.map(({ id }) => id))
  for (const id of left) if (!there.has(id)) index.remove(id)
}

/** @param isBounded ends when the index is full, if all came newest first so far: then what follows is older */
async function readInto(
  index: SagaIndex,
  client: DurableClient,
  query: Pick<InstanceQuery, 'since' | 'statuses'>,
  isBounded = false,
): Promise<Set<string>> {
  const seen = new Set<string>()
  let earliest = Infinity
  let isNewestFirst = true
  let token: string | undefined
  do {
    const page: InstanceQuery = { limit: pageSize, inputs: false, ...query, ...(token !== undefined && { token }) }
    const { sagas, next } = await listInstances(client, page)
    for (const status of sagas) {
      index.put(status)
      seen.add(status.id)
      const startedAt = Date.parse(status.startedAt)
      isNewestFirst &&= startedAt <= earliest + overlap
      earliest = Math.min(earliest, startedAt)
    }
    token = next
    if (isBounded && isNewestFirst && index.size >= mostSagas && next !== undefined) {
      index.isLeftOutBefore(new Date(earliest).toISOString())
      token = undefined
    }
  } while (token !== undefined)
  return seen
}
