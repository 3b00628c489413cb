// Where messages come from, and their bytes.

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

/** The binding asks for bytes; a host that hands over text or parsed JSON all the same is understood. */
export function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
}
