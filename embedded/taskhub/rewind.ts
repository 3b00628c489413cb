// What is left of a failed execution's history when its failures are taken back: what succeeded stays, what failed is asked for again.
//
// As on the platform, what was tried with retry options can't be rewound: the waits between its attempts stand in the history too.

import { eventType, type HistoryEvent } from './history.js'

export interface Rewound {
  readonly events: readonly HistoryEvent[]
  /** Sub-orchestrations that failed: they are rewound themselves, and answer again. */
  readonly children: readonly string[]
}

/** @param exists whether a sub-orchestration was ever begun under that id */
export function rewound(history: readonly HistoryEvent[], exists: (id: string) => boolean): Rewound {
  const failed = new Set(history.filter(isFailure).map(({ TaskScheduledId }) => TaskScheduledId))
  const isChild = ({ EventType, EventId, InstanceId }: HistoryEvent) =>
    EventType === eventType.SubOrchestrationInstanceCreated && failed.has(EventId) && exists(InstanceId ?? '')
  const isTakenBack = (event: HistoryEvent) =>
    event.EventType === eventType.ExecutionCompleted ||
    isFailure(event) ||
    (isScheduling(event) && failed.has(event.EventId) && !isChild(event))
  return {
    events: history.filter((event) => !isTakenBack(event)),
    children: history.filter(isChild).flatMap(({ InstanceId }) => (InstanceId === undefined ? [] : [InstanceId])),
  }
}

const isFailure = ({ EventType }: HistoryEvent) =>
  EventType === eventType.TaskFailed || EventType === eventType.SubOrchestrationInstanceFailed

const isScheduling = ({ EventType }: HistoryEvent) =>
  EventType === eventType.TaskScheduled || EventType === eventType.SubOrchestrationInstanceCreated
