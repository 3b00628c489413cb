// An instance and its history as the management API shows them.

import { eventType, type HistoryEvent, nameOf } from './history.js'
import type { InstanceRow } from './tables.js'

export interface ViewOptions {
  readonly showInput: boolean
  readonly showHistoryOutput: boolean
  /** Undefined for a view without history. */
  readonly history: readonly HistoryEvent[] | undefined
}

export function statusView(row: InstanceRow, { showInput, showHistoryOutput, history }: ViewOptions): object {
  return {
    name: row.name,
    instanceId: row.id,
    runtimeStatus: row.status,
    input: showInput ? valueOf(row.input) : null,
    customStatus: valueOf(row.customStatus),
    output: valueOf(row.output),
    createdTime: wholeSeconds(row.createdAt),
    lastUpdatedTime: wholeSeconds(row.updatedAt),
    ...(history && { historyEvents: historyView(history, showInput, showHistoryOutput) }),
  }
}

/** What was scheduled is shown with its result; what only drives the replay is left out. */
function historyView(history: readonly HistoryEvent[], showInput: boolean, showOutput: boolean): object[] {
  const scheduled = new Map(history.filter(({ EventId }) => EventId >= 0).map((event) => [event.EventId, event]))
  return history.flatMap((event): object[] => {
    const { EventType, Timestamp, Name, Input, Result, Reason, Details, FireAt, OrchestrationStatus } = event
    const base = { EventType: nameOf(event), Timestamp }
    switch (EventType) {
      case eventType.OrchestratorStarted:
      case eventType.OrchestratorCompleted:
      case eventType.TaskScheduled:
      case eventType.SubOrchestrationInstanceCreated:
      case eventType.EventSent:
        return []
      case eventType.ExecutionStarted:
        return [{ ...base, FunctionName: Name, ...(showInput && { Input: valueOf(Input) }) }]
      case eventType.TaskCompleted:
      case eventType.TaskFailed:
      case eventType.SubOrchestrationInstanceCompleted:
      case eventType.SubOrchestrationInstanceFailed: {
        const task = scheduled.get(event.TaskScheduledId ?? -1)
        const answer =
          EventType === eventType.TaskFailed || EventType === eventType.SubOrchestrationInstanceFailed
            ? { Reason, Details }
            : showOutput
              ? { Result: valueOf(Result) }
              : {}
        const child = task?.InstanceId === undefined ? {} : { InstanceId: task.InstanceId }
        return [{ ...base, ...answer, ...child, ScheduledTime: task?.Timestamp, FunctionName: task?.Name }]
      }
      case eventType.ExecutionCompleted:
        return [{ ...base, OrchestrationStatus, ...(showOutput && { Result: valueOf(Result) }) }]
      case eventType.EventRaised:
        return [{ ...base, Name, ...(showInput && { Input: valueOf(Input) }) }]
      default:
        return [{ ...base, ...(FireAt && { FireAt }), ...(Reason && { Reason }) }]
    }
  })
}

/** A JSON text as the value that it says; any other text as itself. */
function valueOf(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const wholeSeconds = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`
