// The task hub: durable orchestrations of one app in one process.
//
// Promises
//   H1  A turn is one commit: history, letters read, instance and everything newly scheduled. Activities and timers begin only after it.
//   H2  What is accepted from outside (a start, an event, a termination) is on disk before it is answered.
//   H3  An activity runs at least once. Its result need not be on disk before the turn that consumes it: until then the task is, and runs again.
//   H4  One turn per instance at a time; what comes meanwhile waits for the next, in the order in which it came.
//   H5  An answer to an execution that has ended or was replaced is dropped.
// Never: polls; runs two executions of one instance.

import { type Clock, newId } from '../clock.js'
import type { Reach } from '../crash-points.js'
import type { Log } from '../log.js'
import { type Lose, loseNothing } from '../losses.js'
import type { OrchestratorRun } from '../orchestrator-run.js'
import type { Store } from '../store/store.js'
import type { DurableCode } from './code.js'
import { Ends } from './ends.js'
import { Entities } from './entities.js'
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
import { callHttp, httpActivity, type TokenFor } from './http-activity.js'
import { packedFailure } from './failure-details.js'
import { type InstancePage, type InstanceQuery, pageOf } from './instances.js'
import { type Limit, limitOf } from './limit.js'
import { type Arrival, historyIn, type Live, LiveInstances, payloadOf, textOfAll } from './live.js'
import { migrate } from './migration.js'
import { type Anew, answerNameOf, type EntityMessage, isEntityMessage, type Need } from './planner.js'
import { Quarantine, type Suspect } from './quarantine.js'
import { rewound } from './rewind.js'
import type { HubSettings } from './settings.js'
import {
  type EntityRequest,
  hasEnded,
  type HubTables,
  instanceIn,
  type InstanceRow,
  type Letter,
  openHubTables,
  removeInstance,
} from './tables.js'
import { Timers } from './timers.js'
import { childIdOf, type End, failureOf, type TurnResult, turnOf } from './turn.js'
import { isServed } from './versions.js'
import { type Start, Writing } from './writing.js'

export interface HubOptions {
  readonly store: Store
  readonly clock: Clock
  readonly reach: Reach
  /** What goes missing on its way; nothing if absent. */
  readonly lose?: Lose
  readonly log: Log
  readonly code: DurableCode
  readonly settings: HubSettings
  readonly tokenFor: TokenFor
}

/** Why what kills the process is not tried again. */
const lethal = 'the process died whenever it ran.'

type Child =
  | { readonly kind: 'start'; readonly start: Start }
  | {
      readonly kind: 'refused'
      readonly arrival: { kind: 'event'; event: HistoryEvent; executionId: string; letter: number }
    }

export class TaskHub {
  readonly settings: HubSettings
  readonly #options: HubOptions
  readonly #lose: Lose
  readonly #tables: HubTables
  readonly #live: LiveInstances
  /** Starts that are not on disk yet. */
  readonly #starting = new Map<string, Promise<void>>()
  readonly #timers: Timers
  readonly entities: Entities
  readonly #running = new Set<Promise<void>>()
  readonly #activityLimit: Limit
  readonly #turnLimit: Limit
  readonly #ends: Ends
  readonly #quarantine: Quarantine
  /** Nothing begins while those are watched that may have killed the process. */
  #isQuiet = false
  #lastLetter = 0
  #closed = false

  constructor(options: HubOptions) {
    this.#options = options
    this.#lose = options.lose ?? loseNothing
    this.settings = options.settings
    this.#tables = openHubTables(options.store)
    this.#live = new LiveInstances(this.#tables)
    this.#timers = new Timers(options.clock)
    this.entities = new Entities({
      ...options,
      tables: this.#tables,
      nextLetter: () => this.#nextLetter(),
      isQuiet: () => this.#isQuiet,
      isAlive: (id, executionId) => {
        const row = this.find(id)
        return row !== undefined && !hasEnded(row.status) && executionId === (executionId && row.executionId)
      },
      deliver: (id, event, letter, executionId) => this.#deliver(id, { kind: 'event', event, letter, executionId }),
    })
    this.#ends = new Ends(options.clock)
    this.#quarantine = new Quarantine(options.store, options.clock, this.#tables.suspects, () => options.code.turns())
    this.#activityLimit = limitOf(options.settings.maxConcurrentActivityFunctions)
    this.#turnLimit = limitOf(options.settings.maxConcurrentOrchestratorFunctions)
  }

