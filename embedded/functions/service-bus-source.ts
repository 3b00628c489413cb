// What a Service Bus trigger names: a queue, or a topic's subscription, with or without sessions, for one message or many.

import { textIn } from './app-files.js'
import type { AppDeclaration, RegisteredFunction } from './worker.js'

export interface ServiceBusSource {
  readonly triggered: RegisteredFunction
  readonly entity:
    | { readonly kind: 'queue'; readonly queue: string }
    | { readonly kind: 'subscription'; readonly topic: string; readonly subscription: string }
  /** The app setting of the connection. */
  readonly setting: string
  readonly hasSessions: boolean
  readonly isBatch: boolean
  /** Undefined where host.json decides. */
  readonly autoComplete: boolean | undefined
}

/** Its path in a namespace. */
export const pathOf = ({ entity }: ServiceBusSource): string =>
  entity.kind === 'queue' ? entity.queue : `${entity.topic}/subscriptions/${entity.subscription}`

export function serviceBusSourcesOf({ functions }: AppDeclaration): ServiceBusSource[] {
  return functions.flatMap((triggered) => {
    const { trigger } = triggered
    if (trigger.type.toLowerCase() !== 'servicebustrigger') return []
    const queue = textIn(trigger, 'queueName')
    return [
      {
        triggered,
        entity:
          queue === ''
            ? {
                kind: 'subscription',
                topic: textIn(trigger, 'topicName'),
                subscription: textIn(trigger, 'subscriptionName'),
              }
            : { kind: 'queue', queue },
        setting: textIn(trigger, 'connection') || 'AzureWebJobsServiceBus',
        hasSessions: trigger['isSessionsEnabled'] === true,
        isBatch: trigger['cardinality'] === 'many',
        autoComplete:
          typeof trigger['autoCompleteMessages'] === 'boolean' ? trigger['autoCompleteMessages'] : undefined,
      },
    ]
  })
}
