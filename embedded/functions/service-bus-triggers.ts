// Receives for the app's Service Bus triggers: peek-lock; one message per call, or many; with sessions or without. Through the real client, wherever Service Bus
// is; single messages of a queue in this very process without one.
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
import { bodiesData, bodyData, metadataOf, metadataOfMany, type ReceivedMessage } from './service-bus-message.js'
import { type ServiceBusSource, serviceBusSourcesOf } from './service-bus-source.js'
import { Settlements, type Settler } from './settlements.js'

export interface ServiceBusTriggers {
  /** Takes no new messages, waits for the calls that run. */
  close(): Promise<void>
}

/** A queue or subscription in this very process: no client is needed to receive from it. */
export interface NearbySource<Message extends ReceivedMessage = ReceivedMessage> extends Settler<Message> {
  /**
   * Hands on so many messages at a time, each under a lock that is renewed for `renewFor` milliseconds.
   * @returns what stops it; calls under way go on
   */
  receive(
    options: { readonly concurrency: number; readonly renewFor: number },
    call: (message: Message) => Promise<void>,
  ): () => void
}

interface TriggerOptions {
  /** The source itself where it is in this process; not for sessions and batches. */
  readonly nearby: (source: ServiceBusSource) => NearbySource | undefined
  readonly app: FunctionApp
  readonly log: Log
  readonly extraInput: ExtraInput
  readonly connections: ServiceBusConnections
}

/** @throws HostError `SETTING_MISSING` */
export async function startServiceBusTriggers(options: TriggerOptions): Promise<ServiceBusTriggers> {
  const loops: Loop[] = []
  for (const source of serviceBusSourcesOf(options.app)) {
    const trigger = new Trigger(source, options)
    const nearby = source.hasSessions || source.isBatch ? undefined : options.nearby(source)
    loops.push(
      nearby
        ? trigger.startNearby(nearby)
        : trigger.start(await options.connections.to(source.setting, source.triggered.name)),
    )
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
  readonly #source: ServiceBusSource
  readonly #app: FunctionApp
  readonly #log: Log
  readonly #extraInput: ExtraInput
  readonly #settlements: Settlements
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(source: ServiceBusSource, { app, log, extraInput }: TriggerOptions) {
    this.#source = source
    this.#app = app
    this.#log = log
    this.#extraInput = extraInput
    this.#settlements = new Settlements(log, source.triggered.name)
  }

  start(client: ServiceBusClient): Loop {
    const { hasSessions, isBatch } = this.#source
    const { maxConcurrentSessions } = this.#settings
    if (!hasSessions && !isBatch) return this.#subscribe(client)
    const work = hasSessions ? () => this.#oneSession(client) : () => this.#oneReceiver(client)
    // A batch trigger has one call at a time, with sessions too.
    const loops = Array.from({ length: hasSessions && !isBatch ? maxConcurrentSessions : 1 }, () => this.#repeat(work))
    return {
      stop: async () => {
        this.#stopping.abort()
        await Promise.all(loops)
      },
    }
  }

  /** One message per call, many calls at a time. */
  startNearby(source: NearbySource): Loop {
    const { maxConcurrentCalls, maxAutoLockRenewalDuration } = this.#settings
    const stop = source.receive({ concurrency: maxConcurrentCalls, renewFor: maxAutoLockRenewalDuration }, (message) =>
      this.#callFor(source, [message]),
    )
    return {
      stop: async () => {
        stop()
        await Promise.allSettled(this.#running)
      },
    }
  }

  get #settings() {
    return this.#app.hostJson.extensions.serviceBus
  }

  get #name(): string {
    return this.#source.triggered.name
  }

  /** The same through the client. */
  #subscribe(client: ServiceBusClient): Loop {
    const receiver = this.#receiver(client, this.#settings.maxAutoLockRenewalDuration)
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
  async #oneReceiver(client: ServiceBusClient): Promise<void> {
    const receiver = this.#receiver(client, 0)
    try {
      while (!this.#isStopping) await this.#callFor(receiver, await this.#next(receiver, patience))
    } finally {
      await receiver.close()
    }
  }

  /** A session's messages, until none has come for a while. */
  async #oneSession(client: ServiceBusClient): Promise<void> {
    const { entity } = this.#source
    const options = {
      maxAutoLockRenewalDurationInMs: this.#settings.maxAutoLockRenewalDuration,
      skipParsingBodyAsJson: true,
    }
    const accepting =
      entity.kind === 'queue'
        ? client.acceptNextSession(entity.queue, options)
        : client.acceptNextSession(entity.topic, entity.subscription, options)
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

  async #callFor<Message extends ReceivedMessage>(
    receiver: Settler<Message>,
    messages: readonly Message[],
  ): Promise<void> {
    if (messages.length === 0) return
    const calling = this.#call(receiver, messages)
    this.#running.add(calling)
    await calling.finally(() => this.#running.delete(calling))
  }

  /** One message, or all of a batch. */
  async #call<Message extends ReceivedMessage>(
    receiver: Settler<Message>,
    messages: readonly Message[],
  ): Promise<void> {
    const { triggered, isBatch, autoComplete } = this.#source
    const { name, trigger, inputs } = triggered
    const [first] = messages
    if (!first) return
    const body = isBatch ? bodiesData(messages, trigger['dataType']) : bodyData(first, trigger['dataType'])
    try {
      await this.#app.invoke(name, {
        inputs: { [trigger.key]: body, ...inputsOf(inputs, this.#extraInput) },
        triggerMetadata: isBatch ? metadataOfMany(messages) : metadataOf(first, body),
      })
    } catch (error) {
      this.#log('error', name, wordsOf(error))
      return this.#settlements.settle(receiver, 'abandon', messages)
    }
    if (autoComplete ?? this.#settings.autoCompleteMessages)
      await this.#settlements.settle(receiver, 'complete', messages)
  }

  #receiver(client: ServiceBusClient, maxAutoLockRenewalDurationInMs: number): ServiceBusReceiver {
    const { entity } = this.#source
    // Bytes are text or JSON only to those who ask for it.
    const options = { receiveMode: 'peekLock', maxAutoLockRenewalDurationInMs, skipParsingBodyAsJson: true } as const
    return entity.kind === 'queue'
      ? client.createReceiver(entity.queue, options)
      : client.createReceiver(entity.topic, entity.subscription, options)
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