  /**
   * Takes up what was under way when the process ended.
   * @param diedOfItself whether it was the app's code that ended it, and not somebody from outside
   */
  async recover({ diedOfItself = false } = {}): Promise<void> {
    await migrate(this.#options.store, this.#tables)
    await this.#dropDeadLetters()
    for (const table of [this.#tables.letters, this.#tables.entityInbox])
      for (const { key } of table.entries()) this.#lastLetter = Math.max(this.#lastLetter, Number(key[1]))
    const watched = diedOfItself ? await this.#findCulprit() : new Set<string>()
    if (!diedOfItself) await this.#quarantine.acquitAll()
    await this.entities.recover()
    for (const { id, number, task } of this.#outstanding())
      if (!watched.has(`${id} ${number}`))
        this.#begin(id, task.executionId, {
          id: number,
          what: { kind: 'activity', name: task.name, input: task.input },
        })
    for (const { key, value } of this.#tables.timers.entries())
      if (!watched.has(`${String(key[0])} ${Number(key[1])}`))
        this.#begin(String(key[0]), value.executionId, {
          id: Number(key[1]),
          what: { kind: 'timer', fireAt: value.fireAt },
        })
    for (const id of this.#addressees()) this.#kick(this.#live.load(id))
    for (const live of this.#live.waiting()) this.#kick(live)
  }

  /** Activities whose result is not known. */
  #outstanding() {
    return [...this.#tables.tasks.entries()].map(({ key, value }) => ({
      id: String(key[0]),
      number: Number(key[1]),
      task: value,
    }))
  }

