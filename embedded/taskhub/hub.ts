// The task hub: durable orchestrations of one app in one process.
//
// Promises
//   H1  A turn is one commit: history, letters read, instance and everything newly scheduled. Activities and timers begin only after it.
//   H2  What is accepted from outside (a start, an event, a termination) is on disk before it is answered.
//   H3  An activity runs at least once. Its result need not be on disk before the turn that consumes it: until then the task is, and runs again.
//   H4  One turn per instance at a time; what comes meanwhile waits for the next, in the order in which it came.
//   H5  An answer to an execution that has ended or was replaced is dropped.
// Never: polls; runs two executions of one instance.

import { type Cancel, type Clock, newId } from '../clock.js'
import type { Reach } from '../crash-points.js'
import type { Log } from '../log.js'
import type { Changes, Store } from '../store/store.js'
import type { DurableCode } from './code.js'
import { rewound } from './rewind.js'
import {
  alreadyEnded,
  alreadyExists,
  badRequest,
  HubError,
  notEnded,
  notInThisState,
  noSuchInstance,
  noSuchOrchestrator,
} from './errors.js'
import { eventOf, eventType, type HistoryEvent } from './history.js'
import { type InstancePage, type InstanceQuery, pageOf } from './instances.js'
import { type Limit, limitOf } from './limit.js'
import type { Anew, Need } from './planner.js'
import type { HubSettings } from './settings.js'
import { hasEnded, type HubTables, type InstanceRow, type Letter, openHubTables, removeBelongings } from './tables.js'
import { childIdOf, type End, type TurnResult, turnOf } from './turn.js'

export interface HubOptions {
  readonly store: Store
  readonly clock: Clock
  readonly reach: Reach
  readonly log: Log
  readonly code: DurableCode
  readonly settings: HubSettings
}

/** An instance in memory: it has something to do, or had lately. */
interface Live {
  row: InstanceRow
  readonly events: HistoryEvent[]
  /** The events as JSON texts, separated by commas, all marked as played. */
  played: string
  readonly inbox: Arrival[]
  busy: boolean
}

/** An instance that is to begin: what is written, and what it finds first. */
interface Start {
  readonly row: InstanceRow
  /** The one of the same id that it replaces. */
  readonly existing: InstanceRow | undefined
  readonly event: HistoryEvent
  readonly letter: number
}

type Child =
  | { readonly kind: 'start'; readonly start: Start }
  | {
      readonly kind: 'refused'
      readonly arrival: { kind: 'event'; event: HistoryEvent; executionId: string; letter: number }
    }

/** Something that has come for an instance. */
type Arrival = (
  | { readonly kind: 'event'; readonly event: HistoryEvent }
  | { readonly kind: 'terminate' | 'suspend' | 'resume'; readonly reason: string }
) & {
  /** Its number on disk, if it is there. */
  readonly letter?: number
  /** Set on answers, which are for one execution only. */
  readonly executionId?: string
}

/** Instances in memory beyond those that have something to do. */
const mostIdle = 2_000

export class TaskHub {
  readonly settings: HubSettings
  readonly #options: HubOptions
  readonly #tables: HubTables
  readonly #live = new Map<string, Live>()
  /** Starts that are not on disk yet. */
  readonly #starting = new Map<string, Promise<void>>()
  /** By instance and number. */
  readonly #timers = new Map<string, Map<number, Cancel>>()
  readonly #running = new Set<Promise<void>>()
  readonly #activityLimit: Limit
  readonly #turnLimit: Limit
  readonly #ends = new Map<string, Set<() => void>>()
  #lastLetter = 0
  #closed = false

  constructor(options: HubOptions) {
    this.#options = options
    this.settings = options.settings
    this.#tables = openHubTables(options.store)
    this.#activityLimit = limitOf(options.settings.maxConcurrentActivityFunctions)
    this.#turnLimit = limitOf(options.settings.maxConcurrentOrchestratorFunctions)
  }

  /** Takes up what was under way when the process ended. */
  async recover(): Promise<void> {
    await this.#dropDeadLetters()
    for (const { key } of this.#tables.letters.entries()) this.#lastLetter = Math.max(this.#lastLetter, Number(key[1]))
    for (const { key, value } of this.#tables.tasks.entries())
      this.#begin(String(key[0]), value.executionId, {
        id: Number(key[1]),
        what: { kind: 'activity', name: value.name, input: value.input },
      })
    for (const { key, value } of this.#tables.timers.entries())
      this.#begin(String(key[0]), value.executionId, {
        id: Number(key[1]),
        what: { kind: 'timer', fireAt: value.fireAt },
      })
    for (const id of this.#addressees()) this.#kick(this.#load(id))
  }

