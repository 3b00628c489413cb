// What the app asks of the task hub besides starting and signalling: its client, one instance, or a page of many.

import type { InvocationContext } from '@azure/functions'
import { type DurableClient, getClient } from 'durable-functions'
import { z } from 'zod'

export interface InstanceQuery {
  readonly limit: number
  readonly prefix?: string
  /** Only instances started at or after this time, ISO 8601. */
  readonly since?: string
  /** Only instances of these runtime statuses. */
  readonly statuses?: readonly string[]
  /** Without their inputs, which are told unless this is false. */
  readonly inputs?: boolean
  /** `next` of the page before. */
  readonly token?: string
}

export interface InstancePage {
  /** As the platform tells them. */
  readonly instances: readonly unknown[]
  /** Continues the list; absent on the last page. */
  readonly next?: string
}

let known: { readonly place: string; readonly client: DurableClient } | undefined

/** As much of a binding as tells it from another one: the rest of its URLs is made of these. */
const binding = z.object({
  taskHubName: z.string(),
  rpcBaseUrl: z.string().nullish(),
  managementUrls: z.object({ statusQueryGetUri: z.string() }),
})

/**
 * The client of what the host hands in, which is the same in every call. The SDK would make one anew, parse a dozen URLs and set up its HTTP each time.
 * @throws the SDK's error for a function without a durable client among its inputs
 */
export function clientOf(context: InvocationContext): DurableClient {
  const input = context.options.extraInputs.find(({ type }) => type === 'durableClient')
  const read = binding.safeParse(input && context.extraInputs.get(input))
  if (!read.success) return getClient(context)
  const { taskHubName, rpcBaseUrl, managementUrls } = read.data
  const place = `${taskHubName} ${rpcBaseUrl ?? ''} ${managementUrls.statusQueryGetUri}`
  if (known?.place !== place) known = { place, client: getClient(context) }
  return known.client
}

/** The instance of that id as the platform tells it, or undefined. */
export async function statusOrNone(client: DurableClient, id: string) {
  try {
    return await client.getStatus(id)
  } catch (error) {
    // The client knows no other way to say that there is none.
    if (error instanceof Error && error.message.includes('HTTP 404')) return undefined
    throw error
  }
}

/** The platform's HTTP API is asked directly: the SDK's client can neither page nor filter by prefix, it would read the whole task hub. */
export async function pageOfInstances(client: DurableClient, query: InstanceQuery): Promise<InstancePage> {
  const response = await fetch(listUrl(client, query), {
    headers: query.token === undefined ? {} : { 'x-ms-continuation-token': query.token },
  })
  if (!response.ok) throw new Error(`The platform's list of instances answered HTTP ${response.status}.`)
  const instances = z.array(z.unknown()).parse(await response.json())
  const next = response.headers.get('x-ms-continuation-token')
  return { instances, ...(next ? { next } : {}) }
}

function listUrl(client: DurableClient, { limit, prefix, since, statuses, inputs = true }: InstanceQuery): URL {
  const url = new URL(client.createHttpManagementPayload('any').statusQueryGetUri)
  url.pathname = url.pathname.replace(/\/any$/, '')
  url.searchParams.set('top', String(limit))
  if (prefix !== undefined) url.searchParams.set('instanceIdPrefix', prefix)
  if (since !== undefined) url.searchParams.set('createdTimeFrom', since)
  if (statuses !== undefined) url.searchParams.set('runtimeStatus', statuses.join(','))
  if (!inputs) url.searchParams.set('showInput', 'false')
  return url
}
