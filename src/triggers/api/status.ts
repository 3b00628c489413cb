// GET /api/sagas and what is below it: what every saga did, does and waits for.

import type { DurableClient } from 'durable-functions'
import { seesValues } from '../../operators/access.js'
import { entryOf, matches } from '../../operators/index/entry.js'
import { isTokenOfIndex } from '../../operators/index/saga-index.js'
import { type Legality, legalityOf, nothingLegal } from '../../operators/legality.js'
import { masked } from '../../operators/masked.js'
import type { Routes } from '../../operators/routes.js'
import type { SagaQuery } from '../../operators/schemas/filter.js'
import { SagaError } from '../../saga/errors.js'
import { isOver } from '../../saga/phase.js'
import type { SagaStatus } from '../../saga/status.js'
import { traceAddress } from '../../settings.js'
import { instanceOf, listInstances, type Page, readAll } from '../instances.js'
import { knownSagas } from './known-sagas.js'
import type { Handler } from '../serve.js'
import { stateOfInstance } from './standing.js'

export const listSagas: Handler<Routes['listSagas']> = async ({ query, caller }, { client }) => {
  const { sagas, ...rest } = await pageOfSagas(client, query)
  return { sagas: seesValues(caller) ? sagas : sagas.map(masked), ...rest }
}

/** What the platform can find by itself, it is asked for; where it lists in another order than that of time, the answer comes from memory after all. */
export async function pageOfSagas(client: DurableClient, query: SagaQuery): Promise<Page> {
  const { limit, token, prefix, since, ...others } = query
  if (Object.keys(others).length > 0 || isTokenOfIndex(token)) return pageInMind(client, query)
  const page = await listInstances(client, {
    limit,
    ...(prefix !== undefined && { prefix }),
    ...(since !== undefined && { since }),
    ...(token !== undefined && { token }),
  })
  const isToBeInOrder = prefix === undefined && token === undefined
  return isToBeInOrder && !isNewestFirst(page.sagas) ? pageInMind(client, query) : page
}

async function pageInMind(client: DurableClient, { limit, token, ...filter }: SagaQuery): Promise<Page> {
  const { index } = await knownSagas.upToDate(client)
  const { ids, ...rest } = index.page(filter, limit, token)
  const sagas = await readAll(client, ids)
  // What has moved on since is not of this list any more.
  return { sagas: sagas.filter((status) => matches(entryOf(status), filter)), ...rest }
}

/** Milliseconds by which sagas may begin in another order than that in which they were started. */
const slack = 60_000

function isNewestFirst(sagas: readonly Pick<SagaStatus, 'startedAt'>[]): boolean {
  let earliest = Infinity
  return sagas.every(({ startedAt }) => {
    const at = Date.parse(startedAt)
    const isInOrder = at <= earliest + slack
    earliest = Math.min(earliest, at)
    return isInOrder
  })
}

export const countSagas: Handler<Routes['countSagas']> = async ({ query }, { client }) => {
  const { index, asOf } = await knownSagas.upToDate(client)
  return { ...index.counts(query), asOf, ...(index.oldest !== undefined && { oldest: index.oldest }) }
}

export const listCauses: Handler<Routes['listCauses']> = async ({ query }, { client }) => {
  const { index, asOf } = await knownSagas.upToDate(client)
  return { causes: index.causes(query), asOf, ...(index.oldest !== undefined && { oldest: index.oldest }) }
}

export const tellSaga: Handler<Routes['tellSaga']> = async ({ params: { id }, caller }, { client }) => {
  const status = await instanceOf(client, id)
  const trace = traceAddress(id)
  const told = { ...status, commands: await legalIn(client, status), ...(trace !== undefined && { trace }) }
  return seesValues(caller) ? told : masked(told)
}

/** By the state that its history leads to, for the status does not tell enough of it. */
async function legalIn(client: DurableClient, status: SagaStatus): Promise<readonly Legality[]> {
  if (isOver(status.phase)) return nothingLegal(status, `the saga is ${status.phase}`)
  if (status.waitsFor?.kind === 'repair') return nothingLegal(status, status.waitsFor.why)
  try {
    const { saga, state } = await stateOfInstance(client, status.id)
    return legalityOf(saga, state)
  } catch (error) {
    if (error instanceof SagaError) return nothingLegal(status, error.what)
    throw error
  }
}
