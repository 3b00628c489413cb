// GET /api/records, /api/partners, /api/definitions: the installation seen by row, by partner, and by definition.

import { partners, sagas } from '../../app/index.js'
import { definitionOf } from '../../operators/definitions.js'
import { holdingsOf, newestFirst } from '../../operators/record.js'
import type { Routes } from '../../operators/routes.js'
import { openGateway } from '../../gateways.js'
import type { Partner } from '../../saga/partner.js'
import { listInstances } from '../instances.js'
import { knownSagas } from './known-sagas.js'
import type { Handler } from '../serve.js'

/** Asked of the platform by the beginning of the ids: as it stands now. */
export const tellRecord: Handler<Routes['tellRecord']> = async ({ params: { table, rowId } }, { client }) => {
  const names = new Set(sagas.filter(({ on }) => on.table === table).map(({ name }) => name))
  const pages = await Promise.all(
    [...names].map((name) => listInstances(client, { limit: 500, prefix: `${name}:${table}:${rowId}:` })),
  )
  const statuses = newestFirst(pages.flatMap((page) => page.sagas))
  return { table, rowId, partners: holdingsOf(statuses, sagas), instances: statuses.map(({ id }) => id) }
}

export const listPartners: Handler<Routes['listPartners']> = async (_, { client }) => {
  const { index } = await knownSagas.upToDate(client)
  const open = index.openWith()
  return {
    partners: partners.map((partner) => {
      const { name, actions, limits: { concurrency, perSecond } = {} } = partner
      return {
        partner: name,
        address: originOf(partner),
        actions: actions.map((action) => action.name),
        limits: { ...(concurrency !== undefined && { concurrency }), ...(perSecond !== undefined && { perSecond }) },
        ...(openGateway(name)?.board ?? { breaker: 'unknown', inFlight: 0, waiting: 0, rate: 0 }),
        ...(open.get(name) ?? { debts: 0, held: 0, doubts: 0 }),
      }
    }),
  }
}

function originOf({ addressSetting }: Partner): string {
  const address = process.env[addressSetting] ?? ''
  return URL.canParse(address) ? new URL(address).origin : ''
}

export const listDefinitions: Handler<Routes['listDefinitions']> = async (_, { client }) => {
  const { index } = await knownSagas.upToDate(client)
  const counts = index.byVersion()
  return {
    definitions: sagas.map((saga) => ({
      ...definitionOf(saga),
      ...(counts.get(`${saga.name} ${saga.version}`) ?? { running: 0, ended: 0 }),
    })),
  }
}
