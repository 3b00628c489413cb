// The locks of one queue, by token and by message. They last equally long, so the one that was taken or renewed first ends first.

import { randomBytes } from 'node:crypto'
import { BriefMap } from '../brief-map.js'
import { lockLost, sessionLockLost } from './errors.js'
import type { Hold } from './sessions.js'

export interface Lock {
  /** 16 bytes, a uuid in its usual order. */
  readonly token: Buffer
  readonly sequence: number
  /** Milliseconds since 1970; with a hold, that of the session counts. */
  until: number
  /** The session that the message was received in. */
  readonly hold: Hold | undefined
}

export class Locks {
  readonly #byToken = new BriefMap<string, Lock>()
  readonly #bySequence = new BriefMap<number, Lock>()
  readonly #ended = new Map<string, Hold>()

  take(sequence: number, until: number, hold: Hold | undefined): Lock {
    const lock: Lock = { token: newUuidBytes(), sequence, until, hold }
    this.#byToken.set(keyOf(lock.token), lock)
    this.#bySequence.set(sequence, lock)
    return lock
  }

  /** @throws BrokerError `com.microsoft:message-lock-lost`, `com.microsoft:session-lock-lost` */
  of(token: Buffer, now: number): Lock {
    const key = keyOf(token)
    const lock = this.#byToken.get(key)
    const ended = this.#ended.get(key)
    if (ended) throw sessionLockLost(ended.session)
    if (!lock || (lock.hold ? lock.hold.until : lock.until) <= now) throw lockLost()
    return lock
  }

  has(sequence: number): boolean {
    return this.#bySequence.has(sequence)
  }

  renew(lock: Lock, until: number): void {
    lock.until = until
    this.#byToken.delete(keyOf(lock.token))
    this.#byToken.set(keyOf(lock.token), lock)
  }

  release(lock: Lock): void {
    this.#byToken.delete(keyOf(lock.token))
    this.#bySequence.delete(lock.sequence)
  }

  /** All that were taken in a session; whoever comes with one of their tokens is told that the session is lost. */
  releaseOf(hold: Hold): Lock[] {
    const locks = [...this.#byToken.values()].filter((lock) => lock.hold === hold)
    for (const lock of locks) {
      this.release(lock)
      this.#remember(lock.token, hold)
    }
    return locks
  }

  /** Those whose time is over. */
  takeExpired(now: number): Lock[] {
    const expired: Lock[] = []
    for (const lock of this.#byToken.values()) {
      if (lock.hold) continue
      if (lock.until > now) break
      expired.push(lock)
    }
    for (const lock of expired) this.release(lock)
    return expired
  }

  /** When the first one ends, milliseconds since 1970. */
  get nextEnd(): number | undefined {
    for (const { hold, until } of this.#byToken.values()) if (!hold) return until
    return undefined
  }

  #remember(token: Buffer, hold: Hold): void {
    this.#ended.set(keyOf(token), hold)
    if (this.#ended.size <= 10_000) return
    const [oldest] = this.#ended.keys()
    if (oldest !== undefined) this.#ended.delete(oldest)
  }
}

const keyOf = (token: Buffer) => token.toString('latin1')

/** Random bytes are fetched for many tokens at once: the call costs more than the bytes. */
let pool = Buffer.alloc(0)

function newUuidBytes(): Buffer {
  if (pool.length === 0) pool = randomBytes(16 * 256)
  const bytes = Buffer.from(pool.subarray(0, 16))
  pool = pool.subarray(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes
}
