// Receives for the app's Service Bus triggers, through the real client: peek-lock; one message per call, or many; with sessions or without.
//
// Promises: success completes, failure abandons; a lock is renewed while the function of a single message runs; in a session one call at a time, in order.

import {
  isServiceBusError,
  type ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
  type ServiceBusSessionReceiver,
} from '@azure/service-bus'
import type { Log } from '../log.js'
import { wordsOf } from './errors.js'
import { type ExtraInput, inputsOf } from './extra-inputs.js'
import type { FunctionApp } from './function-app.js'
import type { ServiceBusConnections } from './service-bus-connection.js'
import { bodiesData, bodyData, metadataOf, metadataOfMany } from './service-bus-message.js'
import { type ServiceBusSource, serviceBusSourcesOf } from './service-bus-source.js'
import { Settlements } from './settlements.js'

export interface ServiceBusTriggers {
  /** Takes no new messages, waits for the calls that run. */
  close(): Promise<void>
}

interface TriggerOptions {
  readonly app: FunctionApp
  readonly log: Log
  readonly extraInput: ExtraInput
  readonly connections: ServiceBusConnections
}

/** @throws HostError `SETTING_MISSING` */
export async function startServiceBusTriggers(options: TriggerOptions): Promise<ServiceBusTriggers> {
  const loops: Loop[] = []
  for (const source of serviceBusSourcesOf(options.app)) {
    const client = await options.connections.to(source.setting, source.triggered.name)
    loops.push(new Trigger(client, source, options).start())
  }
  return {
    close: async () => void (await Promise.all(loops.map((loop) => loop.stop()))),
  }
}

interface Loop {
  /** Takes nothing new; resolves when no call runs any more, and all is given back. */
  stop(): Promise<void>
}

/** Milliseconds that a receiver waits for a first message before it looks whether it is to stop. */
const patience = 1_000

class Trigger {
  readonly #client: ServiceBusClient
  readonly #source: ServiceBusSource
  readonly #app: FunctionApp
  readonly #log: Log
  readonly #extraInput: ExtraInput
  readonly #settlements: Settlements
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(client: ServiceBusClient, source: ServiceBusSource, { app, log, extraInput }: TriggerOptions) {
    this.#client = client
    this.#source = source
    this.#app = app
    this.#log = log
    this.#extraInput = extraInput
    this.#settlements = new Settlements(log, source.triggered.name)
  }

  start(): Loop {
    const { hasSessions, isBatch } = this.#source
    const { maxConcurrentSessions } = this.#settings
    if (!hasSessions && !isBatch) return this.#subscribe()
    const work = hasSessions ? () => this.#oneSession() : () => this.#oneReceiver()
    // A batch trigger has one call at a time, with sessions too.
    const loops = Array.from({ length: hasSessions && !isBatch ? maxConcurrentSessions : 1 }, () => this.#repeat(work))
    return {
      stop: async () => {
        this.#stopping.abort()
        await Promise.all(loops)
      },
    }
  }

  get #settings() {
    return this.#app.hostJson.extensions.serviceBus
  }