  #addressees(): Set<string> {
    return new Set([...this.#tables.letters.entries()].map(({ key }) => String(key[0])))
  }

  /** A letter can come in the moment in which its instance ends. */
  async #dropDeadLetters(): Promise<void> {
    const dead = [...this.#addressees()].filter((id) => hasEnded(this.find(id)?.status ?? 'Terminated'))
    await this.#options.store.commit((changes) => {
      for (const id of dead)
        for (const { key } of this.#tables.letters.entries({ prefix: [id] })) changes.remove(this.#tables.letters, key)
    })
  }

  /** Begins no more turns and activities, waits for those that run. The store stays open. */
  async close(): Promise<void> {
    this.#closed = true
    for (const timers of this.#timers.values()) for (const cancel of timers.values()) cancel()
    await Promise.allSettled(this.#running)
  }

  /** What is on disk of an instance. */
  find(id: string): InstanceRow | undefined {
    return this.#tables.instances.get([id])
  }

  page(query: InstanceQuery): InstancePage {
    return pageOf(this.#tables, query)
  }

  historyOf(id: string): HistoryEvent[] {
    return [...this.#tables.history.entries({ prefix: [id] })].map(({ value }) => readEvent(value))
  }

  /**
   * Resolves with the id when the start is on disk. An instance of that id that has ended is replaced.
   * @param input JSON text or null
   * @throws HubError 400 for an unknown orchestrator, 409 while an instance of that id runs
   */
  async start(
    name: string,
    input: string | null,
    { id = newId(), version = this.settings.defaultVersion } = {},
  ): Promise<string> {
    const { code } = this.#options
    const registered = code.orchestrators.find((known) => known.toLowerCase() === name.toLowerCase())
    if (!registered) throw noSuchOrchestrator(name, code.orchestrators)
    // Whoever comes second is refused only when the first can be found.
    for (let other = this.#starting.get(id); other; other = this.#starting.get(id)) await other
    const existing = this.find(id)
    if (existing && !hasEnded(existing.status) && !this.settings.replaceRunning) throw alreadyExists(existing.status)
    const starting = this.#startNew(this.#newRow(id, registered, version, input), existing).finally(() =>
      this.#starting.delete(id),
    )
    this.#starting.set(id, starting)
    await starting
    return id
  }

  async #startNew(row: InstanceRow, existing: InstanceRow | undefined): Promise<void> {
    const start = this.#startOf(row, existing)
    await this.#options.store.commit((changes) => this.#writeStart(changes, start))
    this.#take(start)
  }

  #startOf(row: InstanceRow, existing: InstanceRow | undefined): Start {
    return { row, existing, event: this.#startedEvent(row), letter: this.#nextLetter() }
  }

  #writeStart(changes: Changes, { row, existing, event, letter }: Start): void {
    const { id } = row
    if (existing) {
      removeBelongings(changes, this.#tables, id)
      changes.remove(this.#tables.byCreation, [existing.createdAt, id])
    }
    changes.put(this.#tables.instances, [id], row)
    changes.put(this.#tables.byCreation, [row.createdAt, id], true)
    changes.put(this.#tables.letters, [id, letter], { kind: 'event', text: JSON.stringify(event) })
  }

  /** Once the start is on disk. */
  #take({ row, event, letter }: Start): void {
    const live: Live = { row, events: [], played: '', inbox: [{ kind: 'event', event, letter }], busy: false }
    this.#live.set(row.id, live)
    this.#kick(live)
  }

  /** The instance that a sub-orchestration begins, or the answer to its parent when its id is taken or nobody knows its orchestrator. */
  #childOf({ id, executionId }: InstanceRow, { id: task, what }: Need): Child[] {
    if (what.kind !== 'subOrchestration') return []
    const { code, clock } = this.#options
    const childId = childIdOf(what, task, executionId)
    const registered = code.orchestrators.find((known) => known.toLowerCase() === what.name.toLowerCase())
    const existing = this.find(childId)
    if (registered && (!existing || hasEnded(existing.status))) {
      const row = this.#newRow(childId, registered, what.version ?? this.settings.defaultVersion, what.input)
      return [{ kind: 'start', start: this.#startOf({ ...row, parent: { id, executionId, task } }, existing) }]
    }
    const refusal = registered ? alreadyExists('Running') : noSuchOrchestrator(what.name, code.orchestrators)
    const details = { TaskScheduledId: task, ...childFailure(what.name, refusal.message) }
    const event = eventOf('SubOrchestrationInstanceFailed', clock.now(), details)
    return [{ kind: 'refused', arrival: { kind: 'event', event, executionId, letter: this.#nextLetter() } }]
  }

  #writeChild(changes: Changes, id: string, child: Child): void {
    if (child.kind === 'start') return this.#writeStart(changes, child.start)
    const { event, letter, executionId } = child.arrival
    changes.put(this.#tables.letters, [id, letter], { kind: 'event', text: JSON.stringify(event), executionId })
  }

  /** @param input JSON text. @throws HubError 404, 410 */
  async raise(id: string, name: string, input: string | null): Promise<void> {
    const event = eventOf('EventRaised', this.#options.clock.now(), { Name: name, Input: input })
    this.#alive(id)
    const letter = await this.#post(id, { kind: 'event', text: JSON.stringify(event) })
    this.#deliver(id, { kind: 'event', event, letter })
  }

  /** @throws HubError 404, 410, 500 for a suspension of what is suspended, or a resumption of what is not */
  async command(id: string, kind: 'terminate' | 'suspend' | 'resume', reason: string): Promise<void> {
    const { status } = this.#alive(id)
    if (kind !== 'terminate' && (kind === 'suspend') === (status === 'Suspended'))
      throw notInThisState(id, kind, status)
    const letter = await this.#post(id, { kind, reason })
    this.#deliver(id, { kind, reason, letter })
  }

  /** Begins it once more with the same input, under a new id or its own. @throws HubError 400 for an unknown one, 409 while it runs and is to keep its id */
  restart(id: string, withNewId: boolean): Promise<string> {
    const row = this.find(id)
    if (!row) throw badRequest(`An orchestration with the instanceId '${id}' was not found.`)
    return this.start(row.name, row.input, { ...(withNewId ? {} : { id }), version: row.version })
  }

  /** Takes the failures of a failed instance back: it goes on from where it was. @throws HubError 404, 412 unless it has failed */
  async rewind(id: string, reason: string): Promise<void> {
    const failed = this.find(id)
    if (!failed) throw noSuchInstance()
    if (failed.status !== 'Failed') throw new HubError(412, 'Only a failed instance can be rewound.')
    const { events, children } = rewound(this.historyOf(id), (child) => this.find(child)?.status === 'Failed')
    const now = this.#options.clock.now()
    const row: InstanceRow = { ...failed, status: 'Running', output: null, updatedAt: now, events: events.length }
    const letter = this.#nextLetter()
    // Nothing has come but the word itself; it is what moves the instance.
    const event = eventOf('GenericEvent', now, { Name: 'Rewound', Reason: reason })
    await this.#options.store.commit((changes) => {
      for (const { key } of this.#tables.history.entries({ prefix: [id] })) changes.remove(this.#tables.history, key)
      this.#append(changes, id, 0, events)
      changes.put(this.#tables.letters, [id, letter], { kind: 'event', text: JSON.stringify(event) })
      changes.put(this.#tables.instances, [id], row)
    })
    this.#kick(this.#load(id))
    for (const child of children) await this.rewind(child, reason)
  }

  /** @throws HubError 404, 412 while it runs */
  async purge(id: string): Promise<void> {
    const row = this.find(id)
    if (!row) throw noSuchInstance()
    if (!hasEnded(row.status)) throw notEnded()
    this.#live.delete(id)
    await this.#options.store.commit((changes) => {
      removeBelongings(changes, this.#tables, id)
      changes.remove(this.#tables.byCreation, [row.createdAt, id])
      changes.remove(this.#tables.instances, [id])
    })
  }

  /** Resolves when the instance has ended, or after so many milliseconds; tells which. */
  async waitForEnd(id: string, ms: number): Promise<boolean> {
    const row = this.find(id)
    if (!row || hasEnded(row.status)) return true
    return new Promise((resolve) => {
      const waiters = this.#ends.get(id) ?? new Set()
      this.#ends.set(id, waiters)
      const ended = () => {
        cancel()
        resolve(true)
      }
      const cancel = this.#options.clock.after(ms, () => {
        waiters.delete(ended)
        resolve(false)
      })
      waiters.add(ended)
    })
  }

  #alive(id: string): InstanceRow {
    const row = this.#live.get(id)?.row ?? this.find(id)
    if (!row) throw noSuchInstance()
    if (hasEnded(row.status)) throw alreadyEnded()
    return row
  }

  async #post(id: string, letter: Letter): Promise<number> {
    const number = this.#nextLetter()
    await this.#options.store.commit((changes) => changes.put(this.#tables.letters, [id, number], letter))
    return number
  }

  #nextLetter(): number {
    this.#lastLetter += 1
    return this.#lastLetter
  }

  /** Hands over what has come, unless it is for an execution that is no more. */
  #deliver(id: string, arrival: Arrival): void {
    if (this.#closed) return
    const live = this.#load(id)
    if (!live || hasEnded(live.row.status)) return
    if (arrival.executionId !== undefined && arrival.executionId !== live.row.executionId) return
    // What was just read from disk may have brought the letter along.
    const isThere = arrival.letter !== undefined && live.inbox.some(({ letter }) => letter === arrival.letter)
    if (!isThere) live.inbox.push(arrival)
    this.#kick(live)
  }

  #kick(live: Live | undefined): void {
    if (!live || live.busy || this.#closed || live.inbox.length === 0) return
    live.busy = true
    const turns = this.#turnLimit(() => this.#turn(live)).finally(() => {
      live.busy = false
      this.#running.delete(turns)
      // While it is suspended only a command moves it.
      if (live.row.status !== 'Suspended' || live.inbox.some(({ kind }) => kind !== 'event')) this.#kick(live)
    })
    this.#running.add(turns)
  }

  async #turn(live: Live): Promise<void> {
    if (hasEnded(live.row.status)) return void live.inbox.splice(0)
    const arrivals = live.inbox.splice(0)
    const termination = arrivals.find(({ kind }) => kind === 'terminate')
    if (termination && termination.kind !== 'event') return this.#terminate(live, termination.reason)
    const commands = arrivals.filter((arrival) => arrival.kind !== 'event')
    const suspended = (commands.at(-1)?.kind ?? (live.row.status === 'Suspended' ? 'suspend' : 'resume')) === 'suspend'
    const events = arrivals.filter((arrival) => arrival.kind === 'event')
    if (suspended) live.inbox.unshift(...events)
    if (suspended || events.length === 0) return this.#obey(live, commands, suspended)
    await this.#runCode(live, [...commands, ...events])
  }

  /** Notes commands that need no code to run. */
  async #obey(live: Live, commands: readonly Arrival[], suspended: boolean): Promise<void> {
    const now = this.#options.clock.now()
    await this.#commit(
      live,
      commands,
      commands.map((command) => this.#eventIn(command, now)),
      {
        status: suspended ? 'Suspended' : 'Running',
        updatedAt: now,
      },
    )
  }

  #eventIn(arrival: Arrival, now: number): HistoryEvent {
    if (arrival.kind === 'event') return arrival.event
    return eventOf(arrival.kind === 'suspend' ? 'ExecutionSuspended' : 'ExecutionResumed', now, {
      Reason: arrival.reason,
    })
  }

  async #terminate(live: Live, reason: string): Promise<void> {
    const now = this.#options.clock.now()
    const events = [eventOf('OrchestratorStarted', now), eventOf('ExecutionTerminated', now, { Input: reason })]
    await this.#end(live, events, { status: 'Terminated', output: JSON.stringify(reason), updatedAt: now })
  }

  async #runCode(live: Live, arrivals: readonly Arrival[]): Promise<void> {
    const { code, reach } = this.#options
    const { row } = live
    const now = this.#timeOf(live, arrivals)
    const fresh = [eventOf('OrchestratorStarted', now), ...arrivals.map((arrival) => this.#eventIn(arrival, now))]
    const run = await code.runOrchestrator(row.name, payloadOf(live, fresh)).catch((error: unknown) => ({
      state: undefined,
      actions: undefined,
      failure: error instanceof Error ? error.message : String(error),
      threw: true,
    }))
    const history = [...live.events, ...fresh]
    const result = turnOf({ name: row.name, history, run, now, executionId: row.executionId })
    reach('hub:turn-computed')
    const change = {
      status: 'Running' as const,
      updatedAt: now,
      ...(result.customStatus === undefined ? {} : { customStatus: result.customStatus }),
    }
    if (result.end) await this.#endTurn(live, arrivals, [...fresh, ...result.events], result.end, change)
    else {
      await this.#commit(live, arrivals, [...fresh, ...result.events], change, result)
      reach('hub:turn-persisted')
      for (const id of result.cancel) this.#cancelTimer(row.id, id)
      for (const need of result.begin) this.#begin(row.id, row.executionId, need)
    }
  }

  /** Never before a timer that fires in this turn, nor before the turn before. */
  #timeOf({ events }: Live, arrivals: readonly Arrival[]): number {
    const due = arrivals.map((arrival) => (arrival.kind === 'event' ? Date.parse(arrival.event.FireAt ?? '') || 0 : 0))
    const last = events.findLast(({ EventType }) => EventType === eventType.OrchestratorStarted)
    return Math.max(this.#options.clock.now(), Date.parse(last?.Timestamp ?? '') || 0, ...due)
  }

  async #endTurn(
    live: Live,
    arrivals: readonly Arrival[],
    events: readonly HistoryEvent[],
    end: End,
    change: Partial<InstanceRow> & { updatedAt: number },
  ): Promise<void> {
    if (end.status === 'ContinuedAsNew') return this.#beginAnew(live, arrivals, end, change)
    const { status, output } = end
    const completed = eventOf('ExecutionCompleted', change.updatedAt, { OrchestrationStatus: status, Result: output })
    const stored = status === 'Failed' ? JSON.stringify(output) : output
    await this.#end(live, [...events, completed], { ...change, status, output: stored })
  }

  async #end(live: Live, events: readonly HistoryEvent[], change: Partial<InstanceRow>): Promise<void> {
    const { id } = live.row
    const row: InstanceRow = { ...live.row, ...change, events: live.events.length + events.length }
    const first = live.events.length
    const answer = this.#answerOf(row)
    const letter = answer && this.#nextLetter()
    await this.#options.store.commit((changes) => {
      this.#dropOutstanding(changes, id)
      for (const { key } of this.#tables.letters.entries({ prefix: [id] })) changes.remove(this.#tables.letters, key)
      this.#append(changes, id, first, events)
      changes.put(this.#tables.instances, [id], row)
      if (row.parent && letter !== undefined)
        changes.put(this.#tables.letters, [row.parent.id, letter], {
          kind: 'event',
          text: JSON.stringify(answer),
          executionId: row.parent.executionId,
        })
    })
    live.row = row
    live.inbox.length = 0
    this.#forget(id)
    if (row.parent && answer && letter !== undefined)
      this.#deliver(row.parent.id, { kind: 'event', event: answer, letter, executionId: row.parent.executionId })
  }

