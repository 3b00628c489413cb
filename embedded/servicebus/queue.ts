// One queue: which messages it holds, which are locked, and what becomes of them.
//
// Promises
//   Q1  What a promise of this class acknowledges is on disk before it resolves.
//   Q2  A message is handed out in the order of sequence numbers, and to one receiver at a time while its lock lasts.
//   Q3  Locks belong to the queue: they outlast the link that took them, and end at a restart.
//   Q4  A sequence number is never used twice, not even after a restart.
//   Q5  A delivery that was open when the process died counts as a failed one, so that a message that kills its receiver ends in the dead-letter queue.
// Never: knows links, credit or connections; keeps the bytes of a waiting message in memory.

import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.js'
import type { Reach } from '../crash-points.js'
import type { Changes, Store, Table } from '../store/store.js'
import { lockLost, messageNotFound, messageTooLarge, notAllowed } from './errors.js'
import { type Arrival, type Envelope, withApplicationProperties } from './message.js'
import { SortedList } from './sorted-list.js'

export interface QueueSettings {
  /** Milliseconds. */
  readonly lockDuration: number
  readonly maxDeliveryCount: number
  /** Bytes of one message, or of one batch. */
  readonly maxMessageSize: number
}

export const usualSettings: QueueSettings = { lockDuration: 60_000, maxDeliveryCount: 10, maxMessageSize: 262_144 }

/** What is on disk of a message, beside its bytes. */
interface Kept {
  readonly enqueuedAt: number
  readonly state: 'active' | 'deferred' | 'scheduled'
  readonly failures: number
  /** When a scheduled message becomes active, and after that a reminder that it was scheduled. */
  readonly dueAt?: number
  readonly source?: string
  /** Handed out, and nothing heard of it yet. */
  readonly open?: true
}

interface Lock {
  /** 16 bytes, a uuid in its usual order. */
  readonly token: Buffer
  readonly sequence: number
  until: number
}

/** A message in the hands of a receiver. */
export interface Handout {
  readonly token: Buffer
  readonly envelope: Envelope
  readonly bytes: Buffer
}

export type Settlement =
  | { readonly kind: 'complete' }
  | { readonly kind: 'abandon'; readonly properties: Properties }
  | { readonly kind: 'defer'; readonly properties: Properties }
  | {
      readonly kind: 'deadLetter'
      readonly reason?: string
      readonly description?: string
      readonly properties: Properties
    }

type Properties = Readonly<Record<string, unknown>>

export interface QueueCounts {
  readonly name: string
  readonly active: number
  readonly deferred: number
  readonly scheduled: number
  readonly deadLettered: number
}

/** The tables that all queues of a broker share. */
export interface QueueTables {
  readonly bytes: Table<Buffer>
  readonly kept: Table<Kept>
  /** Per queue, the last sequence number that was given. */
  readonly sequences: Table<number>
}

export function openQueueTables(store: Store): QueueTables {
  return {
    bytes: store.table('broker.bytes'),
    kept: store.table('broker.kept'),
    sequences: store.table('broker.sequences'),
  }
}

export interface QueueOptions {
  readonly name: string
  readonly settings: QueueSettings
  readonly store: Store
  readonly tables: QueueTables
  readonly clock: Clock
  readonly reach: Reach
}

export class Queue {
  readonly name: string
  readonly settings: QueueSettings
  /** Undefined for a dead-letter queue. */
  readonly deadLetters: Queue | undefined

