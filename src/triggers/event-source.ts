// Where Dataverse's messages come from.

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
