// Runs one saga from its event to its end, in memory: the machine that runs in production, partners that you write, time that costs nothing.

import type { PartnerRequest } from '../src/saga/action.js'
import type { SagaCommand } from '../src/saga/commands.js'
import type { Saga } from '../src/saga/define.js'
import type { DataverseEvent } from '../src/saga/event.js'
import { instanceIdOf } from '../src/saga/ids.js'
import type { SagaEvent } from '../src/saga/machine.js'
import { type Ask, nextOf } from '../src/saga/next.js'
import type { Outcome } from '../src/saga/outcome.js'
import type { Phase } from '../src/saga/phase.js'
import { requestOf, withoutRequest } from '../src/saga/request.js'
import type { SagaState } from '../src/saga/state.js'
import { type SagaStatus, statusOf } from '../src/saga/status.js'
import { beginning } from './event.js'
import { beginPurely, turnPurely } from './machine.js'
import { answersFrom, callOf, readAnswer, readOutput, type Script, stepOf } from './partners.js'
import { TestkitError } from './testkit-error.js'
import { type Line, linesOf, outcomeInWords, spell } from './timeline.js'

export interface World {
  /** What partners answer, by call, or whatever you work out: it is asked once for each attempt. */
  readonly answers?: Script | ((ask: Ask) => Outcome)
  /**
   * What comes from outside. A list is said word by word, whenever the saga waits for a person or for a partner's later answer; a function is asked
   * before each wait.
   */
  readonly words?: readonly SagaWord[] | ((status: SagaStatus) => SagaWord | undefined)
}

/** A command without its id, or a partner's own message. */
export type SagaWord =
  | WithoutId<SagaCommand>
  /** `edition` of the input that the call was made with; 1 if absent. */
  | { readonly kind: 'reply'; readonly step: string; readonly edition?: number; readonly outcome: Outcome }
type WithoutId<Command> = Command extends unknown ? Omit<Command, 'id'> : never

/** One attempt. */
export interface Call {
  readonly what: Ask['what']
  readonly step: string
  readonly attempt: number
  readonly key: string
  /** Milliseconds after the start. */
  readonly at: number
  readonly ask: Ask
  /** What the partner got; absent when the action could not make it. */
  readonly request?: PartnerRequest
  readonly outcome: Outcome
}

/** Times are milliseconds after the start. */
export interface Wait {
  readonly at: number
  readonly until: number
  readonly why: string
}

/** What happened, from the first turn to the last. */
export interface Story {
  /** How it ended, or where it was when there was nothing left to wait for. */
  readonly phase: Phase
  /** What the status API would tell. */
  readonly status: SagaStatus
  /** Every attempt, in order: what is done, undone and probed. */
  readonly calls: readonly Call[]
  /** Those that undo. */
  readonly undo: readonly Call[]
  /** Each wait for a time. */
  readonly waits: readonly Wait[]
  /** Milliseconds from the start to the end. */
  readonly took: number
  /** All of it, for people. */
  readonly timeline: string
  /** After each turn. */
  readonly states: readonly SagaState[]
  /** All that happened to the machine. */
  readonly events: readonly SagaEvent[]
}

/** Turns after which a saga is taken to go round in circles. */
const mostTurns = 10_000

/**
 * Answers take no time; waits take what the policy says, weeks included.
 * @throws TestkitError for a script that does not fit the saga, for mappings that are not pure, and for a saga that does not end within 10 000 turns
 */
export function simulate(saga: Saga, event: DataverseEvent, world: World = {}): Story {
  return remembered(new Simulation(saga, event, world).run())
}

class Simulation {
  readonly #saga: Saga
  readonly #answer: (ask: Ask) => Outcome
  readonly #word: (status: SagaStatus) => SagaWord | undefined
  readonly #calls: Call[] = []
  readonly #waits: Wait[] = []
  readonly #events: SagaEvent[] = []
  readonly #states: SagaState[] = []
  readonly #lines: Line[] = []
  #state: SagaState
  #now = beginning

  constructor(saga: Saga, event: DataverseEvent, { answers = {}, words = [] }: World) {
    this.#saga = saga
    this.#answer = typeof answers === 'function' ? answers : answersFrom(saga, answers)
    this.#word = typeof words === 'function' ? words : oneByOne(words)
    this.#state = beginPurely(saga, { instance: instanceIdOf(saga.name, event), event, at: this.#at })
    this.#states.push(this.#state)
  }

