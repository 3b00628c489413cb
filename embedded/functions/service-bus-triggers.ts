// Receives for the app's Service Bus triggers, through the real client: peek-lock, one message per call.
//
// Promises: success completes the message, failure abandons it; a lock is renewed while its function runs.

import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus'
import type { Log } from '../log.js'
import { resolveSettings } from './app-files.js'
import { HostError, wordsOf } from './errors.js'
import { type ExtraInput, inputsOf } from './http-server.js'
import type { FunctionApp, RegisteredFunction } from './load-app.js'
import { bodyData, metadataOf } from './service-bus-message.js'

export interface ServiceBusTriggers {
  /** Takes no new messages, waits for the calls that run. */
  close(): Promise<void>
}

/** Small, so that a receiver is back soon after the broker is. */
const retryOptions = { maxRetries: 3, retryDelayInMs: 200, timeoutInMs: 10_000 }

/** The queues that the app's triggers name. */
export function queuesOf({ functions }: FunctionApp): string[] {
  return functions.filter(isQueueTrigger).map(queueNameOf)
}

/** @throws HostError `SETTING_MISSING` */
export async function startServiceBusTriggers(options: {
  readonly app: FunctionApp
  readonly log: Log
  readonly extraInput: ExtraInput
}): Promise<ServiceBusTriggers> {
  const { app, log, extraInput } = options
  const clients = new Map<string, ServiceBusClient>()
  const loops: Loop[] = []
  for (const one of app.functions.filter(isQueueTrigger)) {
    const setting = resolveSettings(textIn(one, 'connection') || 'AzureWebJobsServiceBus')
    const client = clients.get(setting) ?? (await connect(one.name, setting))
    clients.set(setting, client)
    loops.push(receive(client, one, app, log, extraInput))
  }
  return {
    async close() {
      await Promise.all(loops.map((loop) => loop.stop()))
      await Promise.all([...clients.values()].map((client) => client.close()))
    },
  }
}

interface Loop {
  stop(): Promise<void>
}

function receive(
  client: ServiceBusClient,
  triggered: RegisteredFunction,
  app: FunctionApp,
  log: Log,
  extraInput: ExtraInput,
): Loop {
  const { serviceBus } = app.hostJson.extensions
  const { name, trigger, inputs } = triggered
  const receiver = client.createReceiver(queueNameOf(triggered), {
    receiveMode: 'peekLock',
    maxAutoLockRenewalDurationInMs: serviceBus.maxAutoLockRenewalDuration,
    // Bytes are text or JSON only to those who ask for it.
    skipParsingBodyAsJson: true,
  })
  const autoComplete = trigger['autoCompleteMessages'] ?? serviceBus.autoCompleteMessages
  const running = new Set<Promise<void>>()

  async function call(message: ServiceBusReceivedMessage): Promise<void> {
    const body = bodyData(message, trigger['dataType'])
    try {
      await app.invoke(name, {
        inputs: { ...inputsOf(inputs, extraInput), [trigger.key]: body },
        triggerMetadata: metadataOf(message, body),
      })
    } catch (error) {
      log('error', name, wordsOf(error))
      return settle(receiver, 'abandonMessage', message, name, log)
    }
    if (autoComplete !== false) await settle(receiver, 'completeMessage', message, name, log)
  }

  const subscription = receiver.subscribe(
    {
      async processMessage(message) {
        const calling = call(message)
        running.add(calling)
        await calling.finally(() => running.delete(calling))
      },
      processError: ({ error }) => Promise.resolve(log('warn', name, `The receiver was interrupted: ${error.message}`)),
    },
    { autoCompleteMessages: false, maxConcurrentCalls: serviceBus.maxConcurrentCalls },
  )
  return {
    async stop() {
      await subscription.close()
      await Promise.allSettled(running)
      await receiver.close()
    },
  }
}

/** A lock that is lost is no misfortune: the app may have settled the message itself, or the message comes again. */
async function settle(
  receiver: ServiceBusReceiver,
  how: 'completeMessage' | 'abandonMessage',
  message: ServiceBusReceivedMessage,
  name: string,
  log: Log,
): Promise<void> {
  try {
    await receiver[how](message)
  } catch (error) {
    log('warn', name, `Message ${String(message.messageId)} was not settled by the host: ${wordsOf(error)}`)
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

const isQueueTrigger = ({ trigger }: RegisteredFunction) =>
  trigger.type.toLowerCase() === 'servicebustrigger' && typeof trigger['queueName'] === 'string'

const queueNameOf = (triggered: RegisteredFunction) => resolveSettings(textIn(triggered, 'queueName'))

function textIn({ trigger }: RegisteredFunction, option: string): string {
  const value = trigger[option]
  return typeof value === 'string' ? value : ''
}
