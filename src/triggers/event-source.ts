// Where messages come from, and what the host tells of one.

import { z } from 'zod'
import type { Arrival } from '../telemetry/saga-telemetry.js'

export interface Subscription {
  readonly topic: string
  readonly subscription: string
}

export type EventSource = { readonly queue: string } | Subscription

export const startQueue = { queue: 'dataverse-events' }

/** `topic/subscription`, if the setting names one: Dataverse posts to a topic where others listen too. */
export function topicSource(setting: string | undefined): Subscription | undefined {
  const [topic = '', subscription = ''] = (setting ?? '').split('/')
  return topic && subscription ? { topic, subscription } : undefined
}

/** What the host tells of a message, in camel case. Azure's SDKs write the traceparent of the sender as Diagnostic-Id. */
const metadata = z.object({
  messageId: z.string().optional().catch(undefined),
  enqueuedTimeUtc: z.coerce.date().optional().catch(undefined),
  applicationProperties: z.record(z.string(), z.unknown()).optional().catch(undefined),
})

/** What tracing needs to know of a message. @param told its trigger metadata */
export function arrivalOf(name: string, told: unknown): Arrival {
  const { data } = metadata.safeParse(told)
  const properties = data?.applicationProperties
  return {
    name,
    messageId: data?.messageId,
    traceparent: properties?.['traceparent'] ?? properties?.['diagnostic-Id'],
    enqueuedAt: data?.enqueuedTimeUtc?.getTime(),
  }
}

/** The binding asks for bytes; a host that hands over text or parsed JSON all the same is understood. */
export function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
}
