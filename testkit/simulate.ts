// Runs one saga from its event to its end, in memory: the machine that runs in production, partners that you write, time that costs nothing.

import type { SagaCommand } from '../src/saga/commands.js'
import type { Saga } from '../src/saga/define.js'
import type { DataverseEvent } from '../src/saga/event.js'
import { instanceIdOf } from '../src/saga/ids.js'
import { begin, type SagaEvent, turn } from '../src/saga/machine.js'
import { type Ask, nextOf } from '../src/saga/next.js'
import type { Outcome } from '../src/saga/outcome.js'
import type { SagaState } from '../src/saga/state.js'
import { type SagaStatus, statusOf } from '../src/saga/status.js'

export interface World {
  /** Stands for all partners: asked once for each attempt. */
  answer(ask: Ask): Outcome
  /** What comes from outside while the instance waits, if anything does; asked before each wait. */
  meanwhile?(status: SagaStatus): SagaWord | undefined
}

/** A command without its id, or a partner's own message. */
export type SagaWord =
  | WithoutId<SagaCommand>
  /** `edition` of the input that the call was made with; 1 if absent. */
  | { readonly kind: 'reply'; readonly step: string; readonly edition?: number; readonly outcome: Outcome }
type WithoutId<Command> = Command extends unknown ? Omit<Command, 'id'> : never

/** What happened, from the first turn to the last. */
export interface Story {
  /** At the end, or when there was nothing left to wait for. */
  readonly status: SagaStatus
  /** Every attempt, in order. */
  readonly asked: readonly Ask[]
  /** After each turn. */
  readonly states: readonly SagaState[]
  /** All that happened to the machine. */
  readonly events: readonly SagaEvent[]
  /** How often it waited for a time. */
  readonly waits: number
  /** Milliseconds from the start to the end. */
  readonly took: number
}

/** An event to begin with: everything that a test does not care about. */
export function anEvent(change: Partial<DataverseEvent> = {}): DataverseEvent {
  return {
    id: '00000000000000000001',
    message: 'Create',
    table: 'contact',
    rowId: 'c0ffee00-0000-4000-8000-000000000001',
    organizationId: '00000000-0000-4000-8000-00000000000a',
    operationId: '00000000-0000-4000-8000-00000000000b',
    correlationId: '00000000-0000-4000-8000-00000000000c',
    ...change,
  }
}

/** When every simulation begins. */
export const beginning = Date.UTC(2026, 0, 1)

/** Turns after which a saga is taken to go round in circles, unless it is asked to go on. */
const mostTurns = 10_000

/** Answers take no time; waits take what the policy says. @throws Error for a saga that does not end within 10 000 turns */
export function simulate(saga: Saga, world: World, event: DataverseEvent = anEvent()): Story {
  let now = beginning
  const at = () => new Date(now).toISOString()
  const asked: Ask[] = []
  const events: SagaEvent[] = []
  let waits = 0
  let state = begin(saga, { instance: instanceIdOf(saga.name, event), event, at: at() })
  const states = [state]
  const told = (): Story => ({ status: statusOf(saga, state), asked, states, events, waits, took: now - beginning })
  const happen = (happened: SagaEvent) => {
    events.push(happened)
    state = turn(saga, state, happened)
    states.push(state)
  }
  while (states.length < mostTurns) {
    const next = nextOf(saga, state)
    if (next.kind === 'end') return told()
    if (next.kind === 'ask') {
      asked.push(...next.asks)
      const answers = next.asks.map((ask) => ({ ask, outcome: world.answer(ask) }))
      for (const { ask, outcome } of answers)
        happen({ kind: 'answered', at: at(), step: ask.step, what: ask.what, outcome })
      continue
    }
    const word = world.meanwhile?.(statusOf(saga, state))
    if (word) happen(eventOf(word, `word-${events.length}`, at()))
    else if (next.until === undefined) return told()
    else {
      waits += 1
      now = Math.max(now, Date.parse(next.until))
      happen({ kind: 'woken', at: at() })
    }
  }
  throw new Error(`Saga '${saga.name}' has not ended after ${mostTurns} turns.`)
}

function eventOf(word: SagaWord, id: string, at: string): SagaEvent {
  if (word.kind === 'reply')
    return { kind: 'replied', at, step: word.step, edition: word.edition ?? 1, outcome: word.outcome }
  return { kind: 'said', at, command: { ...word, id } }
}
