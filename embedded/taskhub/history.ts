// The events of an orchestration, in the form in which the SDK is given them.

import type { FailureDetails } from './failure-details.js'

/** The SDK wants numbers, not names. */
export const eventType = {
  ExecutionStarted: 0,
  ExecutionCompleted: 1,
  ExecutionTerminated: 3,
  TaskScheduled: 4,
  TaskCompleted: 5,
  TaskFailed: 6,
  SubOrchestrationInstanceCreated: 7,
  SubOrchestrationInstanceCompleted: 8,
  SubOrchestrationInstanceFailed: 9,
  TimerCreated: 10,
  TimerFired: 11,
  OrchestratorStarted: 12,
  OrchestratorCompleted: 13,
  EventSent: 14,
  EventRaised: 15,
  GenericEvent: 17,
  ExecutionSuspended: 19,
  ExecutionResumed: 20,
} as const

export type EventName = keyof typeof eventType

/** Timestamps are ISO 8601 in UTC; inputs and results are JSON texts or null. */
export interface HistoryEvent {
  readonly EventType: number
  /** The sequence number of what was scheduled; -1 on everything that came in. */
  readonly EventId: number
  readonly Timestamp: string
  readonly Name?: string
  readonly Version?: string | null
  readonly Input?: string | null
  readonly Result?: string | null
  readonly TaskScheduledId?: number
  readonly TimerId?: number
  readonly FireAt?: string
  readonly Reason?: string
  readonly Details?: string
  readonly FailureDetails?: FailureDetails | null
  readonly OrchestrationStatus?: string
  readonly OrchestrationInstance?: { readonly InstanceId: string; readonly ExecutionId: string }
  readonly InstanceId?: string
  readonly ParentInstance?: { readonly InstanceId: string } | null
  readonly Tags?: null
}

type Details = Omit<Partial<HistoryEvent>, 'EventType' | 'Timestamp'>

export function eventOf(name: EventName, at: number, details: Details = {}): HistoryEvent {
  return { EventType: eventType[name], EventId: -1, Timestamp: timestampOf(at), ...details }
}

/** All events of a turn have the same. */
function timestampOf(at: number): string {
  if (at !== last.at) last = { at, text: new Date(at).toISOString() }
  return last.text
}
let last = { at: Number.NaN, text: '' }

const names = new Map<number, EventName>()
for (const name of [
  'ExecutionStarted',
  'ExecutionCompleted',
  'ExecutionTerminated',
  'TaskScheduled',
  'TaskCompleted',
  'TaskFailed',
  'SubOrchestrationInstanceCreated',
  'SubOrchestrationInstanceCompleted',
  'SubOrchestrationInstanceFailed',
  'TimerCreated',
  'TimerFired',
  'OrchestratorStarted',
  'OrchestratorCompleted',
  'EventSent',
  'EventRaised',
  'GenericEvent',
  'ExecutionSuspended',
  'ExecutionResumed',
] as const)
  names.set(eventType[name], name)

export const nameOf = ({ EventType }: HistoryEvent): EventName => names.get(EventType) ?? 'OrchestratorCompleted'
