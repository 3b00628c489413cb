// Is an instance where it said that it would be? What a person or another saga is waited for is never late.
//
// Promises: a pure function of what the instance has told. Whoever is late is late by much more than a busy platform would make it.

import { lanePatience } from './lane.js'
import { turn } from './machine.js'
import { markOf } from './mark.js'
import { nextOf } from './next.js'
import { isOver } from './phase.js'
import type { Saga } from './define.js'
import type { RecalledCall } from './recall.js'
import type { SagaState } from './state.js'
import type { SagaStatus } from './status.js'

/** Milliseconds in which whatever is asked of a partner or of the platform is answered, or given up. */
export const longestActivity = 10 * 60_000
/** Milliseconds beyond what was declared: timers and activities stand in line. */
export const slack = 15 * 60_000
/** Milliseconds after which one that was woken and still sleeps needs more than that. */
const soundAsleep = 2 * slack

/** Said to the platform when an instance is ended to be begun anew. */
export const anew = 'begun anew by the watchdog'

export interface Late {
  /** `wake`: its time has come, and nobody has told it. `restart`: it waits for an answer that does not come. */
  readonly what: 'wake' | 'restart'
  /** When it should have moved; milliseconds since 1970. */
  readonly since: number
}

/**
 * One that the platform takes for running or not begun; undefined for one that is where it should be.
 * @param movedAt when the platform last wrote something about it; this and `now` are milliseconds since 1970
 */
export function lateness(status: SagaStatus, movedAt: number, now: number): Late | undefined {
  const since = declaredTime(status, movedAt)
  if (since === undefined || now <= since + slack) return undefined
  return { since, what: waitsForTime(status) && now <= since + slack + soundAsleep ? 'wake' : 'restart' }
}

/** When it will have moved at the latest; undefined when that is up to somebody. */
export function declaredTime(status: SagaStatus, movedAt: number): number | undefined {
  const { phase, waitsFor, updatedAt } = status
  if (waitsFor?.kind === 'repair') return undefined
  // One that waits in a lane looks from time to time whether it is still held up.
  if (waitsFor?.kind === 'lane') return movedAt + lanePatience + longestActivity
  if (phase === 'pending') return movedAt + longestActivity
  if (waitsFor && !isOver(phase)) return waitsFor.until === undefined ? undefined : Date.parse(waitsFor.until)
  return Date.parse(updatedAt) + longestActivity
}

const waitsForTime = ({ waitsFor }: SagaStatus) => waitsFor?.kind !== 'lane' && waitsFor !== undefined

/**
 * The state with which an instance goes on that is begun anew. What was being asked has no answer that can be trusted: it is in doubt, and the machine
 * does about it what it always does, under the same key.
 * @param calls that its history tells: some of what was asked at the same time may have been answered
 */
export function stateAnew(saga: Saga, state: SagaState, calls: readonly RecalledCall[], at: string): SagaState {
  const next = nextOf(saga, state)
  if (next.kind !== 'ask') return state
  const lost = { at, outcome: { kind: 'inDoubt', reason: 'the answer was lost' } } as const
  return next.asks.reduce((before, ask) => {
    const { answer } = calls.findLast((call) => markOf(call.ask) === markOf(ask)) ?? {}
    return turn(saga, before, { kind: 'answered', step: ask.step, what: ask.what, ...(answer ?? lost) })
  }, state)
}
