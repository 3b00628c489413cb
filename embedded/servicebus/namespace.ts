// The entities of one broker: queues, topics and their subscriptions, found by address, made and removed while it runs.

import type { Clock } from '../clock.js'
import type { Reach } from '../crash-points.js'
import type { Store } from '../store/store.js'
import { entityExists, entityNotFound, notAllowed, ruleNotFound } from './errors.js'
import type { Arrival } from './message.js'
import type { Plan } from './plan.js'
import { Queue, type QueueCounts } from './queue.js'
import { type CompiledRule, compileRule, copiesOf } from './rules.js'
import { type EntityDefinition, defaultRule, type Rule, usualSettings } from './settings.js'
import { type BrokerTables, openBrokerTables } from './tables.js'

export interface NamespaceOptions {
  readonly store: Store
  readonly clock: Clock
  readonly reach: Reach
}

interface Entity {
  definition: EntityDefinition
  readonly queue: Queue
  /** Of a subscription. */
  rules: CompiledRule[]
}

const subQueue = /^(.*?)\/(\$deadletterqueue|\$transfer\/\$deadletterqueue)$/

export class Namespace {
  readonly #options: NamespaceOptions
  readonly #tables: BrokerTables
  /** By path, in lower case. */
  readonly #entities = new Map<string, Entity>()
  /** Under way, by path. */
  readonly #removals = new Map<string, Promise<void>>()
  /** Somebody may hold on to them. */
  readonly #used = new WeakSet<Queue>()

