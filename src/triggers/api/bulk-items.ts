// The items of a bulk command, kept in pages in durable entities, so that neither its input nor its history grows with them.

import { setTimeout } from 'node:timers/promises'
import { type DurableClient, type EntityContext, EntityId } from 'durable-functions'
import { z } from 'zod'
import { names } from '../../names.js'

/** Items in a page. */
export const pageSize = 200

type Items = readonly string[]
type Hub = Pick<DurableClient, 'signalEntity' | 'readEntityState'>
type Entity = Pick<
  EntityContext<Items>['df'],
  'operationName' | 'isNewlyConstructed' | 'setState' | 'getInput' | 'destructOnExit'
>

/** The entity. A page takes `keep` with its items, once; the job's own takes `stop`; both `forget`. */
export function bulkItems({ df }: { readonly df: Entity }): void {
  if (df.operationName === 'forget') df.destructOnExit()
  else if (df.operationName === 'stop') df.setState([])
  else if (df.isNewlyConstructed) df.setState(z.array(z.string()).parse(df.getInput<unknown>()))
}

const pageOf = (job: string, page: number) => new EntityId(names.bulkItems, `${job}~${page}`)
/** It is there once somebody has said stop. */
const stopOf = (job: string) => new EntityId(names.bulkItems, job)

/** Resolves when they can be read. */
export async function keepItems(client: Hub, job: string, page: number, items: Items): Promise<void> {
  await client.signalEntity(pageOf(job, page), 'keep', items)
  for (let left = 100; left > 0; left--) {
    if ((await client.readEntityState(pageOf(job, page))).entityExists) return
    await setTimeout(50)
  }
  throw new Error('The items of a bulk command are not kept yet.')
}

export async function itemsOf(client: Hub, job: string, page: number): Promise<Items> {
  const { entityState } = await client.readEntityState<unknown>(pageOf(job, page))
  return z.array(z.string()).parse(entityState)
}

export const stopJob = (client: Hub, job: string) => client.signalEntity(stopOf(job), 'stop')
export const isStopped = async (client: Hub, job: string) => (await client.readEntityState(stopOf(job))).entityExists

export async function forgetItems(client: Hub, job: string, pages: number): Promise<void> {
  for (let page = 0; page < pages; page++) await client.signalEntity(pageOf(job, page), 'forget')
  if (await isStopped(client, job)) await client.signalEntity(stopOf(job), 'forget')
}
