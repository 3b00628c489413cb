// A namespace without the wire, for tests of what happens at the same time: its clock stands still until it is moved, and its disk can keep it waiting, or be full.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Clock } from '../../../embedded/clock.js'
import { carryOn } from '../../../embedded/crash-points.js'
import { type Arrival, readMessage } from '../../../embedded/servicebus/message.js'
import { Namespace } from '../../../embedded/servicebus/namespace.js'
import type { Handout, Queue, QueueCounts } from '../../../embedded/servicebus/queue.js'
import { messages } from '../../../embedded/servicebus/rhea.js'
import type { Hold } from '../../../embedded/servicebus/sessions.js'
import type { EntityDefinition } from '../../../embedded/servicebus/settings.js'
import { openStore, type Store } from '../../../embedded/store/store.js'

class StillClock implements Clock {
  #now = 1_800_000_000_000
  readonly #timers = new Set<{ readonly due: number; readonly task: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, task: () => void): () => void {
    const timer = { due: this.#now + ms, task }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** The timers are late. */
  move(ms: number): void {
    this.#now += ms
  }

  /** What is due by then runs, all in one turn. */
  pass(ms: number): void {
    this.move(ms)
    const due = [...this.#timers].filter((timer) => timer.due <= this.#now).toSorted((a, b) => a.due - b.due)
    for (const timer of due) if (this.#timers.delete(timer)) timer.task()
  }
}

/** The real store, told when its answers come. */
class TestDisk {
  readonly store: Store
  isFull = false
  #answers: Promise<void> | undefined
  #answer = (): void => undefined

  constructor(real: Store) {
    const write = (how: 'commit' | 'commitSoon'): Store['commit'] => {
      return async (changes) => {
        if (this.isFull) throw new Error('The disk is full.')
        const answers = this.#answers
        await real[how](changes)
        await answers
      }
    }
    this.store = {
      table: (name) => real.table(name),
      commit: write('commit'),
      commitSoon: write('commitSoon'),
      close: () => real.close(),
    }
  }

  /** What is written from now on is on disk as ever, but whoever waits for that hears of it only when it answers. */
  keepWaiting(): void {
    this.#answers = new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  answer(): void {
    this.#answers = undefined
    this.#answer()
  }
}

export class StillNamespace {
  readonly clock = new StillClock()
  readonly #folder = mkdtempSync(join(tmpdir(), 'broker-'))
  readonly #definitions: readonly EntityDefinition[]
  readonly #uncaught: Error[] = []
  readonly #onUncaught = (cause: unknown) => void this.#uncaught.push(new Error('Nobody caught it.', { cause }))
  disk!: TestDisk
  namespace!: Namespace

  constructor(...definitions: readonly EntityDefinition[]) {
    this.#definitions = definitions
    process.on('unhandledRejection', this.#onUncaught)
    onTestFinished(() => this.#end())
  }

  async open(): Promise<this> {
    this.disk = new TestDisk(openStore(this.#folder))
    this.namespace = new Namespace({ store: this.disk.store, clock: this.clock, reach: carryOn })
    for (const definition of this.#definitions) await this.namespace.declare(definition)
    return this
  }

  at(name: string): Queue {
    return this.namespace.at(name)
  }

  /** Those that are not zero. */
  countsOf(name: string): Partial<QueueCounts> {
    const found = this.namespace.counts().find((one) => one.name === name)
    if (!found) throw new Error(`There is no ${name}.`)
    const { name: _, ...counts } = found
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
  }

  /** All that was begun is on disk, and what followed from it. @throws what would have been the end of the process */
  async settled(): Promise<void> {
    for (let consequences = 0; consequences < 5; consequences++) {
      await this.disk.store.commit(() => undefined)
      await setImmediate()
    }
    const [error] = this.#uncaught.splice(0)
    if (error) throw error
  }

  async restart(): Promise<void> {
    await this.#close()
    await this.open()
  }

  async #end(): Promise<void> {
    await this.#close()
    process.off('unhandledRejection', this.#onUncaught)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #close(): Promise<void> {
    await this.settled()
    this.namespace.close()
    await this.disk.store.close()
  }
}

let count = 0
/** A message as it comes from a client. */
export const arrival = (body: string, properties: Record<string, unknown> = {}): Arrival =>
  readMessage(messages.encode({ body, ...properties }), () => `id-${count++}`)

/** The next message that is there. */
export function take(queue: Queue, hold?: Hold): Handout {
  const handout = queue.handOut(hold)
  if (!handout) throw new Error('Nothing is there.')
  return handout
}

export const bodyOf = ({ bytes }: Pick<Handout, 'bytes'>): unknown => messages.decode(bytes).body

/** A hold on a session that nobody holds. */
export function accept(queue: Queue, session: string): Hold {
  const told: unknown[] = []
  queue.sessions?.accept(
    session,
    () => undefined,
    (taken) => told.push(taken),
  )
  const hold = queue.sessions?.holdOf(session)
  if (!hold || !told.includes(hold)) throw new Error(`Session ${session} can not be had.`)
  return hold
}
