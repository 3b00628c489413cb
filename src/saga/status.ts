// What the world is told of one instance: the document that becomes the orchestration's custom status after every turn.
//
// Promises: made of the machine's state alone; never above the platform's 16 KB; no input, no output, no value of a row.

import { isToBeUndone } from './backward.js'
import type { Saga } from './define.js'
import { digestOf } from './mark.js'
import { nextOf } from './next.js'
import type { Phase } from './phase.js'
import { fitsIn } from './size.js'
import { type Progress, phaseOf, type SagaState, standsOf, type Undoing } from './state.js'

export interface SagaStatus {
  readonly id: string
  readonly saga: string
  readonly version: number
  readonly table: string
  readonly rowId: string
  readonly phase: Phase
  /** All times are ISO 8601 in UTC. */
  readonly startedAt: string
  readonly updatedAt: string
  readonly endedAt?: string
  readonly waitsFor?: WaitsFor
  /** A digest of the row as the saga read it (mark.ts); there once it has. */
  readonly snapshot?: string
  /** The instance of the same row that does its work. */
  readonly mergedInto?: string
  /** Why it is, or was, undone. */
  readonly undoneBecause?: string
  readonly steps: readonly StepStatus[]
  /** Effects that a partner still holds, or may hold, although the saga is being undone. */
  readonly owed: readonly Owed[]
  /** What people said to it, the latest last; the oldest are left out when there are many. */
  readonly log: readonly Word[]
}

export type WaitsFor =
  | { readonly kind: 'retry' | 'answer'; readonly until: string; readonly why: string }
  /** For another saga of the same row to end. */
  | { readonly kind: 'lane'; readonly why: string }
  /** A person may look into it and say what to do; with `until`, only so long. */
  | { readonly kind: 'operator'; readonly why: string; readonly until?: string }
  /** The orchestration itself has stopped: somebody must mend the app or the platform first. */
  | { readonly kind: 'repair'; readonly why: string }

export interface Told {
  readonly outcome: Progress['outcome']
  readonly attempts: number
  readonly startedAt?: string
  readonly endedAt?: string
  /** Why it was not applied, in the words of the last answer. */
  readonly reason?: string
}

export interface StepStatus extends Told {
  readonly name: string
  readonly partner: string
  readonly action: string
  readonly undo?: Told
}

export interface Owed {
  readonly step: string
  readonly partner: string
  readonly reason: string
  /** Set for a debt: its undo was refused, or could not be done within its policy. */
  readonly since?: string
}

export interface Word {
  readonly at: string
  readonly id: string
  readonly command: string
  readonly step?: string
  readonly actor: string
  readonly reason: string
  /** Why it was not followed. */
  readonly refused?: string
}

/** Characters; partners and people may say more. */
const usualLength = 300
/** The platform's limit in characters of UTF-16, less something for the future. */
const mostCharacters = 7_900

export function statusOf(saga: Saga, state: SagaState): SagaStatus {
  const full = fullStatusOf(saga, state, usualLength, 20)
  if (fitsIn(mostCharacters, full)) return full
  const short = fullStatusOf(saga, state, 60, 5)
  if (fitsIn(mostCharacters, short)) return short
  // A saga of very many steps: how each stands is told, the rest is in the history.
  const bare = fullStatusOf(saga, state, 0, 0)
  const steps = bare.steps.map(({ name, partner, action, outcome, attempts }) => ({
    name,
    partner,
    action,
    outcome,
    attempts,
  }))
  // Of more steps than even that has room for, the first ones.
  for (let most = steps.length; ; most = Math.floor(most * 0.9)) {
    const told = { ...bare, steps: steps.slice(0, most), owed: bare.owed.slice(0, most) }
    if (most === 0 || fitsIn(mostCharacters, told)) return told
  }
}

/** Of one that has not begun, for another one of its row is running. */
export const waitingInLane = (saga: Saga, state: SagaState, holder: string): SagaStatus => ({
  ...statusOf(saga, state),
  waitsFor: { kind: 'lane', why: `${holder} is running` },
})

