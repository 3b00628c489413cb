// A recorded history, run on today's machine: the state that it leads to, and where today's code would have decided otherwise.
//
// Time is not compared, only what is asked, with which input and under which key, and in which order.

import type { Saga } from './define.js'
import type { Happened, SagaHistory } from './history.js'
import { readInstanceId } from './ids.js'
import { begin, type SagaEvent, turn } from './machine.js'
import { markOf } from './mark.js'
import { type Ask, type Next, nextOf } from './next.js'
import type { Outcome } from './outcome.js'
import type { Signal } from './signal.js'
import type { SagaState } from './state.js'

/** One attempt. */
export interface RecalledCall {
  readonly ask: Ask
  /** ISO 8601 in UTC. */
  readonly at: string
  /** Absent while it is under way. */
  readonly answer?: { readonly at: string; readonly outcome: Outcome }
}

export interface Recalled {
  /** Where the history leads to, or where the two part. */
  readonly state: SagaState
  /** In the order in which they were made; what is made at the same time, in the order of its answers. */
  readonly calls: readonly RecalledCall[]
  /** Heard while partners are being asked: the next wait will take them. */
  readonly unheard: readonly Signal[]
  /** The first event at which today's code does something else; events count from 1. */
  readonly parting?: { readonly event: number; readonly why: string }
}

/** Of an instance that has ended or is still running. One whose work another did has decided nothing. */
export function recall(saga: Saga, history: SagaHistory): Recalled {
  const run = new Recall(saga, history)
  try {
    run.toItsEnd()
    return run.recalled()
  } catch (error) {
    if (error instanceof Parting) return { ...run.recalled(), parting: { event: run.position, why: error.message } }
    throw error
  }
}

class Parting extends Error {}

class Recall {
  readonly #saga: Saga
  readonly #happened: readonly Happened[]
  /** Heard while partners were being asked: taken at the next wait. */
  readonly #unheard: { readonly signal: Signal; readonly at: string }[] = []
  readonly calls: RecalledCall[] = []
  position = 0
  state: SagaState

  constructor(saga: Saga, { id, event, status, state, happened }: SagaHistory) {
    this.#saga = saga
    this.#happened = happened
    this.state = state ?? begin(saga, { instance: readInstanceId(id), event, at: status.startedAt })
  }

  recalled(): Recalled {
    return { state: this.state, calls: this.calls, unheard: this.#unheard.map(({ signal }) => signal) }
  }

  toItsEnd(): void {
    for (let goesOn = true; goesOn; ) {
      const next = nextOf(this.#saga, this.state)
      if (next.kind === 'end') break
      goesOn = next.kind === 'ask' ? this.#ask(next.asks) : this.#wait(next)
    }
    const late = this.#happened.slice(this.position).find(({ kind }) => kind === 'answered')
    if (late?.kind === 'answered') {
      this.position = this.#happened.indexOf(late) + 1
      throw new Parting(`the history has the answer to '${late.of}', today's saga is ${this.state.end} by then`)
    }
  }

  /** False when the history ends before all are answered. */
  #ask(asks: readonly Ask[]): boolean {
    const { updatedAt: at } = this.state
    const answers = new Map<Ask, Extract<Happened, { kind: 'answered' }>>()
    while (answers.size < asks.length) {
      const happened = this.#take()
      if (!happened) {
        this.calls.push(...asks.filter((ask) => !answers.has(ask)).map((ask) => ({ ask, at })))
        return false
      }
      // A timer that had lost against a signal may fire all the same.
      if (happened.kind === 'woken') continue
      if (happened.kind === 'heard') this.#unheard.push(happened)
      else {
        const ask = askedFor(happened, asks)
        answers.set(ask, happened)
        this.calls.push({ ask, at, answer: happened })
      }
    }
    for (const ask of asks) {
      const answer = answers.get(ask)
      if (answer)
        this.#turn({ kind: 'answered', at: answer.at, step: ask.step, what: ask.what, outcome: answer.outcome })
    }
    return true
  }

  #wait({ until }: Extract<Next, { kind: 'wait' }>): boolean {
    const signal = this.#unheard.shift()
    if (signal) return this.#hear(signal)
    const happened = this.#take()
    if (!happened) return false
    if (happened.kind === 'heard') return this.#hear(happened)
    if (happened.kind === 'answered')
      throw new Parting(
        `the history has the answer to '${happened.of}', today's saga waits for ${until === undefined ? 'a person' : 'a time'}`,
      )
    // One that had lost against a signal: nothing of today's waits for it yet.
    if (until === undefined || Date.parse(happened.at) + skew < Date.parse(until)) return true
    this.#turn({ kind: 'woken', at: happened.at > until ? happened.at : until })
    return true
  }

  #hear({ signal, at }: { signal: Signal; at: string }): boolean {
    if (signal.kind === 'command') this.#turn({ kind: 'said', at, command: signal.command })
    else this.#turn({ kind: 'replied', at, step: signal.step, edition: signal.edition, outcome: signal.outcome })
    return true
  }

  #turn(event: SagaEvent): void {
    this.state = turn(this.#saga, this.state, event)
  }

  #take(): Happened | undefined {
    const happened = this.#happened[this.position]
    if (happened) this.position += 1
    return happened
  }
}

/** Milliseconds by which the clock that fires timers may be behind. */
const skew = 1_000

/** @throws Parting */
function askedFor({ of }: { of: string }, asks: readonly Ask[]): Ask {
  const same = asks.find((ask) => markOf(ask) === of)
  if (same) return same
  const alike = asks.find((ask) => short(markOf(ask)) === short(of))
  if (alike) throw new Parting(`today's saga asks '${alike.step}' with another input or under another key`)
  const today = asks.map((ask) => `'${short(markOf(ask))}'`).join(' and ')
  throw new Parting(`the history has the answer to '${short(of)}', today's saga asks for ${today}`)
}

/** A mark without its digest. */
const short = (mark: string) => mark.split(' ').slice(0, -1).join(' ')
