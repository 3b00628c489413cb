// One queue, subscription or sub-queue: which messages it holds, which are locked, and what becomes of them. A topic is a queue from which everything goes on.
//
// Promises
//   Q1  What a promise of this class acknowledges is on disk before it resolves.
//   Q2  A message is handed out in the order of sequence numbers, and to one receiver at a time while its lock lasts.
//   Q3  Locks belong to the queue: they outlast the link that took them, and end at a restart.
//   Q4  A sequence number is never used twice, not even after a restart.
//   Q5  A delivery that was open when the process died counts as a failed one, so that a message that kills its receiver ends in the dead-letter queue.
//   Q6  In memory there is a number for each waiting message, and no more: a queue may be deeper than memory.
// Never: knows links, credit or connections.

import type { Clock } from '../clock.js'
import type { Reach } from '../crash-points.js'
import type { Store } from '../store/store.js'
import type { Envelope } from './delivery.js'
import { DueList } from './due-list.js'
import { Duplicates, type Remembered } from './duplicates.js'
import {
  entityNotFound,
  idTooLong,
  lockLost,
  messageNotFound,
  messageTooLarge,
  notAllowed,
  sessionLockLost,
} from './errors.js'
import { type Arrived, envelopeOf, KeptMessages, type Numbered } from './kept-messages.js'
import { Locks } from './locks.js'
import { type Arrival, readMessage, withApplicationProperties } from './message.js'
import { carryOut, type Plan } from './plan.js'
import { type Hold, Sessions } from './sessions.js'
import type { Properties, QueueSettings } from './settings.js'
import { SortedList } from './sorted-list.js'
import type { BrokerTables, Kept } from './tables.js'

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

export interface QueueCounts {
  readonly name: string
  readonly active: number
  readonly deferred: number
  readonly scheduled: number
  readonly deadLettered: number
  readonly transferDeadLettered: number
}

export interface QueueOptions {
  /** The path, in lower case. */
  readonly name: string
  readonly kind: 'queue' | 'subscription' | 'topic' | 'subQueue'
  readonly settings: QueueSettings
  readonly store: Store
  readonly tables: BrokerTables
  readonly clock: Clock
  readonly reach: Reach
  /** Where everything that arrives goes on to, if it does not stay: the subscriptions of a topic, the target of a forwarding. */
  readonly onward?: (arrivals: readonly Arrival[], hops: number) => Plan[]
  /** Where dead letters go, if not to the sub-queue. */
  readonly forwardDeadLetters?: (arrival: Arrival) => Plan | undefined
}

/** Characters of a message's or a session's id. */
const longestId = 128

/** Times that a message may be forwarded. */
const mostHops = 4

export class Queue {
  readonly name: string
  readonly settings: QueueSettings
  readonly kind: QueueOptions['kind']
  /** Undefined for a topic and for a sub-queue. */
  readonly deadLetters: Queue | undefined
  readonly transferDeadLetters: Queue | undefined
  /** Undefined where no session is required. */
  readonly sessions: Sessions | undefined