function fullStatusOf(saga: Saga, state: SagaState, longest: number, words: number): SagaStatus {
  const { event, end, turned } = state
  const waitsFor = waitsForIn(saga, state, longest)
  return {
    id: state.instance,
    saga: saga.name,
    version: saga.version,
    table: event.table,
    rowId: event.rowId,
    phase: phaseOf(state),
    startedAt: state.startedAt,
    updatedAt: state.updatedAt,
    ...(end && { endedAt: state.updatedAt }),
    ...(waitsFor && { waitsFor }),
    ...snapshotIn(saga, state),
    ...(state.mergedInto !== undefined && { mergedInto: state.mergedInto }),
    ...(turned && { undoneBecause: turned.why.slice(0, longest) }),
    steps: saga.steps.map(({ name, action }, index): StepStatus => {
      const { doing, undoing } = state.steps[index] ?? {}
      return {
        name,
        partner: action.partner,
        action: action.name,
        ...toldOf(doing, longest),
        ...(undoing && { undo: toldOf(undoing, longest) }),
      }
    }),
    owed: owedIn(saga, state, longest),
    log: words === 0 ? [] : wordsIn(state, longest).slice(-words),
  }
}

function snapshotIn({ steps: [first] }: Saga, { steps: [read] }: SagaState): Pick<SagaStatus, 'snapshot'> {
  return first?.kind === 'snapshot' && read?.doing.outcome === 'applied' ? { snapshot: digestOfRow(read.output) } : {}
}

function digestOfRow(row: unknown): string {
  if (typeof row !== 'object' || row === null) return digestOf(row)
  const known = digests.get(row)
  if (known !== undefined) return known
  const digest = digestOf(row)
  digests.set(row, digest)
  return digest
}

/** Every later status of the instance tells the same one. */
const digests = new WeakMap<object, string>()

function toldOf(progress: Progress | Undoing | undefined, longest: number): Told {
  if (!progress) return { outcome: 'pending', attempts: 0 }
  const { outcome, attempts, startedAt, endedAt, reason } = progress
  const writtenOff = 'writtenOff' in progress ? progress.writtenOff : undefined
  const why = writtenOff ? `written off by ${writtenOff.by}: ${writtenOff.reason}` : reason
  return {
    outcome: writtenOff ? 'skipped' : outcome,
    attempts,
    ...(startedAt !== undefined && { startedAt }),
    ...(endedAt !== undefined && { endedAt }),
    ...(why !== undefined && outcome !== 'applied' && { reason: why.slice(0, longest) }),
  }
}

function waitsForIn(saga: Saga, state: SagaState, longest: number): WaitsFor | undefined {
  const next = nextOf(saga, state)
  if (next.kind !== 'wait') return undefined
  // The first of all times that it waits for, be it the deadline of the whole.
  const { until } = next
  const operator = (why: string): WaitsFor => ({
    kind: 'operator',
    why: why.slice(0, longest),
    ...(until && { until }),
  })
  if (state.held) return operator(`put on hold by ${state.held.by}: ${state.held.reason}`)
  const stands = standsOf(state)
  const person = stands.find(({ at }) => at === 'person')
  if (person?.at === 'person') return operator(person.why)
  const waiting = stands
    .filter((stand) => stand.at === 'waiting' || stand.at === 'answer')
    .toSorted((one, other) => (one.until < other.until ? -1 : 1))[0]
  if (!waiting || until === undefined) return undefined
  return waiting.at === 'waiting'
    ? { kind: 'retry', until, why: waiting.why.slice(0, longest) }
    : { kind: 'answer', until, why: 'the partner answers later' }
}

function owedIn(saga: Saga, state: SagaState, longest: number): Owed[] {
  if (state.direction === 'forward') return []
  return saga.steps.flatMap(({ name, action: { partner } }, index) => {
    if (!isToBeUndone(saga, state, index)) return []
    const undoing = state.steps[index]?.undoing
    const reason = (undoing?.stand.at === 'person' ? undoing.stand.why : undoing?.reason) ?? 'not undone yet'
    const since = undoing?.debtSince
    return [{ step: name, partner, reason: reason.slice(0, longest), ...(since === undefined ? {} : { since }) }]
  })
}

function wordsIn({ log }: SagaState, longest: number): Word[] {
  return log.map(({ at, command, refused }) => ({
    at,
    id: command.id,
    command: command.kind,
    ...('step' in command && command.step !== undefined && { step: command.step }),
    actor: command.actor.slice(0, 100),
    reason: command.reason.slice(0, longest),
    ...(refused !== undefined && { refused: refused.slice(0, longest) }),
  }))
}
