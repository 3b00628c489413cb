// Runs one saga from its event to its end, in memory: the machine that runs in production, partners that you write, time that costs nothing.

import type { Saga } from '../src/saga/define.js'
import type { DataverseEvent } from '../src/saga/event.js'
import { instanceIdOf } from '../src/saga/ids.js'
import { type Ask, begin, type SagaEvent, type SagaState, turn } from '../src/saga/machine.js'
import type { Outcome } from '../src/saga/outcome.js'
import { type SagaStatus, statusOf } from '../src/saga/status.js'
import { unreachable } from '../src/saga/unreachable.js'

export interface World {
  /** Stands for all partners: asked once for each attempt. */
  answer(ask: Ask): Outcome
  /** What a person says to an instance that is held; leaves it alone if absent. */
  onHold?(status: SagaStatus): 'retry' | 'leave'
}

/** What happened, from the first turn to the last. */
export interface Story {
  /** At the end, or when it was left held. */
  readonly status: SagaStatus
  /** Every attempt, in order. */
  readonly asked: readonly Ask[]
  /** After each turn. */
  readonly states: readonly SagaState[]
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

/** Answers take no time; waits take what the policy says. */
export function simulate(saga: Saga, world: World, event: DataverseEvent = anEvent()): Story {
  const began = Date.UTC(2026, 0, 1)
  let now = began
  const at = () => new Date(now).toISOString()
  const asked: Ask[] = []
  let { state, command } = begin(saga, { instance: instanceIdOf(saga.name, event), event, at: at() })
  const states = [state]
  const told = (): Story => ({ status: statusOf(saga, state), asked, states, took: now - began })
  while (command.kind !== 'end') {
    let happened: SagaEvent
    switch (command.kind) {
      case 'ask':
        asked.push(command.ask)
        happened = { kind: 'answered', at: at(), outcome: world.answer(command.ask) }
        break
      case 'sleep':
        now += command.ms
        happened = { kind: 'woken', at: at() }
        break
      case 'hold':
        if (world.onHold?.(statusOf(saga, state)) !== 'retry') return told()
        happened = { kind: 'retry', at: at() }
        break
      default:
        return unreachable(command)
    }
    ;({ state, command } = turn(saga, state, happened))
    states.push(state)
  }
  return told()
}
