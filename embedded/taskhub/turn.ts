// One turn of one orchestration, once its code has run: what is new, what has to be done, and whether it is over. Pure but for the
// planner that it is given, which it moves on.

import { z } from 'zod'
import type { OrchestratorRun, OrchestratorState } from '../orchestrator-run.js'
import { eventOf, eventType, type HistoryEvent } from './history.js'
import {
  type Anew,
  answerNameOf,
  isEntityMessage,
  type EntityMessage,
  type Need,
  partsOf,
  type Plan,
  Planner,
  type SubOrchestration,
  UnsupportedAction,
} from './planner.js'

export interface TurnInput {
  readonly name: string
  /** With the events of this turn. */
  readonly history: readonly HistoryEvent[]
  readonly run: OrchestratorRun
  /** Milliseconds since 1970. */
  readonly now: number
  readonly executionId: string
  /** As what entities know who sends. */
  readonly instanceId?: string
  /** Milliseconds until a call of HTTP asks again that was not told when. */
  readonly httpPollAfter?: number
  /** Of the turn before, for a run that tells only what is new since. */
  readonly planner?: Planner | undefined
}

export interface TurnResult {
  /** To be appended to the history. */
  readonly events: readonly HistoryEvent[]
  /** To be begun after the turn is on disk. */
  readonly begin: readonly Need[]
  /** Timers to be taken back. */
  readonly cancel: readonly number[]
  /** JSON text; undefined leaves the old one. */
  readonly customStatus: string | undefined
  readonly end: End | undefined
  /** For the next turn. */
  readonly planner: Planner
}

/** Output is JSON text or null. */
export type End =
  | { readonly status: 'Completed'; readonly output: string | null }
  | { readonly status: 'Failed'; readonly output: string }
  | ({ readonly status: 'ContinuedAsNew' } & Anew)

/** In bytes, of an instance or an entity: it is part of keys. */
const longestId = 1_000

const idIn = (what: Need['what']): string =>
  what.kind === 'subOrchestration' ? (what.instanceId ?? '') : isEntityMessage(what) ? what.entity : ''

/** The platform's limit, in bytes of UTF-16. */
const largestCustomStatus = 16 * 1024

/** What is told of an orchestration that has failed, in the platform's words. */
export const failureOf = (name: string, why: string) => `Orchestrator function '${name}' failed: ${why}`

export function turnOf({
  name,
  history,
  run,
  now,
  executionId,
  instanceId = '',
  httpPollAfter = 30_000,
  planner: before,
}: TurnInput): TurnResult {
  const isMore = run.actions === undefined && run.state?.known !== undefined
  const planner = isMore && before ? before : new Planner(httpPollAfter)
  const fail = (why: string): TurnResult => ({
    events: [],
    begin: [],
    cancel: [],
    customStatus: undefined,
    end: { status: 'Failed', output: failureOf(name, why) },
    planner,
  })
  if (run.failure !== undefined) return fail(run.failure)
  const { state } = run
  if (!state) return fail('it returned no state that can be read')
  const { customStatus } = state
  if (customStatus && customStatus.length * 2 > largestCustomStatus)
    return fail('the custom status is larger than 16 KB of UTF-16 text')
  let plan: Plan
  try {
    plan = planner.plan(run.actions ?? listIn(state.actions), history)
  } catch (error) {
    if (error instanceof UnsupportedAction || error instanceof z.ZodError) return fail(error.message)
    throw error
  }
  const tooLong = plan.needs.find(({ what }) => Buffer.byteLength(idIn(what)) > longestId)
  if (tooLong) return fail(`an id has more than ${longestId} bytes: ${idIn(tooLong.what).slice(0, 50)}…`)
  const difference = differenceBetween(plan, history)
  if (difference) return fail(`Non-Deterministic workflow detected: ${difference}`)
  const known = new Set(history.filter(isScheduling).map(({ EventId }) => EventId))
  const begin = plan.needs.filter(({ id }) => !known.has(id) && !plan.cancelled.includes(id))
  // A timer that was cancelled in the turn that made it leaves its trace too: its number is taken.
  const scheduled = plan.needs
    .filter(({ id }) => !known.has(id))
    .map((need) => schedulingOf(need, now, { executionId, instanceId }))
  return {
    events: [...scheduled, eventOf('OrchestratorCompleted', now)],
    begin,
    cancel: plan.cancelled,
    customStatus,
    end: endOf(name, state, run, plan),
    planner,
  }
}

