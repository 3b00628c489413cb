// What is worth telling others of a saga's life. Read from where it stands, as is what is to be done next: the same news has the same id, however often it is read.
//
// Never: a value of a row, or words of a partner or a person, who may quote one.

import { errorCodes } from './errors.js'
import type { SagaState, StepState } from './state.js'
import { isOwed, phaseOf } from './state.js'
import type { Phase } from './phase.js'
import type { Saga } from './define.js'
import type { SagaStatus } from './status.js'

export type NoticeKind =
  | 'completed'
  /** No partner holds an effect any more, also because a person wanted it: the phase tells. */
  | 'compensated'
  /** It waits for a person. */
  | 'held'
  /** An undo is refused or can't be done for now; or, with phase `indebted`, was written off by name. */
  | 'owed'
  /** It has not moved when it said that it would, or the platform has stopped it. */
  | 'stuck'

export interface Notice {
  /** Of this news. It may arrive twice; it is the same news then. At most 128 characters, without a full stop. */
  readonly id: string
  readonly kind: NoticeKind
  /** Since when it is so; ISO 8601 in UTC. */
  readonly at: string
  readonly saga: string
  readonly version: number
  readonly instance: string
  readonly table: string
  readonly rowId: string
  readonly phase: Phase
  /** Those that it is about; none when it is about the whole. */
  readonly steps: readonly NoticeStep[]
}

export interface NoticeStep {
  readonly step: string
  readonly partner: string
  /** `HTTP 422`, or a code of ours such as `VALUE_TOO_LARGE`; absent when there is neither. */
  readonly code?: string
}

/** A notice, and who is to have it. */
export interface Delivery {
  readonly to: 'webhook' | 'topic'
  readonly notice: Notice
}

/** All that is worth telling of it now; what was told before is among it. */
export function noticesOf(saga: Saga, state: SagaState): readonly Notice[] {
  const { end, updatedAt } = state
  const tell = (kind: NoticeKind, at: string, steps: readonly NoticeStep[] = []): Notice => {
    const { name, version } = saga
    const { instance, event } = state
    const news = { ...newsOf(instance, end ?? kind, at), kind }
    return { ...aboutWhom(name, version, instance, event), ...news, phase: phaseOf(state), steps }
  }
  switch (end) {
    case 'completed':
      return [tell('completed', updatedAt)]
    case 'compensated':
    case 'cancelled':
      return [tell('compensated', updatedAt)]
    case 'indebted':
      return [
        tell(
          'owed',
          updatedAt,
          stepsOf(saga, state, ({ undoing }) => undoing?.writtenOff !== undefined),
        ),
      ]
    case 'merged':
      // Another one does its work, and tells.
      return []
    case undefined:
    default:
      return [...heldIn(saga, state, tell), ...owedIn(saga, state, tell)]
  }
}

type Tell = (kind: NoticeKind, at: string, steps: readonly NoticeStep[]) => Notice

const waitsForPerson = ({ doing, undoing }: StepState) => (undoing ?? doing).stand.at === 'person'

function heldIn(saga: Saga, state: SagaState, tell: Tell): Notice[] {
  if (state.held) return [tell('held', state.held.at, [])]
  const times = state.steps
    .filter(waitsForPerson)
    .map(({ doing, undoing }) => undoing?.endedAt ?? undoing?.debtSince ?? doing.endedAt ?? state.startedAt)
  const since = latest(times)
  return since === undefined ? [] : [tell('held', since, stepsOf(saga, state, waitsForPerson))]
}

function owedIn(saga: Saga, state: SagaState, tell: Tell): Notice[] {
  const since = latest(state.steps.filter(isOwed).flatMap(({ undoing }) => undoing?.debtSince ?? []))
  return since === undefined ? [] : [tell('owed', since, stepsOf(saga, state, isOwed))]
}

const latest = (times: readonly string[]) => times.toSorted().at(-1)

const stepsOf = (saga: Saga, state: SagaState, isMeant: (step: StepState) => boolean): NoticeStep[] =>
  saga.steps.flatMap(({ name, action: { partner } }, index) => {
    const step = state.steps[index]
    if (!step || !isMeant(step)) return []
    const { stand, reason } = step.undoing ?? step.doing
    const code = codeIn(stand.at === 'person' ? stand.why : reason)
    return [{ step: name, partner, ...(code !== undefined && { code }) }]
  })

/** Of one that the watchdog has found. @param since when it should have moved, or was stopped; milliseconds since 1970 */
export function stuckNotice(status: SagaStatus, since: number): Notice {
  const { id, saga, version, table, rowId, phase, waitsFor } = status
  const news = { ...newsOf(id, 'stuck', new Date(since).toISOString()), kind: 'stuck' } as const
  const asked = waitsFor ? [] : status.steps.filter(({ outcome, attempts }) => outcome === 'pending' && attempts > 0)
  const steps = asked.map(({ name: step, partner }) => ({ step, partner }))
  return { ...aboutWhom(saga, version, id, { table, rowId }), ...news, phase, steps }
}

const aboutWhom = (saga: string, version: number, instance: string, event: { table: string; rowId: string }) => ({
  saga,
  version,
  instance,
  table: event.table,
  rowId: event.rowId,
})

/** An instance id has 100 characters at most, a time in this form 8. */
const newsOf = (instance: string, what: string, at: string) => ({
  id: `${instance}:${what}:${Date.parse(at).toString(36)}`,
  at,
})

/** The part of a reason that quotes nobody. */
function codeIn(reason: string | undefined): string | undefined {
  const [word] = /\bHTTP \d{3}\b|\b[A-Z]+(?:_[A-Z]+)+\b/.exec(reason ?? '') ?? []
  return word === undefined || word.startsWith('HTTP ') || errorCodes.includes(word) ? word : undefined
}
