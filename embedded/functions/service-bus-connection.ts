// One client for each connection setting that the app names, by connection string or by the app's own identity.

import { ServiceBusClient } from '@azure/service-bus'
import { HostError } from './errors.js'

/** Small, so that a receiver is back soon after the broker is. */
const retryOptions = { maxRetries: 3, retryDelayInMs: 200, timeoutInMs: 10_000 }

export class ServiceBusConnections {
  readonly #clients = new Map<string, Promise<ServiceBusClient>>()

  /** @param name the function that needs it @throws HostError `SETTING_MISSING` */
  to(setting: string, name: string): Promise<ServiceBusClient> {
    const known = this.#clients.get(setting) ?? connect(name, setting)
    this.#clients.set(setting, known)
    return known
  }

  async close(): Promise<void> {
    // One that could not be made needs not to be closed.
    await Promise.allSettled([...this.#clients.values()].map(async (client) => (await client).close()))
  }
}

async function connect(name: string, setting: string): Promise<ServiceBusClient> {
  const connectionString = process.env[setting]
  if (connectionString) return new ServiceBusClient(connectionString, { retryOptions })
  const namespace = process.env[`${setting}__fullyQualifiedNamespace`]
  if (!namespace) throw HostError.of('SETTING_MISSING', { function: name, setting })
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new ServiceBusClient(namespace, new DefaultAzureCredential(), { retryOptions })
}