  /** Fails what has killed the process, and runs alone what may have. Resolves with the activities that have run now, and the timers that have fired. */
  async #findCulprit(): Promise<Set<string>> {
    const watched = new Set<string>()
    this.#isQuiet = true
    for (const suspect of this.#quarantine.guilty()) await this.#convict(suspect)
    for (const { id, number, task } of this.#outstanding()) {
      watched.add(`${id} ${number}`)
      await this.#quarantine.watch({ id, what: number }, () =>
        this.#runActivity(id, task.executionId, number, task.name, task.input),
      )
    }
    // Answers of what has run now are in no letter, nor is a timer that was due.
    for (const { key, value } of this.#tables.timers.entries()) {
      if (value.fireAt > this.#options.clock.now()) continue
      const [id, number] = [String(key[0]), Number(key[1])]
      watched.add(`${id} ${number}`)
      this.#fire(id, value.executionId, number, value.fireAt)
    }
    for (const id of new Set([...this.#addressees(), ...this.#live.waiting().map(({ row }) => row.id)])) {
      const live = this.#live.load(id)
      if (live && !this.#isForOthers(live)) await this.#quarantine.watch({ id, what: 'turn' }, () => this.#turn(live))
    }
    for (const entity of this.entities.asked())
      await this.#quarantine.watch({ id: entity, what: 'entity' }, () => this.entities.workOff(entity))
    this.#isQuiet = false
    return watched
  }

  async #convict(suspect: Suspect): Promise<void> {
    const { id, what } = suspect
    const { log, clock } = this.#options
    const now = clock.now()
    const row = this.find(id)
    const task = typeof what === 'number' ? this.#tables.tasks.get([id, what]) : undefined
    log('error', 'hub', `${task ? `Activity '${task.name}'` : `The ${what}`} of '${id}' fails: ${lethal}`)
    if (what === 'entity') await this.entities.refuse(id, lethal)
    if (task && typeof what === 'number') {
      const letter = this.#nextLetter()
      const details = failureDetails(task.name, new Error(lethal))
      const event = eventOf('TaskFailed', now, { TaskScheduledId: what, ...details })
      await this.#options.store.commit((changes) => {
        this.#quarantine.acquit(changes, suspect)
        changes.remove(this.#tables.tasks, [id, what])
        new Writing(changes, this.#tables).event(id, letter, event, task.executionId)
      })
      return
    }
    const live = row && !hasEnded(row.status) ? this.#live.load(id) : undefined
    if (live) await this.#failFor(live, now, lethal)
    await this.#options.store.commit((changes) => this.#quarantine.acquit(changes, suspect))
  }

  #addressees(): Set<string> {
    return new Set([...this.#tables.letters.entries()].map(({ key }) => String(key[0])))
  }

  /** A letter can come in the moment in which its instance ends. */
  async #dropDeadLetters(): Promise<void> {
    const dead = [...this.#addressees()].filter((id) => hasEnded(this.find(id)?.status ?? 'Terminated'))
    await this.#write((writing) => {
      for (const id of dead) writing.dropLetters(id)
      for (const { key, value } of this.#tables.letters.entries()) {
        const [id, letter] = [String(key[0]), Number(key[1])]
        const executionId = value.kind === 'event' ? value.executionId : undefined
        if (executionId !== undefined && executionId !== this.find(id)?.executionId) writing.dropLetter(id, letter)
      }
    })
  }

  /** Begins no more turns and activities, waits for those that run. The store stays open. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timers.close()
    await Promise.allSettled(this.#running)
    await this.entities.close()
  }

  /** What is on disk of an instance. */
  find(id: string): InstanceRow | undefined {
    return instanceIn(this.#tables, id)
  }

  page(query: InstanceQuery): InstancePage {
    return pageOf(this.#tables, query)
  }

  historyOf(id: string): HistoryEvent[] {
    const row = this.find(id)
    return row ? historyIn(this.#tables, row) : []
  }

  /**
   * Resolves with the id when the start is on disk. An instance of that id that has ended is replaced.
   * @param input JSON text or null
   * @throws HubError 400 for an unknown orchestrator, 409 while an instance of that id runs
   */
  async start(
    name: string,
    input: string | null,
    { id = newId(), version = this.settings.versions.current } = {},
  ): Promise<string> {
    const { code } = this.#options
    const registered = this.#orchestrator(name)
    if (!registered) throw noSuchOrchestrator(name, code.orchestrators)
    // Whoever comes second is refused only when the first can be found.
    for (let other = this.#starting.get(id); other; other = this.#starting.get(id)) await other
    const existing = this.find(id)
    if (existing && !hasEnded(existing.status) && !this.settings.replaceRunning) throw alreadyExists(existing.status)
    const starting = this.#replace(existing)
      .then(() => this.#startNew(this.#newRow(id, registered, version, input), this.find(id)))
      .finally(() => this.#starting.delete(id))
    this.#starting.set(id, starting)
    await starting
    return id
  }

  /** Resolves when it has ended: no turn of it may be under way when another takes its place. */
  async #replace(existing: InstanceRow | undefined): Promise<void> {
    if (!existing || hasEnded(existing.status)) return
    const { id } = existing
    await this.command(id, 'terminate', 'Replaced by a new instance of the same id.').catch(expected)
    await this.waitForEnd(id, Infinity)
  }

  /** The name as registered: names are compared without case. */
  #orchestrator(name: string): string | undefined {
    return this.#options.code.orchestrators.find((known) => known.toLowerCase() === name.toLowerCase())
  }

  async #startNew(row: InstanceRow, existing: InstanceRow | undefined): Promise<void> {
    const start = this.#startOf(row, existing)
    await this.#write((writing) => writing.start(start))
    if (this.#lose('hub:start', row.id, row.name)) return this.#write((writing) => writing.dropLetters(row.id))
    this.#take(start)
  }

  #startOf(row: InstanceRow, existing: InstanceRow | undefined): Start {
    return { row, existing, event: this.#startedEvent(row), letter: this.#nextLetter() }
  }

  /** Once the start is on disk. */
  #take({ row, event, letter }: Start): void {
    const inbox = [{ kind: 'event', event, letter } as const]
    const live: Live = { row, events: [], played: [], unseen: undefined, planner: undefined, inbox, busy: false }
    this.#live.add(live)
    this.#kick(live)
  }

  /**
   * The instance that a sub-orchestration begins, or the answer to its parent when its id is taken or nobody knows its orchestrator.
   * @param siblings ids of those that begin in the same turn; this one is put there
   */
  #childOf({ id, executionId }: InstanceRow, { id: task, what }: Need, siblings: Set<string>): Child[] {
    if (what.kind !== 'subOrchestration') return []
    const { code, clock } = this.#options
    const childId = childIdOf(what, task, executionId)
    const registered = this.#orchestrator(what.name)
    const existing = this.find(childId)
    const isTaken = siblings.has(childId) || this.#starting.has(childId) || (existing && !hasEnded(existing.status))
    if (registered && !isTaken) {
      siblings.add(childId)
      const row = this.#newRow(childId, registered, what.version ?? this.settings.versions.current, what.input)
      return [{ kind: 'start', start: this.#startOf({ ...row, parent: { id, executionId, task } }, existing) }]
    }
    const refusal = registered ? alreadyExists('Running') : noSuchOrchestrator(what.name, code.orchestrators)
    const details = { TaskScheduledId: task, ...childFailure(what.name, refusal.message) }
    const event = eventOf('SubOrchestrationInstanceFailed', clock.now(), details)
    return [{ kind: 'refused', arrival: { kind: 'event', event, executionId, letter: this.#nextLetter() } }]
  }

  /** @param input JSON text. @throws HubError 404, 410 */
  async raise(id: string, name: string, input: string | null): Promise<void> {
    const event = eventOf('EventRaised', this.#options.clock.now(), { Name: name, Input: input })
    this.#alive(id)
    if (this.#lose('hub:event', id, name)) return
    const letter = await this.#post(id, { kind: 'event', text: JSON.stringify(event) })
    this.#deliver(id, { kind: 'event', event, letter })
  }

  /**
   * @param withChildren a termination ends the sub-orchestrations too that it waits for
   * @throws HubError 404, 410, 500 for a suspension of what is suspended, or a resumption of what is not
   */
  async command(
    id: string,
    kind: 'terminate' | 'suspend' | 'resume',
    reason: string,
    { withChildren = false } = {},
  ): Promise<void> {
    const { status } = this.#alive(id)
    if (kind !== 'terminate' && (kind === 'suspend') === (status === 'Suspended'))
      throw notInThisState(id, kind, status)
    const letter = await this.#post(id, { kind, reason })
    this.#deliver(id, { kind, reason, letter })
    if (kind !== 'terminate' || !withChildren) return
    const created = this.historyOf(id).flatMap(({ EventType, InstanceId }) =>
      EventType === eventType.SubOrchestrationInstanceCreated && InstanceId !== undefined ? [InstanceId] : [],
    )
    const running = created.filter((child) => !hasEnded(this.find(child)?.status ?? 'Terminated'))
    for (const child of running) await this.command(child, kind, reason, { withChildren }).catch(expected)
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
    const all = this.#rewindable(failed)
    const now = this.#options.clock.now()
    // Nothing has come but the word itself; it is what moves the instance.
    const event = eventOf('GenericEvent', now, { Name: 'Rewound', Reason: reason })
    await this.#write((writing) => {
      for (const { row, events } of all) {
        writing.dropHistory(row)
        // A letter can have come in the moment in which it ended.
        writing.dropLetters(row.id)
        writing.append(row, 0, textOfAll(events))
        writing.event(row.id, this.#nextLetter(), event)
        writing.instance({ ...row, status: 'Running', output: null, updatedAt: now, events: events.length }, row)
      }
    })
    for (const { row } of all) this.#kick(this.#live.load(row.id))
  }

  /** A failed instance and its sub-orchestrations that have failed, with what is left of their histories. */
  #rewindable(row: InstanceRow): { readonly row: InstanceRow; readonly events: readonly HistoryEvent[] }[] {
    const { events, children } = rewound(this.historyOf(row.id), (child) => this.find(child)?.status === 'Failed')
    const failed = children.flatMap((child) => this.find(child) ?? [])
    return [{ row, events }, ...failed.flatMap((child) => this.#rewindable(child))]
  }

  /** @throws HubError 404, 412 while it runs */
  async purge(id: string): Promise<void> {
    for (let other = this.#starting.get(id); other; other = this.#starting.get(id)) await other.catch(() => undefined)
    const row = this.find(id)
    if (!row) throw noSuchInstance()
    if (!hasEnded(row.status)) throw notEnded()
    this.#live.forget(id)
    await this.#options.store.commit((changes) => removeInstance(changes, this.#tables, row))
  }

  /** Resolves when the instance has ended, or after so many milliseconds; tells which. */
  async waitForEnd(id: string, ms: number): Promise<boolean> {
    const row = this.find(id)
    if (!row || hasEnded(row.status)) return true
    return this.#ends.wait(id, ms)
  }

  #alive(id: string): InstanceRow {
    const row = this.#live.known(id)?.row ?? this.find(id)
    if (!row) throw noSuchInstance()
    if (hasEnded(row.status)) throw alreadyEnded()
    return row
  }

  async #post(id: string, letter: Letter): Promise<number> {
    const number = this.#nextLetter()
    await this.#options.store.commit((changes) => changes.put(this.#tables.letters, [id, number], letter))
    return number
  }

  async #write(write: (writing: Writing) => void): Promise<void> {
    await this.#options.store.commit((changes) => write(new Writing(changes, this.#tables)))
  }

  #nextLetter(): number {
    this.#lastLetter += 1
    return this.#lastLetter
  }

  /** Hands over what has come, unless it is for an execution that is no more. */
  #deliver(id: string, arrival: Arrival): void {
    if (this.#closed) return
    const live = this.#live.load(id)
    if (!live || hasEnded(live.row.status)) return
    if (arrival.executionId !== undefined && arrival.executionId !== live.row.executionId) return
    // What was just read from disk may have brought the letter along.
    const isThere = arrival.letter !== undefined && live.inbox.some(({ letter }) => letter === arrival.letter)
    if (!isThere) live.inbox.push(arrival)
    this.#kick(live)
  }

  #kick(live: Live | undefined): void {
    if (!live || live.busy || this.#closed || this.#isQuiet || live.inbox.length === 0 || this.#isForOthers(live))
      return
    live.busy = true
    const turns = this.#turnLimit(() => this.#turn(live)).finally(() => {
      live.busy = false
      this.#running.delete(turns)
      // While it is suspended only a command moves it.
      if (live.row.status !== 'Suspended' || live.inbox.some(({ kind }) => kind !== 'event')) this.#kick(live)
    })
    this.#running.add(turns)
  }

  /** Code of another version has to take it up; until then only its termination moves it. */
  #isForOthers({ row, inbox }: Live): boolean {
    const { versions } = this.settings
    if (versions.onMismatch === 'Fail' || isServed(row.version, versions)) return false
    return inbox.every(({ kind }) => kind !== 'terminate')
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
    const { reach } = this.#options
    const { row } = live
    const now = this.#timeOf(live, arrivals)
    const { versions } = this.settings
    if (!isServed(row.version, versions))
      return this.#failFor(
        live,
        now,
        `its version '${row.version}' is not served by the code of version '${versions.current}' that is here`,
      )
    const fresh = [eventOf('OrchestratorStarted', now), ...arrivals.map((arrival) => this.#eventIn(arrival, now))]
    const history = [...live.events, ...fresh]
    const text = textOfAll(fresh)
    const run = await this.#replayOrResume(live, fresh, text).catch((error: unknown) => ({
      state: undefined,
      actions: undefined,
      failure: error instanceof Error ? error.message : String(error),
      threw: true,
    }))
    let result: TurnResult
    try {
      result = turnOf({
        name: row.name,
        history,
        run,
        now,
        executionId: row.executionId,
        instanceId: row.id,
        httpPollAfter: this.settings.httpPollAfter,
        planner: live.planner,
      })
    } catch (error) {
      // Whoever does what nobody thought of fails, and not the process.
      return this.#failFor(live, now, error instanceof Error ? error.message : String(error))
    }
    reach('hub:turn-computed')
    const change = {
      status: 'Running' as const,
      updatedAt: now,
      ...(result.customStatus === undefined ? {} : { customStatus: result.customStatus }),
    }
    if (result.end) await this.#endTurn(live, arrivals, [...fresh, ...result.events], result.end, change)
    else {
      const unseen = textOfAll(result.events)
      // What is new stands before what is spread: after it V8 makes a hidden class for each object (docs/performance.md).
      const written = { text: `${text},${unseen}`, ...result }
      await this.#commit(live, arrivals, [...fresh, ...result.events], change, written)
      live.unseen = unseen
      live.planner = result.planner
      reach('hub:turn-persisted')
      for (const id of result.cancel) this.#timers.cancel(row.id, id)
      for (const need of result.begin) this.#begin(row.id, row.executionId, need)
    }
  }

  /** What has stayed in memory is ahead of the history until its turn is on disk. */
  async #replayOrResume(live: Live, fresh: readonly HistoryEvent[], text: string): Promise<OrchestratorRun> {
    const { code } = this.#options
    const { name, executionId } = live.row
    if (!this.settings.extendedSessions) return code.runOrchestrator(name, payloadOf(live, fresh))
    const { unseen, planner } = live
    live.unseen = undefined
    const resumed =
      unseen === undefined
        ? undefined
        : await code.resumeOrchestrator(name, executionId, `[${unseen},${text}]`, planner?.known ?? 0)
    return resumed ?? code.runOrchestrator(name, payloadOf(live, fresh), executionId)
  }

  /** Without its code having run. */
  async #failFor(live: Live, now: number, why: string): Promise<void> {
    const output = failureOf(live.row.name, why)
    const completed = eventOf('ExecutionCompleted', now, { OrchestrationStatus: 'Failed', Result: output })
    const events = [eventOf('OrchestratorStarted', now), completed]
    await this.#end(live, events, { status: 'Failed', output: JSON.stringify(output), updatedAt: now })
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
    await this.#end(live, [...events, completed], { output: stored, ...change, status })
  }

