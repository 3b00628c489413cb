// The app's own connection to Service Bus, for what a binding can't do.

import type { ServiceBusClient, ServiceBusClientOptions } from '@azure/service-bus'
import { serviceBusConnection } from '../settings.js'

let client: Promise<ServiceBusClient> | undefined

/** Made when it is first needed: most apps never do. */
export function serviceBus(): Promise<ServiceBusClient> {
  client ??= open()
  return client
}

/**
 * Nobody may wait for this: where the connection breaks before the other side has answered, the SDK's promise never ends (rhea-promise
 * 3.0.3), and an invocation that waited would hang. What can't be closed is gone with its connection.
 */
export function closeUnattended(link: { close(): Promise<void> }): void {
  link.close().catch(() => undefined)
}

async function open(): Promise<ServiceBusClient> {
  const { ServiceBusClient } = await import('@azure/service-bus')
  const connection = serviceBusConnection()
  const options: ServiceBusClientOptions = { retryOptions: { maxRetries: 2, retryDelayInMs: 500, timeoutInMs: 10_000 } }
  if ('connectionString' in connection) return new ServiceBusClient(connection.connectionString, options)
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new ServiceBusClient(connection.namespace, new DefaultAzureCredential(), options)
}