  readonly #options: QueueOptions
  readonly #messages = new Map<number, Kept>()
  readonly #ready = new SortedList()
  readonly #locks = new Map<string, Lock>()
  readonly #locked = new Map<number, Lock>()
  readonly #listeners = new Set<() => void>()
  #lastSequence: number
  #alarm: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(options: QueueOptions, kind: 'queue' | 'deadLetterQueue' = 'queue') {
    this.#options = options
    this.name = options.name
    this.settings = options.settings
    this.deadLetters =
      kind === 'queue'
        ? new Queue({ ...options, name: `${options.name}/$deadletterqueue` }, 'deadLetterQueue')
        : undefined
    this.#lastSequence = options.tables.sequences.get([this.name]) ?? 0
    for (const { key, value } of options.tables.kept.entries({ prefix: [this.name] }))
      this.#restore(Number(key[1]), value)
    this.#setAlarm()
  }

  /** Called whenever there may be something to hand out; the answer stops the calls. */
  onReady(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  counts(): QueueCounts {
    const states = { active: 0, deferred: 0, scheduled: 0 }
    for (const { state } of this.#messages.values()) states[state] += 1
    return { name: this.name, ...states, deadLettered: this.deadLetters?.counts().active ?? 0 }
  }

  /**
   * All or none; resolves with the sequence numbers, which are consecutive.
   * @throws BrokerError `amqp:link:message-size-exceeded`, `amqp:not-allowed`
   */
  async enqueue(arrivals: readonly Arrival[]): Promise<number[]> {
    if (!this.deadLetters) throw notAllowed('It is not possible to send messages to a dead-letter queue.')
    const size = arrivals.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (size > this.settings.maxMessageSize) throw messageTooLarge(size, this.settings.maxMessageSize)
    const now = this.#options.clock.now()
    const added = arrivals.map(({ bytes, scheduledAt }): [number, Kept, Buffer] => [
      this.#nextSequence(),
      scheduledAt !== undefined && scheduledAt > now
        ? { enqueuedAt: scheduledAt, state: 'scheduled', failures: 0, dueAt: scheduledAt }
        : { enqueuedAt: now, state: 'active', failures: 0 },
      bytes,
    ])
    await this.#options.store.commit((changes) => {
      for (const [sequence, kept, bytes] of added) this.#write(changes, sequence, kept, bytes)
    })
    this.#options.reach('broker:message-stored')
    for (const [sequence, kept] of added) this.#hold(sequence, kept)
    this.#announce()
    return added.map(([sequence]) => sequence)
  }

  get hasReady(): boolean {
    return this.#ready.size > 0
  }

  /** The next message, locked; undefined when there is none. */
  handOut(): Handout | undefined {
    const sequence = this.#ready.takeFirst()
    if (sequence === undefined) return undefined
    // Not waited for: it only matters when the process dies before the delivery is settled.
    void this.#options.store.commit((changes) =>
      changes.put(this.#options.tables.kept, [this.name, sequence], { ...this.#at(sequence), open: true }),
    )
    return this.#lock(sequence)
  }

  /** Takes the next message out for good before anybody sees it: whoever receives so accepts that it may get lost. */
  async handOver(): Promise<Omit<Handout, 'token'> | undefined> {
    const sequence = this.#ready.takeFirst()
    if (sequence === undefined) return undefined
    const handover = { envelope: this.#envelopeOf(sequence), bytes: this.#bytesOf(sequence) }
    await this.#remove(sequence)
    return handover
  }

  /** @throws BrokerError `com.microsoft:message-not-found` unless all of them are deferred and not locked */
  handOutDeferred(sequences: readonly number[]): Handout[] {
    for (const sequence of sequences)
      if (this.#messages.get(sequence)?.state !== 'deferred' || this.#locked.has(sequence))
        throw messageNotFound(sequence)
    return sequences.map((sequence) => this.#lock(sequence))
  }

  /** Up to `count` messages from a sequence number on, whatever state they are in. */
  peek(from: number, count: number): Omit<Handout, 'token'>[] {
    return [...this.#messages.keys()]
      .filter((sequence) => sequence >= from)
      .toSorted((a, b) => a - b)
      .slice(0, count)
      .map((sequence) => ({ envelope: this.#envelopeOf(sequence), bytes: this.#bytesOf(sequence) }))
  }

  /** Milliseconds since 1970 until which the lock now holds. @throws BrokerError `com.microsoft:message-lock-lost` */
  renew(token: Buffer): number {
    const lock = this.#lockOf(token)
    lock.until = this.#options.clock.now() + this.settings.lockDuration
    return lock.until
  }

  /** @throws BrokerError `com.microsoft:message-lock-lost`, `amqp:not-allowed` */
  async settle(token: Buffer, settlement: Settlement): Promise<void> {
    if (settlement.kind === 'deadLetter' && !this.deadLetters)
      throw notAllowed('A message in a dead-letter queue can not be dead-lettered.')
    const { sequence } = this.#unlock(this.#lockOf(token))
    switch (settlement.kind) {
      case 'complete':
        await this.#remove(sequence)
        break
      case 'abandon':
        await this.#fail(sequence, settlement.properties)
        break
      case 'defer':
        await this.#change(sequence, { ...this.#failed(sequence), state: 'deferred' }, settlement.properties)
        break
      case 'deadLetter':
        await this.#bury(sequence, {
          ...settlement.properties,
          DeadLetterReason: settlement.reason,
          DeadLetterErrorDescription: settlement.description,
        })
        break
    }
    this.#options.reach('broker:delivery-settled')
  }

  /** @throws BrokerError `com.microsoft:message-not-found`, before anything is cancelled */
  async cancelScheduled(sequences: readonly number[]): Promise<void> {
    for (const sequence of sequences)
      if (this.#messages.get(sequence)?.state !== 'scheduled') throw messageNotFound(sequence)
    await Promise.all(sequences.map((sequence) => this.#remove(sequence)))
  }

  close(): void {
    this.#alarm?.cancel()
    this.deadLetters?.close()
  }

  #restore(sequence: number, { open, ...kept }: Kept): void {
    const failures = kept.failures + (open && this.deadLetters ? 1 : 0)
    this.#hold(sequence, { ...kept, failures })
    if (kept.state === 'active' && this.#isExhausted(failures)) {
      this.#ready.remove(sequence)
      void this.#buryExhausted(sequence)
    }
  }

  /** Takes what is on disk into memory. */
  #hold(sequence: number, kept: Kept): void {
    this.#messages.set(sequence, kept)
    if (kept.state === 'active') this.#ready.add(sequence)
    if (kept.dueAt !== undefined && kept.state === 'scheduled') this.#setAlarm(kept.dueAt)
  }

  #announce(): void {
    if (this.#ready.size === 0) return
    for (const listener of this.#listeners) listener()
  }

  #lock(sequence: number): Handout {
    const lock: Lock = {
      token: newUuidBytes(),
      sequence,
      until: this.#options.clock.now() + this.settings.lockDuration,
    }
    this.#locks.set(lock.token.toString('hex'), lock)
    this.#locked.set(sequence, lock)
    this.#setAlarm(lock.until)
    const envelope = { ...this.#envelopeOf(sequence), lockedUntil: lock.until, lockToken: lock.token }
    return { token: lock.token, envelope, bytes: this.#bytesOf(sequence) }
  }

  #lockOf(token: Buffer): Lock {
    const lock = this.#locks.get(token.toString('hex'))
    if (!lock || lock.until <= this.#options.clock.now()) throw lockLost()
    return lock
  }

  #unlock(lock: Lock): Lock {
    this.#locks.delete(lock.token.toString('hex'))
    this.#locked.delete(lock.sequence)
    return lock
  }

  /** One more delivery has failed: back to its place, or to the dead-letter queue. */
  async #fail(sequence: number, properties: Properties = {}): Promise<void> {
    const kept = this.#failed(sequence)
    if (kept.state === 'active' && this.#isExhausted(kept.failures)) {
      this.#messages.set(sequence, kept)
      return this.#buryExhausted(sequence)
    }
    await this.#change(sequence, kept, properties)
    if (kept.state === 'active') this.#ready.add(sequence)
    this.#announce()
  }

  /** Inside a dead-letter queue nothing is counted. */
  #failed(sequence: number): Kept {
    const kept = this.#at(sequence)
    return this.deadLetters ? { ...kept, failures: kept.failures + 1 } : kept
  }

  #isExhausted(failures: number): boolean {
    return this.deadLetters !== undefined && failures >= this.settings.maxDeliveryCount
  }

  #buryExhausted(sequence: number): Promise<void> {
    return this.#bury(sequence, {
      DeadLetterReason: 'MaxDeliveryCountExceeded',
      DeadLetterErrorDescription: `Message could not be consumed after ${this.settings.maxDeliveryCount} delivery attempts.`,
    })
  }

  /** Moves a message to the dead-letter queue, in one commit. */
  async #bury(sequence: number, properties: Properties): Promise<void> {
    const { deadLetters } = this
    if (!deadLetters) return
    const { dueAt: _, ...kept } = this.#at(sequence)
    const bytes = withApplicationProperties(this.#bytesOf(sequence), properties)
    const buried = deadLetters.#nextSequence()
    const moved: Kept = { ...kept, state: 'active', source: this.name }
    await this.#options.store.commit((changes) => {
      this.#erase(changes, sequence)
      deadLetters.#write(changes, buried, moved, bytes)
    })
    this.#messages.delete(sequence)
    deadLetters.#hold(buried, moved)
    deadLetters.#announce()
  }

  async #change(sequence: number, kept: Kept, properties: Properties): Promise<void> {
    const bytes =
      Object.keys(properties).length > 0 ? withApplicationProperties(this.#bytesOf(sequence), properties) : undefined
    await this.#options.store.commit((changes) => {
      changes.put(this.#options.tables.kept, [this.name, sequence], kept)
      if (bytes) changes.put(this.#options.tables.bytes, [this.name, sequence], bytes)
    })
    this.#messages.set(sequence, kept)
  }

  async #remove(sequence: number): Promise<void> {
    await this.#options.store.commit((changes) => this.#erase(changes, sequence))
    this.#messages.delete(sequence)
  }

  #write(changes: Changes, sequence: number, kept: Kept, bytes: Buffer): void {
    const { tables } = this.#options
    changes.put(tables.bytes, [this.name, sequence], bytes)
    changes.put(tables.kept, [this.name, sequence], kept)
    changes.put(tables.sequences, [this.name], sequence)
  }

  #erase(changes: Changes, sequence: number): void {
    changes.remove(this.#options.tables.bytes, [this.name, sequence])
    changes.remove(this.#options.tables.kept, [this.name, sequence])
  }

  #nextSequence(): number {
    this.#lastSequence += 1
    return this.#lastSequence
  }

  #at(sequence: number): Kept {
    const kept = this.#messages.get(sequence)
    if (!kept) throw messageNotFound(sequence)
    return kept
  }

  #bytesOf(sequence: number): Buffer {
    const bytes = this.#options.tables.bytes.get([this.name, sequence])
    if (!bytes) throw messageNotFound(sequence)
    return bytes
  }

  #envelopeOf(sequence: number): Envelope {
    const { enqueuedAt, state, failures, dueAt, source } = this.#at(sequence)
    return {
      sequence,
      enqueuedAt,
      // The service goes on calling a message scheduled that once was.
      state: state === 'active' && dueAt !== undefined ? 'scheduled' : state,
      failures,
      ...(source === undefined ? {} : { source }),
    }
  }

  /** One timer per queue: for the lock that ends first and the scheduled message that is due first. */
  #setAlarm(at = this.#nextDue()): void {
    if (at === undefined || (this.#alarm && this.#alarm.at <= at)) return
    this.#alarm?.cancel()
    const { clock } = this.#options
    this.#alarm = { at, cancel: clock.after(Math.max(0, at - clock.now()), () => this.#onAlarm()) }
  }

  #onAlarm(): void {
    this.#alarm = undefined
    const now = this.#options.clock.now()
    for (const lock of this.#locks.values()) if (lock.until <= now) void this.#fail(this.#unlock(lock).sequence)
    for (const [sequence, kept] of this.#messages)
      if (kept.state === 'scheduled' && (kept.dueAt ?? 0) <= now)
        void this.#activate(sequence, { ...kept, state: 'active' })
    this.#setAlarm()
  }

  async #activate(sequence: number, kept: Kept): Promise<void> {
    this.#messages.set(sequence, kept)
    await this.#change(sequence, kept, {})
    this.#ready.add(sequence)
    this.#announce()
  }

  #nextDue(): number | undefined {
    let next = Infinity
    for (const { until } of this.#locks.values()) next = Math.min(next, until)
    for (const { state, dueAt } of this.#messages.values()) if (state === 'scheduled') next = Math.min(next, dueAt ?? 0)
    return next === Infinity ? undefined : next
  }
}

function newUuidBytes(): Buffer {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes
}