  async #end(live: Live, events: readonly HistoryEvent[], change: Partial<InstanceRow>): Promise<void> {
    const { id } = live.row
    const row: InstanceRow = { ...live.row, ...change, events: live.events.length + events.length }
    const first = live.events.length
    const answer = this.#answerOf(row)
    const letter = answer && this.#nextLetter()
    await this.#write((writing) => {
      writing.dropOutstanding(id)
      writing.dropLetters(id)
      writing.append(row, first, textOfAll(events))
      writing.instance(row, live.row)
      if (row.parent && answer && letter !== undefined)
        writing.event(row.parent.id, letter, answer, row.parent.executionId)
    })
    live.row = row
    live.inbox.length = 0
    this.#forget(id)
    await this.entities.releaseAllOf(id)
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
    this.#live.forget(id)
    this.#timers.cancelAllOf(id)
    this.#ends.tell(id)
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
      // What has come keeps its place before what has come since.
      letter: arrivals.find((one) => one.kind === 'event' && one.event === event)?.letter ?? this.#nextLetter(),
    }))
    await this.#write((writing) => {
      writing.dropOutstanding(id)
      writing.dropHistory(row)
      writing.took(id, arrivals)
      for (const { event, letter } of first) writing.event(id, letter, event)
      writing.instance(row)
    })
    this.#timers.cancelAllOf(id)
    live.row = row
    live.events.length = 0
    live.played.length = 0
    const kept = live.inbox.filter(({ executionId }) => executionId === undefined)
    live.inbox.splice(0, live.inbox.length, ...first, ...kept)
  }

  async #commit(
    live: Live,
    arrivals: readonly Arrival[],
    events: readonly HistoryEvent[],
    change: Partial<InstanceRow>,
    result?: TurnResult & { readonly text: string },
  ): Promise<void> {
    const { id, executionId } = live.row
    const first = live.events.length
    const text = result?.text ?? textOfAll(events)
    const row: InstanceRow = { ...live.row, ...change, events: first + events.length }
    const siblings = new Set<string>()
    const children = (result?.begin ?? []).flatMap((need) => this.#childOf(row, need, siblings))
    const written = this.#write((writing) => {
      for (const child of children)
        if (child.kind === 'start') writing.start(child.start)
        else writing.event(id, child.arrival.letter, child.arrival.event, executionId)
      writing.took(id, arrivals)
      if (events.length > 0) writing.append(row, first, text)
      for (const timer of result?.cancel ?? []) writing.cancelTimer(id, timer)
      for (const need of result?.begin ?? []) {
        writing.begin(id, executionId, need)
        if (isEntityMessage(need.what))
          writing.request(need.what.entity, this.#nextLetter(), requestOf({ id, executionId }, need.id, need.what))
      }
      writing.instance(row)
    })
    for (const child of siblings) this.#starting.set(child, written)
    await written.finally(() => {
      for (const child of siblings) this.#starting.delete(child)
    })
    live.row = row
    live.events.push(...events)
    if (live.unseen !== undefined && events.length > 0) live.unseen += `,${text}`
    for (const child of children)
      if (child.kind === 'start') this.#take(child.start)
      else this.#deliver(id, child.arrival)
  }

  #begin(id: string, executionId: string, { id: number, what }: Need): void {
    // What begins while it is quiet stands on disk, and is begun from there.
    if (this.#closed || this.#isQuiet) return
    if (what.kind === 'timer' && this.#lose('hub:timer', id, 'timer')) return
    if (what.kind === 'timer') return this.#armTimer(id, executionId, number, what.fireAt)
    if (isEntityMessage(what)) return this.entities.kick(what.entity)
    // It runs by itself, and tells its parent when it has ended.
    if (what.kind === 'subOrchestration') return
    if (this.#lose('hub:activity', id, what.name)) return
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
    const work = name === httpActivity ? callHttp(input, this.#options.tokenFor) : code.runActivity(name, input, id)
    const answer = await work.then(
      (result) => ({ name: 'TaskCompleted' as const, details: { Result: result } }),
      (error: unknown) => ({ name: 'TaskFailed' as const, details: failureDetails(name, error) }),
    )
    reach('hub:activity-done')
    if (this.#lose('hub:answer', id, name)) return
    const event = eventOf(answer.name, clock.now(), { TaskScheduledId: number, ...answer.details })
    this.#deliver(id, { kind: 'event', event, executionId })
  }

  #armTimer(id: string, executionId: string, number: number, fireAt: number): void {
    this.#timers.arm(id, number, fireAt, () => this.#fire(id, executionId, number, fireAt))
  }

  #fire(id: string, executionId: string, number: number, fireAt: number): void {
    const details = { TimerId: number, FireAt: new Date(fireAt).toISOString() }
    const event = eventOf('TimerFired', this.#options.clock.now(), details)
    this.#deliver(id, { kind: 'event', event, executionId })
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

/** It may have ended, or be purged, before it is told to end. */
function expected(error: unknown): void {
  if (!(error instanceof HubError && (error.status === 404 || error.status === 410))) throw error
}

/** What an orchestration sends, as the entity finds it. */
function requestOf(parent: { id: string; executionId: string }, number: number, message: EntityMessage): EntityRequest {
  const id = answerNameOf(number)
  switch (message.kind) {
    case 'entityLock':
      return { kind: 'lock', id, parent, set: message.set, position: 0 }
    case 'entityRelease':
      return { kind: 'release', parent: parent.id }
    case 'entityCall':
    case 'entitySignal':
    default: {
      const { operation, input } = message
      return { kind: 'operation', operation, input, isSignal: message.kind === 'entitySignal', id, parent }
    }
  }
}

function childFailure(name: string, words: string) {
  return { Reason: `Sub-orchestration '${name}' failed: ${words}`, Details: words, FailureDetails: null }
}

/** As the platform tells it; with details of the error's own, if the app's provider of them has packed some. */
function failureDetails(name: string, error: unknown) {
  const words = error instanceof Error ? error.message : String(error)
  const packed = packedFailure(words)
  return {
    Reason: `Activity function '${name}' failed: ${packed?.ErrorMessage ?? words}`,
    Details: error instanceof Error ? (error.stack ?? words) : words,
    FailureDetails: packed ?? null,
  }
}
