// What is known of one instance: plain data that stands in histories and is made from events alone.

import type { SagaCommand } from './commands.js'
import type { DataverseEvent } from './event.js'
import type { InstanceId } from './ids.js'
import type { Outcome, OutcomeKind } from './outcome.js'
import type { EndPhase, Phase } from './phase.js'
import type { Plan } from './plan.js'

/** Where work on a step or its undo stands. Times are ISO 8601 in UTC. */
export type Stand =
  /** Nothing under way: not begun, or settled. */
  | { readonly at: 'rest' }
  | { readonly at: 'asking' }
  | { readonly at: 'probing' }
  | { readonly at: 'waiting'; readonly until: string; readonly why: string; readonly next: 'asking' | 'probing' }
  /** For the partner's own message, which it promised. */
  | { readonly at: 'answer'; readonly until: string }
  /** For a person; with `until`, only so long. */
  | { readonly at: 'person'; readonly why: string; readonly until?: string }

/** What became of asking for one thing, over all its attempts. */
export interface Progress {
  /** Of the last attempt. `skipped` if it was not needed, or a person said so. */
  readonly outcome: 'pending' | 'skipped' | OutcomeKind
  readonly stand: Stand
  readonly attempts: number
  /** Attempts since a person last said 'retry': the policy counts these. */
  readonly spent: number
  readonly startedAt?: string
  readonly endedAt?: string
  /** Why it was not applied, in the words of the last answer. */
  readonly reason?: string
}

export interface Undoing extends Progress {
  /** Since when it is owed: its undo was refused, or could not be done within its policy. */
  readonly debtSince?: string
  /** Who ended it without an undo, and why. */
  readonly writtenOff?: { readonly by: string; readonly reason: string; readonly at: string }
}

export interface StepState {
  readonly doing: Progress
  readonly undoing?: Undoing
  /** There from the first attempt on. */
  readonly input?: unknown
  /** There once applied. */
  readonly output?: unknown
  /** Counts up when a person edits the input: another input is another request, with another key. */
  readonly edition: number
  /** The partner's own message, when it came before the answer to the call. */
  readonly reply?: Outcome
}

/** Something that a person said, and what became of it. */
export interface LogEntry {
  readonly at: string
  readonly command: SagaCommand
  /** Why it was not followed. */
  readonly refused?: string
}

export interface SagaState {
  readonly instance: InstanceId
  readonly event: DataverseEvent
  readonly startedAt: string
  readonly updatedAt: string
  readonly direction: 'forward' | 'back'
  /** The stage that is worked on; -1 before the first, and after the last undo. */
  readonly stage: number
  /** Why it goes back, or will as soon as nothing is being asked any more. */
  readonly turned?: { readonly because: 'refused' | 'cancelled' | 'deadline'; readonly why: string }
  /** Put on hold by a person: nothing new is begun. */
  readonly held?: { readonly by: string; readonly reason: string; readonly at: string }
  /** What it is held against, since a command that came with a plan. */
  readonly plan?: Plan
  /** As many as the saga has, in the same order. */
  readonly steps: readonly StepState[]
  readonly log: readonly LogEntry[]
  readonly end?: EndPhase
  /** The instance that does its work, if another one does. */
  readonly mergedInto?: string
}

export const atRest: Stand = { at: 'rest' }

export const untouched: Progress = { outcome: 'pending', stand: atRest, attempts: 0, spent: 0 }

/** Everything that is under way, step by step: of each step what is done or undone now. */
export function standsOf({ steps }: SagaState): Stand[] {
  return steps.flatMap(({ doing, undoing }) => [doing.stand, ...(undoing ? [undoing.stand] : [])])
}

/** An undo that is done, or that nobody asks for any more. */
export const isUndone = (undoing: Undoing | undefined): boolean =>
  undoing !== undefined && (undoing.outcome === 'applied' || undoing.writtenOff !== undefined)

/** Nobody could undo it so far, and it has not been written off. */
export const isOwed = ({ undoing }: StepState): boolean => undoing?.debtSince !== undefined && !isUndone(undoing)

export function phaseOf(state: SagaState): Phase {
  const stands = standsOf(state)
  const some = (at: Stand['at']) => stands.some((stand) => stand.at === at)
  if (state.end) return state.end
  if (state.stage < 0 && state.direction === 'forward') return 'pending'
  if (state.held || some('person')) return 'held'
  if (state.direction === 'back') return 'compensating'
  return some('asking') || some('probing') ? 'running' : 'waiting'
}

export function stepAt(state: SagaState, index: number): StepState {
  const step = state.steps[index]
  if (!step) throw new Error(`Instance '${state.instance}' has no step number ${index}.`)
  return step
}

export function withStep(state: SagaState, index: number, change: Partial<StepState>): SagaState {
  return { ...state, steps: state.steps.map((step, at) => (at === index ? { ...step, ...change } : step)) }
}

export function withDoing(state: SagaState, index: number, change: Partial<Progress>): SagaState {
  return withStep(state, index, { doing: { ...stepAt(state, index).doing, ...change } })
}

export function withUndoing(state: SagaState, index: number, change: Partial<Undoing>): SagaState {
  return withStep(state, index, { undoing: { ...(stepAt(state, index).undoing ?? untouched), ...change } })
}

/** One more attempt begins. */
export function asking(progress: Progress, now: string): Partial<Progress> {
  return {
    stand: { at: 'asking' },
    attempts: progress.attempts + 1,
    spent: progress.spent + 1,
    startedAt: progress.startedAt ?? now,
  }
}

/** An attempt that was not even tried is taken back. */
export function parked({ attempts, spent }: Progress): Partial<Progress> {
  return { attempts: attempts - 1, spent: spent - 1 }
}

/** What an answer leaves behind. */
export function answered(outcome: Outcome, now: string): Partial<Progress> {
  return { outcome: outcome.kind, endedAt: now, ...(outcome.kind === 'applied' ? {} : { reason: outcome.reason }) }
}

export const later = (now: string, ms: number) => new Date(Date.parse(now) + ms).toISOString()
