// Instances in memory: those that have something to do, or had lately. Everything in them is on disk too.

import { BriefMap } from '../brief-map.js'
import { eventType, type HistoryEvent } from './history.js'
import type { Planner } from './planner.js'
import { hasEnded, type HubTables, instanceIn, type InstanceRow, type Letter } from './tables.js'

export interface Live {
  row: InstanceRow
  readonly events: HistoryEvent[]
  /** The first of the events as JSON texts, marked as played, as far as a replay has needed them. */
  readonly played: string[]
  /** Text of the last events, which the orchestrator has not seen that may have stayed in memory; undefined if it has not. */
  unseen: string | undefined
  /** What it has asked for until then. */
  planner: Planner | undefined
  readonly inbox: Arrival[]
  busy: boolean
}

/** Something that has come for an instance. */
export type Arrival = (
  | { readonly kind: 'event'; readonly event: HistoryEvent }
  | { readonly kind: 'terminate' | 'suspend' | 'resume'; readonly reason: string }
) & {
  /** Its number on disk, if it is there. */
  readonly letter?: number
  /** Set on answers, which are for one execution only. */
  readonly executionId?: string
}

/** Instances beyond those that have something to do. */
const mostIdle = 2_000

export class LiveInstances {
  readonly #tables: HubTables
  /** The longest unused ones first. */
  readonly #live = new BriefMap<string, Live>()

  constructor(tables: HubTables) {
    this.#tables = tables
  }

  /** Only what is in memory. */
  known(id: string): Live | undefined {
    return this.#live.get(id)
  }

  /** From memory or from disk; undefined for an instance that was purged. */
  load(id: string): Live | undefined {
    const known = this.#live.get(id)
    if (known) {
      this.#live.delete(id)
      this.#live.set(id, known)
      return known
    }
    const row = instanceIn(this.#tables, id)
    if (!row) return undefined
    const events = historyIn(this.#tables, row)
    const inbox = [...this.#tables.letters.entries({ prefix: [id] })]
      .map(({ key, value }) => arrivalOf(Number(key[1]), value))
      // What was for an execution before this one is nobody's any more.
      .filter(({ executionId }) => executionId === undefined || executionId === row.executionId)
    // A new execution begins with its start, even if an event was there before it.
    inbox.sort((a, b) => Number(isStart(b)) - Number(isStart(a)))
    const live: Live = { row, events, played: [], unseen: undefined, planner: undefined, inbox, busy: false }
    if (!hasEnded(row.status)) this.#remember(id, live)
    return live
  }

  add(live: Live): void {
    this.#remember(live.row.id, live)
  }

  /** Those for which something has come. */
  waiting(): Live[] {
    return [...this.#live.values()].filter(({ inbox }) => inbox.length > 0)
  }

  forget(id: string): void {
    this.#live.delete(id)
  }

  #remember(id: string, live: Live): void {
    this.#live.set(id, live)
    if (this.#live.size <= mostIdle) return
    for (const { row, busy, inbox } of this.#live.values())
      if (row.id !== id && !busy && inbox.length === 0) {
        this.#live.delete(row.id)
        return
      }
  }
}

export const historyIn = (tables: HubTables, { createdAt, id }: InstanceRow): HistoryEvent[] =>
  [...tables.history.entries({ prefix: [createdAt, id] })].flatMap(({ value }) => readEvents(value))

/** The trigger's JSON text: the history with the fresh events at its end, and the input as a value. */
export function payloadOf({ row, events, played }: Live, fresh: readonly HistoryEvent[]): string {
  for (const event of events.slice(played.length)) played.push(withMark(event, true))
  const history = [...played, ...fresh.map((event) => withMark(event, false))].join(',')
  const rest = JSON.stringify({
    instanceId: row.id,
    isReplaying: played.length > 0,
    parentInstanceId: row.parent?.id ?? null,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    // No timer is too long here: the SDK need not cut one into slices.
    longRunningTimerIntervalDuration: '10000.00:00:00',
    maximumShortTimerDuration: '10000.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  })
  return `{"history":[${history}],"input":${row.input ?? 'null'},${rest.slice(1)}`
}

/** JSON texts, separated by commas. */
export const textOfAll = (events: readonly HistoryEvent[]): string =>
  events.map((event) => JSON.stringify(event)).join(',')

const withMark = (event: HistoryEvent, isPlayed: boolean) =>
  `${JSON.stringify(event).slice(0, -1)},"IsPlayed":${isPlayed}}`

// What stands in the store was written by `JSON.stringify`, by the hub.
function readEvents(text: string): HistoryEvent[] {
  const events: HistoryEvent[] = JSON.parse(`[${text}]`)
  return events
}

function arrivalOf(letter: number, written: Letter): Arrival {
  if (written.kind !== 'event') return { kind: written.kind, reason: written.reason, letter }
  const { text, executionId } = written
  const event: HistoryEvent = JSON.parse(text)
  return { kind: 'event', event, letter, ...(executionId === undefined ? {} : { executionId }) }
}

const isStart = (arrival: Arrival) => arrival.kind === 'event' && arrival.event.EventType === eventType.ExecutionStarted