  /** What the caller of a sub-orchestration is told, in the same commit as its end; undefined if nobody has called, or not any more. */
  #answerOf({ name, status, output, parent, updatedAt }: InstanceRow): HistoryEvent | undefined {
    const caller = parent && this.find(parent.id)
    if (!parent || caller?.executionId !== parent.executionId || hasEnded(caller.status)) return undefined
    const at = { TaskScheduledId: parent.task }
    if (status === 'Completed')
      return eventOf('SubOrchestrationInstanceCompleted', updatedAt, { ...at, Result: output })
    const words: unknown = JSON.parse(output ?? '""')
    return eventOf('SubOrchestrationInstanceFailed', updatedAt, {
      ...at,
      ...childFailure(name, typeof words === 'string' ? words : JSON.stringify(words)),
    })
  }

  #forget(id: string): void {
    this.#live.delete(id)
    for (const cancel of this.#timers.get(id)?.values() ?? []) cancel()
    this.#timers.delete(id)
    for (const ended of this.#ends.get(id) ?? []) ended()
    this.#ends.delete(id)
  }

  /** Continue as new: the same instance, a new execution with an empty history. Events that came meanwhile stay. */
  async #beginAnew(
    live: Live,
    arrivals: readonly Arrival[],
    { input, raised }: Anew,
    change: Partial<InstanceRow>,
  ): Promise<void> {
    const { id } = live.row
    const row: InstanceRow = { ...live.row, ...change, input, executionId: newId(), events: 0 }
    const first = [this.#startedEvent(row), ...raised].map((event): Arrival & { kind: 'event'; letter: number } => ({
      kind: 'event',
      event,
      letter: this.#nextLetter(),
    }))
    await this.#options.store.commit((changes) => {
      this.#dropOutstanding(changes, id)
      for (const { key } of this.#tables.history.entries({ prefix: [id] })) changes.remove(this.#tables.history, key)
      this.#removeLetters(changes, id, arrivals)
      for (const { event, letter } of first)
        changes.put(this.#tables.letters, [id, letter], { kind: 'event', text: JSON.stringify(event) })
      changes.put(this.#tables.instances, [id], row)
    })
    live.row = row
    live.events.length = 0
    live.played = ''
    const kept = live.inbox.filter(({ executionId }) => executionId === undefined)
    live.inbox.splice(0, live.inbox.length, ...first, ...kept)
  }

  async #commit(
    live: Live,
    arrivals: readonly Arrival[],
    events: readonly HistoryEvent[],
    change: Partial<InstanceRow>,
    result?: TurnResult,
  ): Promise<void> {
    const { id, executionId } = live.row
    const first = live.events.length
    const row: InstanceRow = { ...live.row, ...change, events: first + events.length }
    const children = (result?.begin ?? []).flatMap((need) => this.#childOf(row, need))
    await this.#options.store.commit((changes) => {
      for (const child of children) this.#writeChild(changes, id, child)
      this.#removeLetters(changes, id, arrivals)
      this.#append(changes, id, first, events)
      for (const arrival of arrivals) if (arrival.kind === 'event') this.#removeAnswered(changes, id, arrival.event)
      for (const timer of result?.cancel ?? []) changes.remove(this.#tables.timers, [id, timer])
      for (const { id: number, what } of result?.begin ?? [])
        if (what.kind === 'timer') changes.put(this.#tables.timers, [id, number], { executionId, fireAt: what.fireAt })
        else if (what.kind === 'activity')
          changes.put(this.#tables.tasks, [id, number], { executionId, name: what.name, input: what.input })
      changes.put(this.#tables.instances, [id], row)
    })
    live.row = row
    live.events.push(...events)
    live.played = [live.played, ...events.map((event) => textOf(event, true))].filter(Boolean).join(',')
    for (const child of children)
      if (child.kind === 'start') this.#take(child.start)
      else this.#deliver(id, child.arrival)
  }

  #append(changes: Changes, id: string, first: number, events: readonly HistoryEvent[]): void {
    events.forEach((event, index) => changes.put(this.#tables.history, [id, first + index], JSON.stringify(event)))
  }

  #removeLetters(changes: Changes, id: string, arrivals: readonly Arrival[]): void {
    for (const { letter } of arrivals) if (letter !== undefined) changes.remove(this.#tables.letters, [id, letter])
  }

  #removeAnswered(changes: Changes, id: string, { TaskScheduledId, TimerId }: HistoryEvent): void {
    if (TaskScheduledId !== undefined) changes.remove(this.#tables.tasks, [id, TaskScheduledId])
    if (TimerId !== undefined) changes.remove(this.#tables.timers, [id, TimerId])
  }

  #dropOutstanding(changes: Changes, id: string): void {
    for (const table of [this.#tables.tasks, this.#tables.timers])
      for (const { key } of table.entries({ prefix: [id] })) changes.remove(table, key)
  }

  #begin(id: string, executionId: string, { id: number, what }: Need): void {
    if (this.#closed) return
    if (what.kind === 'timer') return this.#armTimer(id, executionId, number, what.fireAt)
    // It runs by itself, and tells its parent when it has ended.
    if (what.kind === 'subOrchestration') return
    const running = this.#activityLimit(() =>
      this.#runActivity(id, executionId, number, what.name, what.input),
    ).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #runActivity(
    id: string,
    executionId: string,
    number: number,
    name: string,
    input: string | undefined,
  ): Promise<void> {
    if (this.#closed) return
    const { code, clock, reach } = this.#options
    const answer = await code.runActivity(name, input, id).then(
      (result) => ({ name: 'TaskCompleted' as const, details: { Result: result } }),
      (error: unknown) => ({ name: 'TaskFailed' as const, details: failureDetails(name, error) }),
    )
    reach('hub:activity-done')
    const event = eventOf(answer.name, clock.now(), { TaskScheduledId: number, ...answer.details })
    this.#deliver(id, { kind: 'event', event, executionId })
  }

  #armTimer(id: string, executionId: string, number: number, fireAt: number): void {
    const { clock } = this.#options
    const cancel = clock.after(Math.max(0, fireAt - clock.now()), () => {
      this.#dropTimer(id, number)
      const event = eventOf('TimerFired', clock.now(), { TimerId: number, FireAt: new Date(fireAt).toISOString() })
      this.#deliver(id, { kind: 'event', event, executionId })
    })
    this.#timers.set(id, (this.#timers.get(id) ?? new Map<number, Cancel>()).set(number, cancel))
  }

  #cancelTimer(id: string, number: number): void {
    this.#timers.get(id)?.get(number)?.()
    this.#dropTimer(id, number)
  }

  #dropTimer(id: string, number: number): void {
    const own = this.#timers.get(id)
    own?.delete(number)
    if (own?.size === 0) this.#timers.delete(id)
  }

  /** From memory or from disk; undefined for an instance that was purged. */
  #load(id: string): Live | undefined {
    const known = this.#live.get(id)
    if (known) {
      // Moved to the end: the longest unused ones stand first.
      this.#live.delete(id)
      this.#live.set(id, known)
      return known
    }
    const row = this.find(id)
    if (!row) return undefined
    const events = this.historyOf(id)
    const inbox = [...this.#tables.letters.entries({ prefix: [id] })].map(({ key, value }) =>
      arrivalOf(Number(key[1]), value),
    )
    // A new execution begins with its start, even if an event was there before it.
    inbox.sort((a, b) => Number(isStart(b)) - Number(isStart(a)))
    const live: Live = { row, events, played: events.map((event) => textOf(event, true)).join(','), inbox, busy: false }
    if (!hasEnded(row.status)) this.#remember(id, live)
    return live
  }

  #remember(id: string, live: Live): void {
    this.#live.set(id, live)
    if (this.#live.size <= mostIdle) return
    for (const [other, { busy, inbox }] of this.#live)
      if (other !== id && !busy && inbox.length === 0) {
        this.#live.delete(other)
        return
      }
  }

  #newRow(id: string, name: string, version: string, input: string | null): InstanceRow {
    const now = this.#options.clock.now()
    return {
      id,
      name,
      version,
      executionId: newId(),
      status: 'Pending',
      input,
      output: null,
      customStatus: null,
      createdAt: now,
      updatedAt: now,
      events: 0,
    }
  }

  #startedEvent({ id, executionId, name, version, input, parent }: InstanceRow): HistoryEvent {
    return eventOf('ExecutionStarted', this.#options.clock.now(), {
      Name: name,
      Version: version,
      Input: input,
      OrchestrationInstance: { InstanceId: id, ExecutionId: executionId },
      ParentInstance: parent ? { InstanceId: parent.id } : null,
      Tags: null,
    })
  }
}

