// A broker with its store and an unmodified client, for tests; it can be stopped and started again on the same data.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceBusClient, type ServiceBusReceivedMessage, type ServiceBusReceiver } from '@azure/service-bus'
import { type Clock, systemClock } from '../../../embedded/clock.js'
import { carryOn } from '../../../embedded/crash-points.js'
import { type Broker, startBroker } from '../../../embedded/servicebus/broker.js'
import {
  type EntityDefinition,
  type QueueSettings,
  type Rule,
  defaultRule,
  usualSettings,
} from '../../../embedded/servicebus/settings.js'
import { openStore, type Store } from '../../../embedded/store/store.js'

/** The machine's clock, until it is told that some time has passed: what is due by then runs at once. */
class PassingClock implements Clock {
  #passed = 0
  /** Each looks anew how long it has still to wait. */
  readonly #waiting = new Set<() => void>()

  now(): number {
    return systemClock.now() + this.#passed
  }

  after(ms: number, task: () => void): () => void {
    const due = this.now() + ms
    let cancel = (): void => undefined
    const wait = () => {
      cancel()
      cancel = systemClock.after(Math.max(0, due - this.now()), () => {
        this.#waiting.delete(wait)
        task()
      })
    }
    this.#waiting.add(wait)
    wait()
    return () => {
      this.#waiting.delete(wait)
      cancel()
    }
  }

  pass(ms: number): void {
    this.#passed += ms
    for (const wait of this.#waiting) wait()
  }
}

export class TestNamespace {
  readonly clock = new PassingClock()
  readonly #folder = mkdtempSync(join(tmpdir(), 'broker-'))
  readonly #definitions: readonly EntityDefinition[]
  readonly #keys: ReadonlyMap<string, string> | undefined
  #store: Store | undefined
  broker!: Broker
  client!: ServiceBusClient

  constructor(definitions: readonly EntityDefinition[], keys?: ReadonlyMap<string, string>) {
    this.#definitions = definitions
    this.#keys = keys
  }

  async open(): Promise<this> {
    this.#store = openStore(this.#folder)
    this.broker = await startBroker({
      store: this.#store,
      clock: this.clock,
      reach: carryOn,
      log: () => undefined,
      host: '127.0.0.1',
      port: 0,
      ...(this.#keys && { keys: this.#keys }),
    })
    for (const definition of this.#definitions) await this.broker.namespace.declare(definition)
    this.client = this.connect()
    return this
  }

  /** @param options `patience` in milliseconds, for one operation */
  connect({ name = 'any', key = 'any', patience = 30_000 } = {}): ServiceBusClient {
    return new ServiceBusClient(
      `Endpoint=sb://127.0.0.1:${this.broker.port};SharedAccessKeyName=${name};SharedAccessKey=${key};UseDevelopmentEmulator=true`,
      { retryOptions: { maxRetries: 0, retryDelayInMs: 100, timeoutInMs: patience } },
    )
  }

  async restart(): Promise<void> {
    await this.close()
    await this.open()
  }

  async close(): Promise<void> {
    await this.client.close()
    await this.broker.close()
    await this.#store?.close()
  }

  async end(): Promise<void> {
    await this.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export const aQueue = (name: string, settings: Partial<QueueSettings> = {}): EntityDefinition => ({
  kind: 'queue',
  name,
  settings: { ...usualSettings, ...settings },
})
export const aTopic = (name: string, settings: Partial<QueueSettings> = {}): EntityDefinition => ({
  kind: 'topic',
  name,
  settings: { ...usualSettings, ...settings },
})
export const aSubscription = (
  topic: string,
  name: string,
  settings: Partial<QueueSettings> = {},
  rules: readonly Rule[] = [defaultRule],
): EntityDefinition => ({ kind: 'subscription', topic, name, settings: { ...usualSettings, ...settings }, rules })

/** All that is there, taken for good. */
export async function drain(receiver: ServiceBusReceiver): Promise<ServiceBusReceivedMessage[]> {
  const all: ServiceBusReceivedMessage[] = []
  for (;;) {
    const some = await receiver.receiveMessages(100, { maxWaitTimeInMs: 250 })
    if (some.length === 0) return all
    all.push(...some)
    for (const message of some) await receiver.completeMessage(message)
  }
}
export const bodies = (messages: readonly ServiceBusReceivedMessage[]) => messages.map(({ body }) => body)