  get #name(): string {
    return this.#source.triggered.name
  }

  /** One message per call, many calls at a time. */
  #subscribe(): Loop {
    const receiver = this.#receiver(this.#settings.maxAutoLockRenewalDuration)
    const subscription = receiver.subscribe(
      {
        processMessage: async (message) => {
          await this.#callFor(receiver, [message])
        },
        processError: async ({ error, errorSource }) => {
          // The client goes on renewing one of two messages that have the same id; a lock that is truly lost shows when the message is settled.
          if (errorSource !== 'renewLock') this.#interrupted(error)
        },
      },
      { autoCompleteMessages: false, maxConcurrentCalls: this.#settings.maxConcurrentCalls },
    )
    return {
      stop: async () => {
        await subscription.close()
        await Promise.allSettled(this.#running)
        await receiver.close()
      },
    }
  }

  async #repeat(work: () => Promise<void>): Promise<void> {
    while (!this.#isStopping)
      try {
        await work()
      } catch (error) {
        if (!this.#isStopping && !isNothingThere(error)) this.#interrupted(error)
      }
  }

  /** Batches, one after the other, until it is interrupted. Their locks are not renewed. */
  async #oneReceiver(): Promise<void> {
    const receiver = this.#receiver(0)
    try {
      while (!this.#isStopping) await this.#callFor(receiver, await this.#next(receiver, patience))
    } finally {
      await receiver.close()
    }
  }

  /** A session's messages, until none has come for a while. */
  async #oneSession(): Promise<void> {
    const { entity } = this.#source
    const options = {
      maxAutoLockRenewalDurationInMs: this.#settings.maxAutoLockRenewalDuration,
      skipParsingBodyAsJson: true,
    }
    const accepting =
      entity.kind === 'queue'
        ? this.#client.acceptNextSession(entity.queue, options)
        : this.#client.acceptNextSession(entity.topic, entity.subscription, options)
    const session = await unlessAborted(accepting, this.#stopping.signal)
    try {
      while (!this.#isStopping) {
        const messages = await this.#next(session, this.#settings.sessionIdleTimeout)
        if (messages.length === 0) return
        await this.#callFor(session, messages)
      }
    } finally {
      await session.close()
    }
  }

  #next(receiver: ServiceBusReceiver | ServiceBusSessionReceiver, ms: number): Promise<ServiceBusReceivedMessage[]> {
    const most = this.#source.isBatch ? this.#settings.maxMessageBatchSize : 1
    return receiver.receiveMessages(most, { maxWaitTimeInMs: ms, abortSignal: this.#stopping.signal })
  }

  async #callFor(receiver: ServiceBusReceiver, messages: readonly ServiceBusReceivedMessage[]): Promise<void> {
    if (messages.length === 0) return
    const calling = this.#call(receiver, messages)
    this.#running.add(calling)
    await calling.finally(() => this.#running.delete(calling))
  }

  /** One message, or all of a batch. */
  async #call(receiver: ServiceBusReceiver, messages: readonly ServiceBusReceivedMessage[]): Promise<void> {
    const { triggered, isBatch, autoComplete } = this.#source
    const { name, trigger, inputs } = triggered
    const [first] = messages
    if (!first) return
    const body = isBatch ? bodiesData(messages, trigger['dataType']) : bodyData(first, trigger['dataType'])
    try {
      await this.#app.invoke(name, {
        inputs: { ...inputsOf(inputs, this.#extraInput), [trigger.key]: body },
        triggerMetadata: isBatch ? metadataOfMany(messages) : metadataOf(first, body),
      })
    } catch (error) {
      this.#log('error', name, wordsOf(error))
      return this.#settlements.settle(receiver, 'abandon', messages)
    }
    if (autoComplete ?? this.#settings.autoCompleteMessages)
      await this.#settlements.settle(receiver, 'complete', messages)
  }

  #receiver(maxAutoLockRenewalDurationInMs: number): ServiceBusReceiver {
    const { entity } = this.#source
    // Bytes are text or JSON only to those who ask for it.
    const options = { receiveMode: 'peekLock', maxAutoLockRenewalDurationInMs, skipParsingBodyAsJson: true } as const
    return entity.kind === 'queue'
      ? this.#client.createReceiver(entity.queue, options)
      : this.#client.createReceiver(entity.topic, entity.subscription, options)
  }

  #interrupted(error: unknown): void {
    this.#log('warn', this.#name, `The receiver was interrupted: ${wordsOf(error)}`)
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }
}

/** The client's own wait for a session can't be aborted, and does not end with its connection. */
async function unlessAborted(accepting: Promise<ServiceBusSessionReceiver>, signal: AbortSignal) {
  const aborted = new Promise<never>((_, fail) => {
    signal.addEventListener('abort', () => fail(new Error('The host is stopping.')), { once: true })
  })
  // One that comes all the same is given back.
  const givenBack = () => (signal.aborted ? accepting.then((session) => session.close()) : undefined)
  return Promise.race([accepting, aborted]).finally(() => void givenBack()?.catch(() => undefined))
}

/** No session had a message within the time: the next look follows. */
const isNothingThere = (error: unknown) =>
  isServiceBusError(error) && (error.code === 'ServiceTimeout' || error.code === 'SessionCannotBeLocked')
