// GET /api/sagas/events and /api/sagas/{id}/events: what changes, as it changes. Looked for once a second while somebody listens.

import { setTimeout } from 'node:timers/promises'
import { seesValues } from '../../operators/access.js'
import { type Entry, matches } from '../../operators/index/entry.js'
import { masked } from '../../operators/masked.js'
import { heartbeat } from '../../operators/route.js'
import type { Routes } from '../../operators/routes.js'
import { instanceOf, readAll } from '../instances.js'
import { knownSagas } from './known-sagas.js'
import type { Handler } from '../serve.js'

/**
 * Milliseconds between two looks, between two signs of life, and until the stream ends and the client comes back. The platform's library does not say
 * when a client has gone, so a stream that nobody reads is looked for until its end.
 */
const interval = 1_000
const silence = 15_000
const longest = 60_000
/** Sagas told at once; the others come with the next look. */
const mostAtOnce = 50

export const watchSaga: Handler<Routes['watchSaga']> = async ({ params: { id }, caller }, { client }) => {
  const first = await instanceOf(client, id)
  let told = ''
  return looking(async (isFirst) => {
    const status = isFirst ? first : await instanceOf(client, id)
    const text = JSON.stringify(status)
    if (text === told) return []
    told = text
    return [seesValues(caller) ? status : masked(status)]
  })
}

export const watchSagas: Handler<Routes['watchSagas']> = async ({ query, caller }, { client }) => {
  let { index } = await knownSagas.upToDate(client)
  let { revision } = index
  const inside = new Set(Array.from(index.select(query), ({ id }) => id))
  /** Those that leave the filter are told once more. */
  const isWanted = (entry: Entry) => matches(entry, query) || inside.has(entry.id)
  return looking(async () => {
    const known = await knownSagas.upToDate(client)
    // All was read anew: what has changed in that moment is seen in the list.
    if (known.index !== index)
      ({
        index,
        index: { revision },
      } = known)
    const changes = index.changes(revision, isWanted, mostAtOnce)
    revision = changes.revision
    for (const entry of changes.entries)
      if (matches(entry, query)) inside.add(entry.id)
      else inside.delete(entry.id)
    const statuses = await readAll(
      client,
      changes.entries.map(({ id }) => id),
    )
    return seesValues(caller) ? statuses : statuses.map(masked)
  })
}

/** Whatever is found, look after look, until the time is over or nobody listens any more. */
async function* looking<Item>(
  look: (isFirst: boolean) => Promise<readonly Item[]>,
): AsyncGenerator<Item | typeof heartbeat> {
  const end = Date.now() + longest
  let lastSign = Date.now()
  for (let isFirst = true; Date.now() < end; isFirst = false) {
    for (const item of await look(isFirst)) {
      lastSign = Date.now()
      yield item
    }
    if (Date.now() - lastSign >= silence) {
      lastSign = Date.now()
      yield heartbeat
    }
    await setTimeout(interval)
  }
}