  constructor(options: NamespaceOptions) {
    this.#options = options
    this.#tables = openBrokerTables(options.store)
    for (const { value } of this.#tables.definitions.entries()) this.#open(value)
  }

  /** Whoever is declared again keeps its messages and its rules, and gets its new settings at the next start. */
  async declare(definition: EntityDefinition): Promise<void> {
    const path = pathOf(definition)
    await this.#removals.get(path)
    const known = this.#entities.get(path)
    if (known && JSON.stringify(known.definition) === JSON.stringify(definition)) return
    const kept = known ? withRulesOf(definition, known.definition) : definition
    // Two that write to one place would overwrite each other's messages.
    if (known && this.#used.has(known.queue)) {
      known.definition = kept
      return this.#keep(kept)
    }
    if (known) {
      known.queue.close()
      this.#entities.delete(path)
    }
    this.#open(kept)
    await this.#keep(kept)
  }

  /** With the usual settings, unless it is there already. */
  declareQueue(name: string, requiresSession = false): Promise<void> {
    if (this.#entities.has(name.toLowerCase())) return Promise.resolve()
    return this.declare({ kind: 'queue', name, settings: { ...usualSettings, requiresSession } })
  }

  /** With the usual settings, and its topic, unless they are there already. */
  async declareSubscription(topic: string, name: string, requiresSession = false): Promise<void> {
    if (!this.#entities.has(topic.toLowerCase()))
      await this.declare({ kind: 'topic', name: topic, settings: usualSettings })
    const definition: EntityDefinition = {
      kind: 'subscription',
      topic,
      name,
      settings: { ...usualSettings, requiresSession },
      rules: [defaultRule],
    }
    if (!this.#entities.has(pathOf(definition))) await this.declare(definition)
  }

  /** With all its messages; a topic with its subscriptions. @throws BrokerError `amqp:not-found` */
  async remove(path: string): Promise<void> {
    const wanted = normal(path)
    const paths = [...this.#entities.keys()].filter(
      (one) => one === wanted || one.startsWith(`${wanted}/subscriptions/`),
    )
    if (paths.length === 0) throw entityNotFound(path)
    const removal = this.#removeAll(paths)
    for (const one of paths) this.#removals.set(one, removal)
    try {
      await removal
    } finally {
      for (const one of paths) this.#removals.delete(one)
    }
  }

  /** What messages are sent to. @throws BrokerError `amqp:not-found`, `amqp:not-allowed` */
  toSendTo(address: string): Queue {
    const path = normal(address)
    if (subQueue.test(path)) throw notAllowed('It is not possible to send messages to a dead-letter queue.')
    const queue = this.at(address)
    if (queue.kind === 'subscription') throw notAllowed('It is not possible to send messages to a subscription.')
    return queue
  }

  /** What messages are received from. @throws BrokerError `amqp:not-found`, `amqp:not-allowed` */
  toReceiveFrom(address: string): Queue {
    const queue = this.at(address)
    if (queue.kind === 'topic')
      throw notAllowed('It is not possible to receive messages from a topic; receive from a subscription.')
    return queue
  }

  /** Any entity or sub-queue, by a name or a whole URL. Case does not matter. @throws BrokerError `amqp:not-found` */
  at(address: string): Queue {
    const [, path = normal(address), suffix] = subQueue.exec(normal(address)) ?? []
    const queue = this.#entities.get(path)?.queue
    const found =
      suffix === undefined ? queue : suffix === '$deadletterqueue' ? queue?.deadLetters : queue?.transferDeadLetters
    if (!queue || !found) throw entityNotFound(address)
    this.#used.add(queue)
    return found
  }

  counts(): QueueCounts[] {
    return [...this.#entities.values()].map(({ queue }) => queue.counts())
  }

  definitions(): EntityDefinition[] {
    return [...this.#entities.values()].map(({ definition }) => definition)
  }

  rulesOf(queue: Queue): readonly Rule[] {
    const { rules } = this.#subscription(queue)
    return rules.map(({ rule }) => rule).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws BrokerError `com.microsoft:entity-already-exists`, `com.microsoft:argument-error` */
  async addRule(queue: Queue, rule: Rule): Promise<void> {
    const entity = this.#subscription(queue)
    if (entity.rules.some((one) => one.rule.name.toLowerCase() === rule.name.toLowerCase()))
      throw entityExists(rule.name)
    await this.#setRules(entity, [...entity.rules, compileRule(rule)])
  }

  /** @throws BrokerError `amqp:not-found` */
  async removeRule(queue: Queue, name: string): Promise<void> {
    const entity = this.#subscription(queue)
    const left = entity.rules.filter(({ rule }) => rule.name.toLowerCase() !== name.toLowerCase())
    if (left.length === entity.rules.length) throw ruleNotFound(name)
    await this.#setRules(entity, left)
  }

  close(): void {
    for (const { queue } of this.#entities.values()) queue.close()
  }

  async #removeAll(paths: readonly string[]): Promise<void> {
    const queues = paths.map((path) => this.#entities.get(path)?.queue)
    for (const path of paths) this.#entities.delete(path)
    for (const queue of queues) await queue?.remove()
    await this.#options.store.commit((changes) => {
      for (const path of paths) changes.remove(this.#tables.definitions, [path])
    })
  }

  async #setRules(entity: Entity, rules: CompiledRule[]): Promise<void> {
    if (entity.definition.kind !== 'subscription') return
    entity.rules = rules
    entity.definition = { ...entity.definition, rules: rules.map(({ rule }) => rule) }
    await this.#keep(entity.definition)
  }

  #keep(definition: EntityDefinition): Promise<void> {
    return this.#options.store.commit((changes) =>
      changes.put(this.#tables.definitions, [pathOf(definition)], definition),
    )
  }

  #subscription(queue: Queue): Entity {
    const entity = this.#entities.get(queue.name)
    if (entity?.definition.kind !== 'subscription') throw notAllowed('Only a subscription has rules.')
    return entity
  }

  #open(definition: EntityDefinition): void {
    const { settings, kind } = definition
    const name = pathOf(definition)
    const { forwardTo, forwardDeadLettersTo } = settings
    const onward =
      kind === 'topic'
        ? (arrivals: readonly Arrival[], hops: number) => this.#fanOut(name, arrivals, hops)
        : forwardTo === undefined
          ? undefined
          : (arrivals: readonly Arrival[], hops: number) => this.#forward(name, forwardTo, arrivals, hops)
    const queue = new Queue({
      ...this.#options,
      name,
      kind,
      settings,
      tables: this.#tables,
      ...(onward && { onward }),
      ...(forwardDeadLettersTo !== undefined && {
        forwardDeadLetters: (arrival: Arrival) => this.#buryAt(forwardDeadLettersTo, arrival),
      }),
    })
    const rules = definition.kind === 'subscription' ? definition.rules.map(compileRule) : []
    this.#entities.set(name, { definition, queue, rules })
  }

  /** A copy to each subscription that wants it, all in one commit. */
  #fanOut(topic: string, arrivals: readonly Arrival[], hops: number): Plan[] {
    return [...this.#entities.entries()].flatMap(([path, { queue, rules }]) => {
      if (!path.startsWith(`${topic}/subscriptions/`)) return []
      const copies = arrivals.flatMap((arrival) => copiesOf(arrival, rules))
      return copies.length > 0 ? [queue.admit(copies, hops)] : []
    })
  }

  /** A target that is not there, or can't take it, leaves the messages among the transfer dead letters. */
  #forward(from: string, to: string, arrivals: readonly Arrival[], hops: number): Plan[] {
    const target = this.#entities.get(normal(to))?.queue
    const isTaken = (arrival: Arrival) =>
      target !== undefined && target.kind !== 'subscription' && target.takes(arrival)
    const taken = arrivals.filter(isTaken)
    const left = arrivals.filter((arrival) => !isTaken(arrival)).map((arrival) => ({ ...arrival, source: from }))
    const place = this.#entities.get(from)?.queue.transferDeadLetters
    return [
      ...(target && taken.length > 0 ? [target.admit(taken, hops)] : []),
      ...(place && left.length > 0 ? [place.admit(left)] : []),
    ]
  }

  /** Undefined where it can't be. */
  #buryAt(to: string, arrival: Arrival): Plan | undefined {
    const target = this.#entities.get(normal(to))?.queue
    return target?.takes(arrival) ? target.admit([arrival]) : undefined
  }
}

/** As addresses are compared: without scheme and host, in lower case. */
function normal(address: string): string {
  return address
    .replace(/^\w+:\/\/[^/]*\//, '')
    .toLowerCase()
    .replace(/^\/|\/$/g, '')
}

const pathOf = (definition: EntityDefinition): string =>
  normal(definition.kind === 'subscription' ? `${definition.topic}/subscriptions/${definition.name}` : definition.name)

/** Rules belong to who manages them at run time, not to the file. */
function withRulesOf(definition: EntityDefinition, known: EntityDefinition): EntityDefinition {
  return definition.kind === 'subscription' && known.kind === 'subscription'
    ? { ...definition, rules: known.rules }
    : definition
}
