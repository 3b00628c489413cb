// The messages of one queue: all of them on disk, and in memory what the disk does not tell yet or is not worth asking for.

import { BriefMap } from '../brief-map.js'
import type { Changes } from '../store/store.js'
import type { Envelope } from './delivery.js'
import { messageNotFound } from './errors.js'
import type { BrokerTables, Kept } from './tables.js'

/** A message with its number in the queue. */
export interface Numbered {
  readonly sequence: number
  readonly kept: Kept
}

export interface Arrived extends Numbered {
  readonly bytes: Buffer
}

export class KeptMessages {
  readonly #queue: string
  readonly #tables: BrokerTables
  /** What is being changed or is locked. */
  readonly #hot = new BriefMap<number, Kept>()
  /** What has just come to disk, while it is handed out at once. */
  #fresh = new Map<number, Arrived>()

  constructor(queue: string, tables: BrokerTables) {
    this.#queue = queue
    this.#tables = tables
  }

  find(sequence: number): Kept | undefined {
    const inMemory = this.#hot.get(sequence) ?? this.#fresh.get(sequence)?.kept
    return inMemory ?? this.#tables.kept.get([this.#queue, sequence])
  }

  /** @throws BrokerError `com.microsoft:message-not-found` */
  at(sequence: number): Kept {
    const kept = this.find(sequence)
    if (!kept) throw messageNotFound(sequence)
    return kept
  }

  /** @throws BrokerError `com.microsoft:message-not-found` */
  bytesOf(sequence: number): Buffer {
    const bytes = this.#fresh.get(sequence)?.bytes ?? this.#tables.bytes.get([this.#queue, sequence])
    if (!bytes) throw messageNotFound(sequence)
    return bytes
  }

  /** All from a number on, as they are known now. */
  *from(first: number): Generator<Numbered> {
    for (const { key, value } of this.#tables.kept.entries({ prefix: [this.#queue], from: [this.#queue, first] })) {
      const sequence = Number(key[1])
      yield { sequence, kept: this.#hot.get(sequence) ?? value }
    }
  }

  /** It is locked, or about to be written: from now on this is what it is. */
  hold(sequence: number, kept: Kept): void {
    this.#hot.set(sequence, kept)
  }

  /** The disk tells it, unless something else was held since. */
  release(sequence: number, kept: Kept): void {
    if (this.#hot.get(sequence) === kept) this.#hot.delete(sequence)
  }

  /** It is gone. */
  forget(sequence: number): void {
    this.#hot.delete(sequence)
  }

  /** These need not be read back while the work is done. */
  whileFresh(arrived: readonly Arrived[], work: () => void): void {
    for (const one of arrived) this.#fresh.set(one.sequence, one)
    work()
    // Not cleared: the table that a Map gives up holds what stood in it, and is held by the one before.
    this.#fresh = new Map()
  }

  write(changes: Changes, sequence: number, kept: Kept, bytes?: Buffer): void {
    if (bytes) changes.put(this.#tables.bytes, [this.#queue, sequence], bytes)
    changes.put(this.#tables.kept, [this.#queue, sequence], kept)
  }

  erase(changes: Changes, sequence: number): void {
    changes.remove(this.#tables.bytes, [this.#queue, sequence])
    changes.remove(this.#tables.kept, [this.#queue, sequence])
  }
}

export function envelopeOf(
  sequence: number,
  { enqueuedAt, state, failures, dueAt, source, enqueuedSequence }: Kept,
): Envelope {
  return {
    sequence,
    enqueuedAt,
    // The service goes on calling a message scheduled that once was.
    state: state === 'active' && dueAt !== undefined ? 'scheduled' : state,
    failures,
    ...(source === undefined ? {} : { source }),
    ...(enqueuedSequence === undefined ? {} : { enqueuedSequence }),
  }
}