  run(): Story {
    while (this.#states.length < mostTurns) {
      const next = nextOf(this.#saga, this.#state)
      if (next.kind === 'end') return this.#story(next.phase)
      if (next.kind === 'ask') this.#ask(next.asks)
      else if (!this.#hear() && !this.#sleep(next.until)) return this.#story('nothing left to wait for')
    }
    throw new TestkitError(
      `Saga '${this.#saga.name}' has not ended after ${mostTurns} turns.\n${linesOf(this.#lines.slice(-20))}`,
    )
  }

  #ask(asks: readonly Ask[]): void {
    const calls = asks.map((ask) => this.#call(ask))
    this.#calls.push(...calls)
    for (const { what, step, outcome } of calls) this.#turn({ kind: 'answered', at: this.#at, step, what, outcome })
  }

  #call(ask: Ask): Call {
    const { what, step, attempt, key } = ask
    const at = this.#now - beginning
    const call = `${callOf(ask)}${attempt > 1 ? ` #${attempt}` : ''}`
    const request = this.#request(ask)
    const where = `Saga '${this.#saga.name}', '${call}' at +${spell(at)}`
    const outcome: Outcome = request ? readAnswer(this.#saga, ask, this.#answer(ask), where) : withoutRequest(ask)
    this.#lines.push({ at, what: `${call} → ${outcomeInWords(outcome)}` })
    return { what, step, attempt, key, at, ask, outcome, ...(request && { request }) }
  }

  /** Undefined when it can't be made. */
  #request(ask: Ask): PartnerRequest | undefined {
    const { action } = stepOf(this.#saga, ask.step)
    try {
      return requestOf(ask, action, action.answeredWithin === undefined ? '' : `https://callback.test/${ask.key}`)
    } catch {
      return undefined
    }
  }

  /** What comes from outside, if anything does. */
  #hear(): boolean {
    const word = this.#word(statusOf(this.#saga, this.#state))
    if (!word) return false
    const id = `word-${this.#events.length}`
    if (word.kind === 'reply') {
      const { step, edition = 1, outcome } = word
      const where = `Saga '${this.#saga.name}', the later answer to '${step}' at +${spell(this.#now - beginning)}`
      const isKnown = this.#saga.steps.some(({ name }) => name === step)
      const read: Outcome =
        isKnown && outcome.kind === 'applied'
          ? { kind: 'applied', output: readOutput(this.#saga, step, outcome.output, where) }
          : outcome
      this.#tell(`${step} is answered later → ${outcomeInWords(read)}`)
      this.#turn({ kind: 'replied', at: this.#at, step, edition, outcome: read })
    } else {
      this.#tell(`${word.actor} says '${word.kind}'${'step' in word ? ` of ${word.step}` : ''}: ${word.reason}`)
      this.#turn({ kind: 'said', at: this.#at, command: { ...word, id } })
      const refused = this.#state.log.find(({ command }) => command.id === id)?.refused
      if (refused !== undefined) this.#tell(`that is not followed: ${refused}`)
    }
    return true
  }

  /** Moves the clock; false if there is no time to wait for. */
  #sleep(until: string | undefined): boolean {
    if (until === undefined) return false
    const before = this.#now
    const { waitsFor } = statusOf(this.#saga, this.#state)
    this.#now = Math.max(before, Date.parse(until))
    this.#waits.push({ at: before - beginning, until: this.#now - beginning, why: waitsFor?.why ?? 'its deadline' })
    this.#tell(`waits ${spell(this.#now - before)}: ${waitsFor?.why ?? 'its deadline'}`, before)
    this.#turn({ kind: 'woken', at: this.#at })
    return true
  }

  #turn(event: SagaEvent): void {
    this.#events.push(event)
    this.#state = turnPurely(this.#saga, this.#state, event)
    this.#states.push(this.#state)
  }

  #tell(what: string, at = this.#now): void {
    this.#lines.push({ at: at - beginning, what })
  }

  get #at(): string {
    return new Date(this.#now).toISOString()
  }

  #story(end: string): Story {
    const status = statusOf(this.#saga, this.#state)
    this.#tell(end === status.phase ? end : `${status.phase}, ${end}: ${status.waitsFor?.why ?? ''}`)
    for (const { partner, step, reason } of status.owed) this.#tell(`${partner} is owed the undo of ${step}: ${reason}`)
    return {
      phase: status.phase,
      status,
      calls: this.#calls,
      undo: this.#calls.filter(({ what }) => what === 'undo'),
      waits: this.#waits,
      took: this.#now - beginning,
      timeline: `${this.#saga.name}\n${linesOf(this.#lines)}`,
      states: this.#states,
      events: this.#events,
    }
  }
}

function oneByOne(words: readonly SagaWord[]): (status: SagaStatus) => SagaWord | undefined {
  const left = [...words]
  return ({ waitsFor }) => (waitsFor?.kind === 'operator' || waitsFor?.kind === 'answer' ? left.shift() : undefined)
}

/** The last stories told, so that a failing test can show them. */
const lately: Story[] = []

function remembered(story: Story): Story {
  lately.push(story)
  if (lately.length > 3) lately.shift()
  return story
}

/** The last stories, the oldest first; they are forgotten by that. */
export const takeStories = (): Story[] => lately.splice(0)