  readonly #options: QueueOptions
  readonly #messages: KeptMessages
  readonly #duplicates: Duplicates
  readonly #ready = new SortedList()
  readonly #locks = new Locks()
  readonly #due = new DueList()
  readonly #listeners = new Set<() => void>()
  readonly #mourners = new Set<() => void>()
  /** What is on its way to disk: until it is there nothing else may become of it. */
  readonly #underWay = new Set<number>()
  readonly #counts = { active: 0, deferred: 0, scheduled: 0 }
  #lastSequence: number
  /** What has a higher number is not there yet, although the disk may tell it already. */
  #lastBegun = 0
  #isGone = false
  #alarm: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(options: QueueOptions) {
    const { name, kind, settings, tables, clock } = options
    this.#options = options
    this.name = name
    this.kind = kind
    this.settings = settings
    this.#messages = new KeptMessages(name, tables)
    this.#duplicates = new Duplicates(name, settings.duplicateWindow, tables)
    const hasSubQueues = kind === 'queue' || kind === 'subscription'
    this.deadLetters = hasSubQueues ? subQueueOf(options, '$deadletterqueue') : undefined
    this.transferDeadLetters = hasSubQueues ? subQueueOf(options, '$transfer/$deadletterqueue') : undefined
    this.sessions = settings.requiresSession
      ? new Sessions({
          now: () => clock.now(),
          after: (ms, task) => clock.after(ms, task),
          lockDuration: settings.lockDuration,
          onHold: (until) => this.#setAlarm(until),
        })
      : undefined
    this.#lastSequence = tables.sequences.get([name]) ?? 0
    this.#restore()
  }

  /** Called whenever there may be something to hand out; the answer stops the calls. */
  onReady(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Called when the entity is removed; the answer stops that. */
  onGone(listener: () => void): () => void {
    this.#mourners.add(listener)
    return () => this.#mourners.delete(listener)
  }

  counts(): QueueCounts {
    return {
      name: this.name,
      ...this.#counts,
      deadLettered: this.deadLetters?.counts().active ?? 0,
      transferDeadLettered: this.transferDeadLetters?.counts().active ?? 0,
    }
  }

  /**
   * All or none; resolves with the sequence numbers, which are consecutive.
   * @throws BrokerError `amqp:link:message-size-exceeded`, `amqp:not-allowed`
   */
  async enqueue(arrivals: readonly Arrival[]): Promise<readonly number[]> {
    if (this.#isGone) throw entityNotFound(this.name)
    for (const { messageId = '', sessionId = '' } of arrivals)
      if (messageId.length > longestId || sessionId.length > longestId) throw idTooLong(longestId)
    const size = arrivals.reduce((sum, { bytes }) => sum + bytes.length, 0)
    if (size > this.settings.maxMessageSize) throw messageTooLarge(size, this.settings.maxMessageSize)
    const plan = this.admit(arrivals)
    await carryOut(this.#options.store, [plan])
    this.#options.reach('broker:message-stored')
    return plan.sequences
  }

  /** Whether it could be enqueued. */
  takes({ sessionId }: Arrival): boolean {
    return this.kind !== 'queue' || !this.settings.requiresSession || sessionId !== undefined
  }

  /** What enqueueing would do, for one commit together with others. @throws BrokerError `amqp:not-allowed` */
  admit(arrivals: readonly Arrival[], hops = 0): Plan {
    if (!arrivals.every((arrival) => this.takes(arrival)))
      throw notAllowed(
        'The SessionId was not set on a message, and it cannot be sent to the entity. Entities that have session support enabled can only receive messages that have the SessionId set to a valid value.',
      )
    const now = this.#options.clock.now()
    const stay: Arrived[] = []
    const onward: Arrival[] = []
    const buried: Arrival[] = []
    const newIds: Remembered[] = []
    const sequences = arrivals.map((arrival) => {
      const known = this.#duplicates.numberOf(arrival.messageId, now)
      if (known !== undefined) return known
      const sequence = this.#nextSequence()
      newIds.push(...this.#duplicates.begin(arrival.messageId, sequence))
      const isScheduled = arrival.scheduledAt !== undefined && arrival.scheduledAt > now
      if (this.settings.requiresSession && arrival.sessionId === undefined) buried.push(arrival)
      else if (this.#options.onward && !isScheduled)
        onward.push({ ...arrival, enqueuedSequence: arrival.enqueuedSequence ?? sequence })
      else stay.push({ sequence, kept: this.#keptOf(arrival, now), bytes: arrival.bytes })
      return sequence
    })
    const others = [
      ...this.#goOn(onward, hops),
      ...this.#bury(buried, 'Session ID is null.', 'The message has no session id.'),
    ]
    return {
      sequences,
      write: (changes) => {
        for (const { sequence, kept, bytes } of stay) this.#messages.write(changes, sequence, kept, bytes)
        if (sequences.length > 0) changes.put(this.#options.tables.sequences, [this.name], this.#lastSequence)
        this.#duplicates.write(changes, newIds, now)
        for (const other of others) other.write(changes)
      },
      done: () => {
        this.#duplicates.done(newIds)
        for (const { sequence, kept } of stay) this.#begin(sequence, kept)
        this.#lastBegun = stay.at(-1)?.sequence ?? this.#lastBegun
        this.#messages.whileFresh(stay, () => this.#announce())
        for (const other of others) other.done()
      },
      failed: () => {
        this.#duplicates.done(newIds)
        for (const other of others) other.failed()
      },
    }
  }

  /** The next message, locked; undefined when there is none. In a session, the session's next. */
  handOut(hold?: Hold): Handout | undefined {
    const next = this.#takeNext(hold)
    if (!next) return undefined
    const { sequence, kept } = next
    // Not waited for: it only matters when the process dies before the delivery is settled. In a session nothing is counted then.
    if (!hold)
      void this.#options.store.commitSoon((changes) => this.#messages.write(changes, sequence, { open: true, ...kept }))
    return this.#lock(sequence, kept, hold)
  }

  /** Takes the next messages out for good before anybody sees them: whoever receives so accepts that they may get lost. */
  async handOver(most: number, hold?: Hold): Promise<Omit<Handout, 'token'>[]> {
    const taken: Numbered[] = []
    while (taken.length < most) {
      const next = this.#takeNext(hold)
      if (!next) break
      taken.push(next)
    }
    return this.#takeOut(taken)
  }

  /** @throws BrokerError `com.microsoft:message-not-found` unless all of them are deferred and not locked */
  handOutDeferred(sequences: readonly number[], hold?: Hold): Handout[] {
    const deferred = [...new Set(sequences)].map((sequence) => this.#deferred(sequence, hold?.session))
    return deferred.map(({ sequence, kept }) => this.#lock(sequence, kept, hold))
  }

  /** The same, for who receives and deletes in one. */
  async handOverDeferred(sequences: readonly number[], session?: string): Promise<Omit<Handout, 'token'>[]> {
    return this.#takeOut([...new Set(sequences)].map((sequence) => this.#deferred(sequence, session)))
  }

  /** Up to `count` messages from a sequence number on, whatever state they are in. */
  peek(from: number, count: number, session?: string): Omit<Handout, 'token'>[] {
    const found: Omit<Handout, 'token'>[] = []
    for (const { sequence, kept } of this.#messages.from(from)) {
      if (session === undefined || kept.session === session)
        found.push({ envelope: envelopeOf(sequence, kept), bytes: this.#messages.bytesOf(sequence) })
      if (found.length >= count) break
    }
    return found
  }

  /** Milliseconds since 1970 until which the lock now holds. @throws BrokerError `com.microsoft:message-lock-lost` */
  renew(token: Buffer): number {
    const { clock } = this.#options
    const lock = this.#locks.of(token, clock.now())
    if (lock.hold) return lock.hold.until
    this.#locks.renew(lock, clock.now() + this.settings.lockDuration)
    return lock.until
  }

  /** @throws BrokerError `com.microsoft:message-lock-lost`, `com.microsoft:session-lock-lost`, `amqp:not-allowed` */
  async settle(token: Buffer, settlement: Settlement): Promise<void> {
    if (settlement.kind === 'deadLetter' && !this.deadLetters)
      throw notAllowed('A message in a dead-letter queue can not be dead-lettered.')
    const lock = this.#locks.of(token, this.#options.clock.now())
    if (this.#isGone) throw lockLost()
    this.#locks.release(lock)
    const work = this.#settleTaken(lock.sequence, settlement)
    lock.hold?.settling.add(work)
    try {
      await work
    } catch (error) {
      // The disk did not take it: the lock is gone, so it comes back as it was.
      this.#messages.forget(lock.sequence)
      const kept = this.#messages.find(lock.sequence)
      if (kept && !this.#isTaken(lock.sequence)) this.#comeBack(lock.sequence, kept)
      throw error
    } finally {
      lock.hold?.settling.delete(work)
    }
    this.#options.reach('broker:delivery-settled')
  }

  async #settleTaken(sequence: number, settlement: Settlement): Promise<void> {
    switch (settlement.kind) {
      case 'complete':
        await this.#removeSoon(sequence)
        break
      case 'abandon':
        await this.#fail(sequence, settlement.properties)
        break
      case 'defer':
        await this.#change(sequence, { ...this.#failed(sequence), state: 'deferred' }, settlement.properties)
        break
      case 'deadLetter':
        await this.#moveToDeadLetters(sequence, {
          ...settlement.properties,
          DeadLetterReason: settlement.reason,
          DeadLetterErrorDescription: settlement.description,
        })
        break
    }
  }

  /** @throws BrokerError `com.microsoft:message-not-found`, before anything is cancelled */
  async cancelScheduled(sequences: readonly number[]): Promise<void> {
    for (const sequence of sequences)
      if (this.#underWay.has(sequence) || this.#messages.find(sequence)?.state !== 'scheduled')
        throw messageNotFound(sequence)
    await Promise.all([...new Set(sequences)].map((sequence) => this.#remove(sequence)))
  }

  /** What was received in the session and not settled comes back, uncounted if the receiver closed it. */
  async releaseSession(hold: Hold, isExpired: boolean): Promise<void> {
    if (!this.sessions?.end(hold) || this.#isGone) return
    const locks = this.#locks.releaseOf(hold)
    // What is being abandoned comes back before the session is another's.
    const settling = Promise.allSettled(hold.settling)
    await Promise.all(locks.map(({ sequence }) => (isExpired ? this.#fail(sequence) : this.#putBack(sequence))))
    await settling
    this.sessions.release(hold)
  }

  /** @throws BrokerError `com.microsoft:session-lock-lost` when nobody holds it */
  holdOf(session: string): Hold {
    const hold = this.sessions?.holdOf(session)
    if (!hold) throw sessionLockLost(session)
    return hold
  }

  /** Milliseconds since 1970 until which the session and its messages are now locked. @throws BrokerError `com.microsoft:session-lock-lost` */
  renewSession(session: string): number {
    const hold = this.holdOf(session)
    return this.sessions?.renew(hold) ?? hold.until
  }

  sessionState(session: string): Buffer | undefined {
    return this.#options.tables.sessionStates.get([this.name, session])
  }

  async setSessionState(session: string, state: Buffer | undefined): Promise<void> {
    const { store, tables } = this.#options
    await store.commit((changes) =>
      state
        ? changes.put(tables.sessionStates, [this.name, session], state)
        : changes.remove(tables.sessionStates, [this.name, session]),
    )
  }

  /** Sessions that have messages or a state. */
  sessionIds(): string[] {
    const ids = new Set<string>()
    for (const { key } of this.#options.tables.sessionStates.entries({ prefix: [this.name] })) ids.add(String(key[1]))
    for (const { kept } of this.#messages.from(0)) if (kept.session !== undefined) ids.add(kept.session)
    return [...ids].toSorted()
  }

  /** Removes all that is not locked. Resolves with how many. */
  async purge(): Promise<number> {
    const sequences: number[] = []
    for (const { sequence } of this.#messages.from(0)) {
      if (sequence > this.#lastBegun) break
      sequences.push(sequence)
    }
    let purged = 0
    for (let at = 0; at < sequences.length; at += 10_000) {
      // Looked at only now: meanwhile some were handed out, or have gone.
      const some = sequences.slice(at, at + 10_000).filter((sequence) => !this.#isTaken(sequence))
      const removed = some.flatMap((sequence) => {
        const kept = this.#messages.find(sequence)
        if (!kept) return []
        this.#dropReady(sequence, kept)
        return [this.#remove(sequence)]
      })
      await Promise.all(removed)
      purged += removed.length
    }
    return purged
  }

  /** All that is on disk of it, locked or not. Who still holds it is told, and gets nothing more. */
  async remove(): Promise<void> {
    const { store, tables } = this.#options
    this.#isGone = true
    this.close()
    for (const listener of this.#mourners) listener()
    await this.deadLetters?.remove()
    await this.transferDeadLetters?.remove()
    // What was begun before has ended then.
    await store.commit(() => undefined)
    for (const table of [tables.kept, tables.bytes, tables.sessionStates, tables.ids, tables.idTimes])
      for (;;) {
        const keys = [...table.entries({ prefix: [this.name], limit: 10_000 })].map(({ key }) => key)
        if (keys.length === 0) break
        await store.commit((changes) => {
          for (const key of keys) changes.remove(table, key)
        })
      }
  }

  close(): void {
    this.#alarm?.cancel()
    this.sessions?.close()
    this.deadLetters?.close()
    this.transferDeadLetters?.close()
  }

  /** Takes what is on disk into memory: numbers, and what is due when. */
  #restore(): void {
    this.#lastBegun = this.#lastSequence
    const counted: Numbered[] = []
    for (const { sequence, kept } of this.#messages.from(0)) {
      const { open, ...closed } = kept
      if (open && this.kind !== 'subQueue')
        counted.push({ sequence, kept: { ...closed, failures: closed.failures + 1 } })
      this.#begin(sequence, kept)
    }
    if (counted.length > 0) {
      for (const { sequence, kept } of counted) this.#messages.hold(sequence, kept)
      void this.#options.store.commit((changes) => {
        for (const { sequence, kept } of counted) this.#messages.write(changes, sequence, kept)
      })
      for (const { sequence, kept } of counted)
        if (kept.state === 'active' && this.#isExhausted(kept.failures)) {
          this.#dropReady(sequence, kept)
          // In the next turn: the queue that dead letters are forwarded to may not be open yet.
          void Promise.resolve().then(() => this.#buryExhausted(sequence))
        }
    }
    this.#setAlarm()
  }

  #keptOf({ scheduledAt, sessionId, timeToLive, source, failures = 0, enqueuedSequence }: Arrival, now: number): Kept {
    const isScheduled = scheduledAt !== undefined && scheduledAt > now
    const enqueuedAt = isScheduled ? scheduledAt : now
    const life =
      this.kind === 'subQueue' ? Infinity : Math.min(timeToLive ?? Infinity, this.settings.timeToLive ?? Infinity)
    return {
      enqueuedAt,
      state: isScheduled ? 'scheduled' : 'active',
      failures,
      ...(isScheduled ? { dueAt: scheduledAt } : {}),
      ...(life === Infinity ? {} : { expiresAt: enqueuedAt + life }),
      ...(this.settings.requiresSession && sessionId !== undefined ? { session: sessionId } : {}),
      ...(source === undefined ? {} : { source }),
      ...(enqueuedSequence === undefined ? {} : { enqueuedSequence }),
    }
  }

  #goOn(arrivals: readonly Arrival[], hops: number): Plan[] {
    if (arrivals.length === 0 || !this.#options.onward) return []
    if (hops <= mostHops) return this.#options.onward(arrivals, hops + 1)
    return this.#bury(
      arrivals,
      'MaxTransferHopCountExceeded',
      `The message was forwarded more than ${mostHops} times.`,
      this.transferDeadLetters,
    )
  }

  #bury(arrivals: readonly Arrival[], reason: string, description: string, place = this.deadLetters): Plan[] {
    if (arrivals.length === 0 || !place) return []
    const properties = { DeadLetterReason: reason, DeadLetterErrorDescription: description }
    const buried = arrivals.map((arrival) => ({
      ...arrival,
      bytes: withApplicationProperties(arrival.bytes, properties),
      source: this.name,
    }))
    return [place.admit(buried)]
  }

  /** It is on disk, and takes part from now on. */
  #begin(sequence: number, kept: Kept): void {
    this.#counts[kept.state] += 1
    if (kept.state === 'active') this.#makeReady(sequence, kept)
    if (kept.state === 'scheduled' && kept.dueAt !== undefined) this.#dueAt(kept.dueAt, sequence)
    if (kept.expiresAt !== undefined) this.#dueAt(kept.expiresAt, sequence)
  }

  #makeReady(sequence: number, { session }: Kept): void {
    if (session !== undefined && this.sessions) this.sessions.add(session, sequence)
    else this.#ready.add(sequence)
  }

  #dropReady(sequence: number, { session }: Kept): void {
    if (session !== undefined && this.sessions) this.sessions.remove(session, sequence)
    else this.#ready.remove(sequence)
  }

  #announce(): void {
    if (this.#ready.size === 0 && !this.sessions) return
    for (const listener of this.#listeners) listener()
  }

  /** The next that has not expired. */
  #takeNext(hold: Hold | undefined): Numbered | undefined {
    if (this.#isGone) return undefined
    const now = this.#options.clock.now()
    for (;;) {
      const sequence = hold ? this.sessions?.takeFirst(hold) : this.#ready.takeFirst()
      if (sequence === undefined) return undefined
      const kept = this.#messages.at(sequence)
      if (kept.expiresAt === undefined || kept.expiresAt > now) return { sequence, kept }
      void this.#expire(sequence)
    }
  }

  async #takeOut(taken: readonly Numbered[]): Promise<Omit<Handout, 'token'>[]> {
    const handovers = taken.map(({ sequence, kept }) => ({
      envelope: envelopeOf(sequence, kept),
      bytes: this.#messages.bytesOf(sequence),
    }))
    // Commits that are begun together share a sync.
    await Promise.all(taken.map(({ sequence }) => this.#remove(sequence)))
    return handovers
  }

  #lock(sequence: number, kept: Kept, hold: Hold | undefined): Handout {
    const until = hold?.until ?? this.#options.clock.now() + this.settings.lockDuration
    const lock = this.#locks.take(sequence, until, hold)
    this.#messages.hold(sequence, kept)
    this.#setAlarm(until)
    // What is new stands first: after a spread V8 makes a hidden class for each object (docs/performance.md).
    const envelope = { lockedUntil: until, lockToken: lock.token, ...envelopeOf(sequence, kept) }
    return { token: lock.token, envelope, bytes: this.#messages.bytesOf(sequence) }
  }

  #deferred(sequence: number, session: string | undefined): Numbered {
    const kept = this.#messages.find(sequence)
    if (kept?.state !== 'deferred' || kept.session !== session || this.#isTaken(sequence))
      throw messageNotFound(sequence)
    return { sequence, kept }
  }

  /** One more delivery has failed: back to its place, or to the dead-letter queue. */
  async #fail(sequence: number, properties: Properties = {}): Promise<void> {
    const kept = this.#failed(sequence)
    if (kept.state === 'active' && this.#isExhausted(kept.failures)) {
      this.#messages.hold(sequence, kept)
      return this.#buryExhausted(sequence)
    }
    await this.#change(sequence, kept, properties)
  }

  async #putBack(sequence: number): Promise<void> {
    await this.#change(sequence, this.#messages.at(sequence), {})
  }

  #comeBack(sequence: number, kept: Kept): void {
    if (kept.state !== 'active') return
    if ((kept.expiresAt ?? Infinity) <= this.#options.clock.now()) return void this.#expire(sequence)
    this.#makeReady(sequence, kept)
    this.#announce()
  }

  /** Inside a dead-letter queue nothing is counted. */
  #failed(sequence: number): Kept {
    const kept = this.#messages.at(sequence)
    return this.kind === 'subQueue' ? kept : { ...kept, failures: kept.failures + 1 }
  }

  #isExhausted(failures: number): boolean {
    return this.deadLetters !== undefined && failures >= this.settings.maxDeliveryCount
  }

  #buryExhausted(sequence: number): Promise<void> {
    return this.#moveToDeadLetters(sequence, {
      DeadLetterReason: 'MaxDeliveryCountExceeded',
      DeadLetterErrorDescription: `Message could not be consumed after ${this.settings.maxDeliveryCount} delivery attempts.`,
    })
  }

  /** To the sub-queue or where dead letters are forwarded, in one commit. */
  async #moveToDeadLetters(sequence: number, properties: Properties): Promise<void> {
    const { failures, enqueuedSequence } = this.#messages.at(sequence)
    const { scheduledAt: _, timeToLive: __, ...arrival } = readMessage(this.#messages.bytesOf(sequence), () => '')
    const moved: Arrival = {
      ...arrival,
      bytes: withApplicationProperties(arrival.bytes, properties),
      failures,
      source: this.name,
      ...(enqueuedSequence === undefined ? {} : { enqueuedSequence }),
    }
    const plan = this.#options.forwardDeadLetters?.(moved) ?? this.deadLetters?.admit([moved])
    if (plan) await this.#removeWith(sequence, [plan])
  }

  async #expire(sequence: number): Promise<void> {
    if (!this.settings.deadLetterExpired) return this.#remove(sequence)
    await this.#moveToDeadLetters(sequence, {
      DeadLetterReason: 'TTLExpiredException',
      DeadLetterErrorDescription: 'The message expired and was dead lettered.',
    })
  }

  /** And it comes back, if it is active then. */
  async #change(sequence: number, changed: Kept, properties: Properties): Promise<void> {
    const { open: _, ...kept } = changed
    const before = this.#messages.find(sequence)
    const bytes =
      Object.keys(properties).length > 0
        ? withApplicationProperties(this.#messages.bytesOf(sequence), properties)
        : undefined
    this.#messages.hold(sequence, kept)
    await this.#onItsWay(
      sequence,
      this.#options.store.commit((changes) => this.#messages.write(changes, sequence, kept, bytes)),
    )
    if (before) this.#counts[before.state] -= 1
    this.#counts[kept.state] += 1
    if (!this.#locks.has(sequence)) this.#messages.release(sequence, kept)
    this.#comeBack(sequence, kept)
  }

  async #onItsWay(sequence: number, work: Promise<void>): Promise<void> {
    this.#underWay.add(sequence)
    try {
      await work
    } finally {
      this.#underWay.delete(sequence)
    }
  }

  #isTaken(sequence: number): boolean {
    return this.#locks.has(sequence) || this.#underWay.has(sequence)
  }

  #remove(sequence: number): Promise<void> {
    return this.#removeWith(sequence, [])
  }

  async #removeWith(sequence: number, plans: readonly Plan[]): Promise<void> {
    const { state } = this.#messages.at(sequence)
    await this.#onItsWay(
      sequence,
      carryOut(this.#options.store, plans, (changes) => this.#messages.erase(changes, sequence)),
    )
    this.#erased(sequence, state)
  }

  /** Those who send are not kept waiting by those who have received. */
  async #removeSoon(sequence: number): Promise<void> {
    const { state } = this.#messages.at(sequence)
    await this.#onItsWay(
      sequence,
      this.#options.store.commitSoon((changes) => this.#messages.erase(changes, sequence)),
    )
    this.#erased(sequence, state)
  }

  #erased(sequence: number, state: Kept['state']): void {
    this.#messages.forget(sequence)
    this.#counts[state] -= 1
  }

  #nextSequence(): number {
    this.#lastSequence += 1
    return this.#lastSequence
  }

  #dueAt(at: number, sequence: number): void {
    this.#due.add({ at, sequence })
    this.#setAlarm(at)
  }

  /** One timer per queue: for what ends or is due first. */
  #setAlarm(at = this.#nextDue()): void {
    if (at === undefined || this.#isGone || (this.#alarm && this.#alarm.at <= at)) return
    this.#alarm?.cancel()
    const { clock } = this.#options
    this.#alarm = { at, cancel: clock.after(Math.max(0, at - clock.now()), () => this.#onAlarm()) }
  }

  #onAlarm(): void {
    this.#alarm = undefined
    const now = this.#options.clock.now()
    for (const { sequence } of this.#locks.takeExpired(now)) void this.#fail(sequence)
    for (const hold of this.sessions?.holds ?? [])
      if (hold.until <= now) {
        void this.releaseSession(hold, true)
        hold.onLost()
      }
    for (const { sequence } of this.#due.take(now)) this.#onDue(sequence, now)
    this.#setAlarm()
  }

  #onDue(sequence: number, now: number): void {
    const kept = this.#messages.find(sequence)
    // A locked message expires when its lock has ended, one that comes back when it is back.
    if (!kept || this.#isTaken(sequence)) return
    if (kept.state === 'scheduled' && (kept.dueAt ?? Infinity) <= now) void this.#activate(sequence, kept)
    else if (kept.state === 'active' && (kept.expiresAt ?? Infinity) <= now) {
      this.#dropReady(sequence, kept)
      void this.#expire(sequence)
    }
  }

  async #activate(sequence: number, kept: Kept): Promise<void> {
    if (this.#options.onward) {
      const { scheduledAt: _, ...arrival } = readMessage(this.#messages.bytesOf(sequence), () => '')
      return this.#removeWith(sequence, this.#goOn([{ ...arrival, enqueuedSequence: sequence }], 0))
    }
    await this.#change(sequence, { ...kept, state: 'active' }, {})
  }

  #nextDue(): number | undefined {
    const times = [this.#locks.nextEnd, this.#due.next, ...[...(this.sessions?.holds ?? [])].map(({ until }) => until)]
    return times.reduce((first, time) => (time !== undefined && time < (first ?? Infinity) ? time : first), undefined)
  }
}

function subQueueOf({ name, settings, store, tables, clock, reach }: QueueOptions, suffix: string): Queue {
  return new Queue({
    name: `${name}/${suffix}`,
    kind: 'subQueue',
    settings: {
      lockDuration: settings.lockDuration,
      maxDeliveryCount: Infinity,
      maxMessageSize: settings.maxMessageSize,
      deadLetterExpired: false,
      requiresSession: false,
    },
    store,
    tables,
    clock,
    reach,
  })
}
