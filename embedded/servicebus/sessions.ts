// The sessions of one queue: which messages each has waiting, who holds it, and who waits for the next.

import { type BrokerError, noSession, sessionLocked } from './errors.js'
import { SortedList } from './sorted-list.js'

/** A receiver's hold on a session. */
export interface Hold {
  readonly session: string
  /** Milliseconds since 1970. */
  until: number
  /** Told when the lock has expired. */
  readonly onLost: () => void
  /** Of its messages, what is not on disk yet. */
  readonly settling: Set<Promise<void>>
}

type Told = (taken: Hold | BrokerError) => void

interface Heir {
  readonly onLost: () => void
  readonly tell: Told
}

interface Session {
  readonly ready: SortedList
  hold: Hold | undefined
  /** They wait while the one who holds it gives it back. */
  readonly heirs: Heir[]
}

interface Waiter extends Heir {
  readonly cancelTimer: () => void
}

export interface SessionsOptions {
  now(): number
  after(ms: number, task: () => void): () => void
  readonly lockDuration: number
  /** Told when a hold begins, with the time at which it would end. */
  onHold(until: number): void
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #sessions = new Map<string, Session>()
  /** With messages, and held by nobody; the one that waits longest first. */
  readonly #free = new Set<string>()
  readonly #holds = new Set<Hold>()
  readonly #waiters: Waiter[] = []

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  add(session: string, sequence: number): void {
    this.#of(session).ready.add(sequence)
    this.#offer(session)
  }

  remove(session: string, sequence: number): void {
    this.#of(session).ready.remove(sequence)
    this.#forget(session)
  }

  takeFirst({ session }: Hold): number | undefined {
    return this.#sessions.get(session)?.ready.takeFirst()
  }

  get holds(): Iterable<Hold> {
    return this.#holds
  }

  /** Tells once: at once, or when it has been given back, which its client takes for done as soon as it has closed its link. Returns how to stop waiting. */
  accept(session: string, onLost: () => void, tell: Told): () => void {
    const { hold, heirs } = this.#of(session)
    if (!hold) tell(this.#take(session, onLost))
    else if (this.#holds.has(hold)) tell(sessionLocked(session))
    else {
      const heir: Heir = { onLost, tell }
      heirs.push(heir)
      return () => {
        const at = heirs.indexOf(heir)
        if (at >= 0) heirs.splice(at, 1)
      }
    }
    return () => undefined
  }

  /** Of one that nobody holds. */
  #take(session: string, onLost: () => void): Hold {
    const found = this.#of(session)
    const until = this.#options.now() + this.#options.lockDuration
    const hold: Hold = { session, until, onLost, settling: new Set() }
    found.hold = hold
    this.#free.delete(session)
    this.#holds.add(hold)
    this.#options.onHold(hold.until)
    return hold
  }

  /** Tells once: the first session that has a message, or that there was none in time. Returns how to stop waiting. */
  acceptNext(ms: number, onLost: () => void, tell: Told): () => void {
    const [free] = this.#free
    if (free !== undefined) {
      tell(this.#take(free, onLost))
      return () => undefined
    }
    const stop = () => {
      waiter.cancelTimer()
      const at = this.#waiters.indexOf(waiter)
      if (at >= 0) this.#waiters.splice(at, 1)
    }
    const cancelTimer = this.#options.after(ms, () => {
      stop()
      tell(noSession())
    })
    const waiter: Waiter = { onLost, tell, cancelTimer }
    this.#waiters.push(waiter)
    return stop
  }

  renew(hold: Hold): number {
    hold.until = this.#options.now() + this.#options.lockDuration
    this.#options.onHold(hold.until)
    return hold.until
  }

  holdOf(session: string): Hold | undefined {
    const hold = this.#sessions.get(session)?.hold
    return hold && hold.until > this.#options.now() ? hold : undefined
  }

  /** It is being given back; false if it was before. */
  end(hold: Hold): boolean {
    return this.#holds.delete(hold)
  }

  /** Nobody holds it any more. It must have been ended, and its messages given back before. */
  release(hold: Hold): void {
    const found = this.#of(hold.session)
    found.hold = undefined
    const [first, ...others] = found.heirs.splice(0)
    first?.tell(this.#take(hold.session, first.onLost))
    for (const { tell } of others) tell(sessionLocked(hold.session))
    this.#offer(hold.session)
    this.#forget(hold.session)
  }

  close(): void {
    for (const { cancelTimer } of this.#waiters.splice(0)) cancelTimer()
  }

  /** To who waits longest, if there is something to receive. */
  #offer(session: string): void {
    const { hold, ready } = this.#of(session)
    if (hold || ready.size === 0) return
    const waiter = this.#waiters.shift()
    if (!waiter) return void this.#free.add(session)
    waiter.cancelTimer()
    waiter.tell(this.#take(session, waiter.onLost))
  }

  #of(session: string): Session {
    const known = this.#sessions.get(session)
    if (known) return known
    const fresh: Session = { ready: new SortedList(), hold: undefined, heirs: [] }
    this.#sessions.set(session, fresh)
    return fresh
  }

  /** What has neither messages nor a holder costs nothing. */
  #forget(session: string): void {
    const { hold, ready } = this.#of(session)
    if (hold || ready.size > 0) return
    this.#sessions.delete(session)
    this.#free.delete(session)
  }
}