/** It may not end while something that it asked for is still out. */
function endOf(name: string, state: OrchestratorState, run: OrchestratorRun, plan: Plan): End | undefined {
  if (plan.open.size > 0) return undefined
  if (run.threw)
    return {
      status: 'Failed',
      output: failureOf(name, state.error ?? 'an error without words'),
    }
  if (!state.isDone) return undefined
  if (plan.next) return { status: 'ContinuedAsNew', ...plan.next }
  return { status: 'Completed', output: state.output ?? null }
}

interface Sender {
  readonly instanceId: string
  readonly executionId: string
}

function schedulingOf({ id, what }: Need, now: number, sender: Sender): HistoryEvent {
  switch (what.kind) {
    case 'subOrchestration':
      return eventOf('SubOrchestrationInstanceCreated', now, {
        EventId: id,
        InstanceId: childIdOf(what, id, sender.executionId),
        Name: what.name,
        Version: what.version ?? '',
        Input: what.input,
      })
    case 'entityCall':
    case 'entitySignal':
    case 'entityLock':
    case 'entityRelease':
      return eventOf('EventSent', now, {
        EventId: id,
        InstanceId: what.entity,
        Name: what.kind === 'entityRelease' ? 'release' : 'op',
        Input: JSON.stringify(messageOf(id, what, sender)),
      })
    case 'timer':
      return eventOf('TimerCreated', now, { EventId: id, FireAt: new Date(what.fireAt).toISOString() })
    case 'activity':
    default:
      return eventOf('TaskScheduled', now, { EventId: id, Name: what.name, Version: '', Input: null })
  }
}

/** What an entity is sent, in the platform's words. */
function messageOf(id: number, what: EntityMessage, { instanceId: parent, executionId }: Sender): object {
  const name = answerNameOf(id)
  switch (what.kind) {
    case 'entityRelease':
      return { parent, id: name }
    case 'entityLock':
      return { id: name, lockset: what.set.map(partsOf), pos: 0, parent, parentExecution: executionId }
    case 'entityCall':
    case 'entitySignal':
    default: {
      const { operation: op, input } = what
      const signal = what.kind === 'entitySignal'
      return {
        op,
        id: name,
        parent,
        parentExecution: executionId,
        ...(input !== null && { input }),
        ...(signal && { signal }),
      }
    }
  }
}

/** An id that is not given is made of the parent's execution: the same in every replay, another in every execution. */
export const childIdOf = ({ instanceId }: SubOrchestration, id: number, executionId: string) =>
  instanceId ?? `${executionId}:${id}`

const isScheduling = ({ EventType }: HistoryEvent) =>
  EventType === eventType.TaskScheduled ||
  EventType === eventType.TimerCreated ||
  EventType === eventType.SubOrchestrationInstanceCreated ||
  EventType === eventType.EventSent

/** Where the history and the code of today disagree, in words. */
function differenceBetween({ needs }: Plan, history: readonly HistoryEvent[]): string | undefined {
  const byNumber = new Map(needs.map((need) => [need.id, need]))
  for (const event of history.filter(isScheduling)) {
    const need = byNumber.get(event.EventId)
    const was = wordsOf(kindOf(event), event.Name)
    const is = need ? wordsOf(need.what.kind, 'name' in need.what ? need.what.name : undefined) : 'nothing'
    if (was.toLowerCase() !== is.toLowerCase())
      return `as number ${event.EventId} the history has ${was}, the code asks for ${is}`
  }
  return undefined
}

const kindOf = ({ EventType }: HistoryEvent): string =>
  EventType === eventType.TimerCreated
    ? 'timer'
    : EventType === eventType.TaskScheduled
      ? 'activity'
      : EventType === eventType.EventSent
        ? 'entity'
        : 'subOrchestration'

function wordsOf(kind: string, name: string | undefined): string {
  if (kind === 'timer') return 'a timer'
  if (kind.startsWith('entity')) return 'a message to an entity'
  return `${kind === 'activity' ? 'activity' : 'sub-orchestration'} '${name}'`
}

function listIn(text: string): readonly unknown[] {
  const list: unknown[] = JSON.parse(text)
  return list
}
