// Sends what functions set as Service Bus outputs. A call has succeeded only when that is sent.

import type { ServiceBusSender } from '@azure/service-bus'
import { textIn } from './app-files.js'
import type { Binding } from './worker.js'
import type { ServiceBusConnections } from './service-bus-connection.js'
import type { TypedData } from './typed-data.js'

export class ServiceBusOutputs {
  readonly #connections: ServiceBusConnections
  readonly #senders = new Map<string, ServiceBusSender>()

  constructor(connections: ServiceBusConnections) {
    this.#connections = connections
  }

  /** @param data one message, or a list: each a message */
  async write(name: string, binding: Binding, data: TypedData | null | undefined): Promise<void> {
    const bodies = bodiesIn(data)
    if (bodies.length === 0) return
    const sender = await this.#senderOf(name, binding)
    await sender.sendMessages(bodies.map((body) => ({ body, contentType: 'application/json' })))
  }

  async #senderOf(name: string, binding: Binding): Promise<ServiceBusSender> {
    const entity = textIn(binding, 'queueName') || textIn(binding, 'topicName')
    const setting = textIn(binding, 'connection') || 'AzureWebJobsServiceBus'
    const known = this.#senders.get(`${setting} ${entity}`)
    if (known) return known
    const sender = (await this.#connections.to(setting, name)).createSender(entity)
    this.#senders.set(`${setting} ${entity}`, sender)
    return sender
  }
}

function bodiesIn(data: TypedData | null | undefined): readonly unknown[] {
  if (!data) return []
  if (data.bytes) return [Buffer.from(data.bytes)]
  const value: unknown = data.json ? JSON.parse(data.json) : (data.string ?? data.int ?? data.double ?? undefined)
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}
