// Runs recorded histories on today's code: does it still decide what it decided then? To be asked before a deployment, with sagas in flight.

import type { Saga } from '../src/saga/define.js'
import type { Happened, SagaHistory } from '../src/saga/history.js'
import { readInstanceId } from '../src/saga/ids.js'
import { begin, type SagaEvent, turn } from '../src/saga/machine.js'
import { markOf } from '../src/saga/mark.js'
import { type Ask, type Next, nextOf } from '../src/saga/next.js'
import type { Signal } from '../src/saga/signal.js'
import type { SagaState } from '../src/saga/state.js'
import { statusOf } from '../src/saga/status.js'

/** Today's code decides otherwise. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError'
  /** Counts from 1; 0 when what came of it all is different. */
  readonly event: number

  constructor(history: SagaHistory, event: number, why: string) {
    super(`${history.id}, ${event === 0 ? 'in the end' : `event ${event} of ${history.happened.length}`}: ${why}`)
    this.event = event
  }
}

/**
 * A history as `GET /api/sagas/{id}/history` tells it, of an instance that has ended or is still running. Time is not compared, only what is asked,
 * with which input and under which key, in which order, and what comes of it.
 * @throws ReplayError at the first event at which today's saga does something else
 */
export function replay(saga: Saga, history: SagaHistory): void {
  if (saga.name !== history.saga || saga.version !== history.version)
    throw new ReplayError(
      history,
      0,
      `it ran as '${history.saga}' version ${history.version}, which is not '${saga.name}' version ${saga.version}`,
    )
  new Replay(saga, history).run()
}

class Replay {
  readonly #saga: Saga
  readonly #history: SagaHistory
  /** Heard while partners were being asked: taken at the next wait. */
  readonly #unheard: { readonly signal: Signal; readonly at: string }[] = []
  #position = 0
  #state: SagaState

  constructor(saga: Saga, history: SagaHistory) {
    this.#saga = saga
    this.#history = history
    const { event, status, state } = history
    this.#state = state ?? begin(saga, { instance: readInstanceId(history.id), event, at: status.startedAt })
  }

  run(): void {
    // Another instance did its work: nothing was decided here.
    if (this.#history.status.phase === 'merged') return
    for (let goesOn = true; goesOn; ) {
      const next = nextOf(this.#saga, this.#state)
      if (next.kind === 'end') break
      goesOn = next.kind === 'ask' ? this.#ask(next.asks) : this.#wait(next)
    }
    this.#compareEnds()
  }

  /** False when the history ends before all are answered. */
  #ask(asks: readonly Ask[]): boolean {
    const answers = new Map<Ask, Extract<Happened, { kind: 'answered' }>>()
    while (answers.size < asks.length) {
      const happened = this.#take()
      if (!happened) return false
      // A timer that had lost against a signal may fire all the same.
      if (happened.kind === 'woken') continue
      if (happened.kind === 'heard') this.#unheard.push(happened)
      else answers.set(this.#askedFor(happened, asks), happened)
    }
    for (const ask of asks) {
      const answer = answers.get(ask)
      if (answer)
        this.#turn({ kind: 'answered', at: answer.at, step: ask.step, what: ask.what, outcome: answer.outcome })
    }
    return true
  }

  #askedFor({ of }: { of: string }, asks: readonly Ask[]): Ask {
    const same = asks.find((ask) => markOf(ask) === of)
    if (same) return same
    const alike = asks.find((ask) => short(markOf(ask)) === short(of))
    if (alike) throw this.#error(`today's saga asks '${alike.step}' with another input or under another key`)
    const today = asks.map((ask) => `'${short(markOf(ask))}'`).join(' and ')
    throw this.#error(`the history has the answer to '${short(of)}', today's saga asks for ${today}`)
  }

  #wait({ until }: Extract<Next, { kind: 'wait' }>): boolean {
    const signal = this.#unheard.shift()
    if (signal) return this.#hear(signal)
    const happened = this.#take()
    if (!happened) return false
    if (happened.kind === 'heard') return this.#hear(happened)
    if (happened.kind === 'answered')
      throw this.#error(
        `the history has the answer to '${happened.of}', today's saga waits for ${until === undefined ? 'a person' : 'a time'}`,
      )
    // One that had lost against a signal: nothing of today's waits for it yet.
    if (until === undefined) return true
    this.#turn({ kind: 'woken', at: happened.at > until ? happened.at : until })
    return true
  }

  #hear({ signal, at }: { signal: Signal; at: string }): boolean {
    if (signal.kind === 'command') this.#turn({ kind: 'said', at, command: signal.command })
    else this.#turn({ kind: 'replied', at, step: signal.step, edition: signal.edition, outcome: signal.outcome })
    return true
  }

  #turn(event: SagaEvent): void {
    this.#state = turn(this.#saga, this.#state, event)
  }

  #take(): Happened | undefined {
    const happened = this.#history.happened[this.#position]
    if (happened) this.#position += 1
    return happened
  }

  #compareEnds(): void {
    const late = this.#history.happened.slice(this.#position).find(({ kind }) => kind === 'answered')
    if (late?.kind === 'answered') {
      this.#position = this.#history.happened.indexOf(late) + 1
      throw this.#error(`the history has the answer to '${late.of}', today's saga is ${this.#state.end} by then`)
    }
    const { status } = this.#history
    const today = statusOf(this.#saga, this.#state)
    const other = status.steps.find((step, index) => {
      const now = today.steps[index]
      return now?.name !== step.name || now.outcome !== step.outcome || now.undo?.outcome !== step.undo?.outcome
    })
    if (other || today.steps.length !== status.steps.length)
      throw new ReplayError(
        this.#history,
        0,
        `step '${other?.name ?? today.steps.at(-1)?.name}' is not what it was then`,
      )
    // Where the orchestration itself was stopped, the recorded phase is the platform's doing.
    if (today.phase !== status.phase && status.waitsFor?.kind !== 'repair')
      throw new ReplayError(this.#history, 0, `it was ${status.phase}, today's saga is ${today.phase}`)
  }

  #error(why: string): ReplayError {
    return new ReplayError(this.#history, this.#position, why)
  }
}

/** A mark without its digest. */
const short = (mark: string) => mark.split(' ').slice(0, -1).join(' ')