/** The trigger's JSON text: the history with the fresh events at its end, and the input as a value. */
function payloadOf({ row, played }: Live, fresh: readonly HistoryEvent[]): string {
  const history = [played, ...fresh.map((event) => textOf(event, false))].filter(Boolean).join(',')
  const rest = JSON.stringify({
    instanceId: row.id,
    isReplaying: played !== '',
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

const textOf = (event: HistoryEvent, isPlayed: boolean) =>
  `${JSON.stringify(event).slice(0, -1)},"IsPlayed":${isPlayed}}`

// What stands in the store was written by `JSON.stringify` above.
function readEvent(text: string): HistoryEvent {
  const event: HistoryEvent = JSON.parse(text)
  return event
}

function arrivalOf(letter: number, written: Letter): Arrival {
  return written.kind === 'event'
    ? {
        kind: 'event',
        event: readEvent(written.text),
        letter,
        ...(written.executionId === undefined ? {} : { executionId: written.executionId }),
      }
    : { kind: written.kind, reason: written.reason, letter }
}

const isStart = (arrival: Arrival) => arrival.kind === 'event' && arrival.event.EventType === eventType.ExecutionStarted

function childFailure(name: string, words: string) {
  return { Reason: `Sub-orchestration '${name}' failed: ${words}`, Details: words, FailureDetails: null }
}

function failureDetails(name: string, error: unknown) {
  const words = error instanceof Error ? error.message : String(error)
  return {
    Reason: `Activity function '${name}' failed: ${words}`,
    Details: error instanceof Error ? (error.stack ?? words) : words,
    FailureDetails: null,
  }
}
