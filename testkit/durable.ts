// Runs any orchestrator, ours or a hand-written one, on the executor of durable-functions, with activities that you write and a clock that jumps.
//
// Each turn replays the whole history, as the platform does, and twice: an orchestrator that is not deterministic fails at the event at which it is not.

import {
  DummyOrchestrationContext,
  type OrchestrationContext,
  type OrchestrationHandler,
  type Task,
} from 'durable-functions'
import { Orchestrator } from 'durable-functions/lib/src/orchestrations/Orchestrator.js'
import { runThatReturned, runThatThrew } from '../embedded/orchestrator-run.js'
import { eventOf, eventType, type HistoryEvent, nameOf } from '../embedded/taskhub/history.js'
import { isEntityMessage, type Need } from '../embedded/taskhub/planner.js'
import { type TurnResult, turnOf } from '../embedded/taskhub/turn.js'
import { beginning } from './event.js'
import { watch } from './purity.js'
import { TestkitError } from './testkit-error.js'

/** An orchestrator for the real SDK. Its context may be declared as what it uses of it. */
export type AnyOrchestrator = (context: OrchestrationContext) => Generator<Task, unknown, unknown>

export interface DurableWorld {
  readonly input?: unknown
  /** `instance` if absent. */
  readonly instanceId?: string
  /** By name; what one throws is its failure. */
  readonly activities?: Readonly<Record<string, (input: unknown) => unknown>>
  /** What is raised from outside; asked before each wait for a time, and when there is nothing else to wait for. */
  readonly raise?: (moment: DurableMoment) => { readonly name: string; readonly value?: unknown } | undefined
}

export interface DurableMoment {
  readonly customStatus: unknown
  /** Milliseconds after the start. */
  readonly now: number
}

export interface DurableRun {
  /** `waiting` when nothing comes any more. */
  readonly status: 'completed' | 'failed' | 'waiting'
  /** What it returned, or the words of its failure. */
  readonly output: unknown
  readonly customStatus: unknown
  /** As the platform would have written it, since it last continued as new. */
  readonly history: readonly HistoryEvent[]
  /** Milliseconds from the start. */
  readonly took: number
}

/** Turns after which an orchestration is taken to go round in circles. */
const mostTurns = 10_000

/**
 * From the start to the end, or to where nothing comes any more.
 * @throws TestkitError for an orchestrator that is not deterministic: with the event that it was handling
 */
export async function runOrchestration(orchestrator: AnyOrchestrator, world: DurableWorld = {}): Promise<DurableRun> {
  return new Orchestration(orchestrator, world).run()
}

/**
 * Whether today's orchestrator does what a history tells; the history is one of `runOrchestration`, kept as JSON.
 * @throws TestkitError with the first event at which it does something else
 */
export async function replayOrchestration(
  orchestrator: AnyOrchestrator,
  history: readonly HistoryEvent[],
): Promise<void> {
  const started = history.find(({ EventType }) => EventType === eventType.ExecutionStarted)
  const ended = history.find(({ EventType }) => EventType === eventType.ExecutionCompleted)
  const instanceId = started?.OrchestrationInstance?.InstanceId ?? 'instance'
  const now = Date.parse(history.at(-1)?.Timestamp ?? '')
  const { result } = await turnTwice(orchestrator, {
    history: history.filter((event) => event !== ended),
    now,
    input: parsed(started?.Input),
    instanceId,
  })
  const then = ended && `${ended.OrchestrationStatus} ${ended.Result}`
  const today = result.end && 'output' in result.end ? `${result.end.status} ${result.end.output}` : 'still running'
  if (then !== undefined && then !== today)
    throw new TestkitError(
      `${describe(history, history.length - 1)}: it was ${then}, today's orchestrator is ${today}.`,
    )
}

class Orchestration {
  readonly #orchestrator: AnyOrchestrator
  readonly #world: DurableWorld
  readonly #timers = new Map<number, number>()
  #input: unknown
  #history: HistoryEvent[] = []
  #arrivals: HistoryEvent[] = []
  #customStatus: unknown
  #now = beginning

  constructor(orchestrator: AnyOrchestrator, world: DurableWorld) {
    this.#orchestrator = orchestrator
    this.#world = world
    this.#input = written(world.input)
    this.#begin([])
  }

  async run(): Promise<DurableRun> {
    for (let turns = 0; turns < mostTurns; turns++) {
      if (this.#arrivals.length === 0 && !this.#hear() && !this.#sleep()) return this.#told('waiting', undefined)
      const { end, begin, cancel } = await this.#turn()
      if (end?.status === 'Completed' || end?.status === 'Failed') return this.#ended(end)
      if (end) {
        this.#input = parsed(end.input)
        this.#begin(end.raised)
        continue
      }
      for (const id of cancel) this.#timers.delete(id)
      for (const need of begin) await this.#carryOut(need)
    }
    throw new TestkitError(`The orchestration has not ended after ${mostTurns} turns.`)
  }

  #ended({ status, output }: { status: 'Completed' | 'Failed'; output: string | null }): DurableRun {
    this.#history.push(eventOf('ExecutionCompleted', this.#now, { OrchestrationStatus: status, Result: output }))
    return status === 'Completed' ? this.#told('completed', parsed(output)) : this.#told('failed', output)
  }

  #begin(raised: readonly HistoryEvent[]): void {
    this.#timers.clear()
    this.#history = []
    this.#arrivals = [
      eventOf('ExecutionStarted', this.#now, {
        Name: 'orchestration',
        Input: text(this.#input),
        OrchestrationInstance: { InstanceId: this.#id, ExecutionId: '1' },
      }),
      ...raised,
    ]
  }

  async #turn(): Promise<TurnResult> {
    const fresh = [eventOf('OrchestratorStarted', this.#now), ...this.#arrivals]
    this.#arrivals = []
    const history = [...this.#history, ...fresh]
    const { result, customStatus } = await turnTwice(this.#orchestrator, {
      history,
      now: this.#now,
      input: this.#input,
      instanceId: this.#id,
    })
    this.#history = [...history, ...result.events]
    if (customStatus !== undefined) this.#customStatus = customStatus
    return result
  }

  async #carryOut({ id, what }: Need): Promise<void> {
    if (what.kind === 'timer') return void this.#timers.set(id, what.fireAt)
    if (isEntityMessage(what))
      throw new TestkitError(
        `The orchestrator speaks to the entity ${what.entity}: entities can be tried on a task hub only.`,
      )
    // A sub-orchestration is to its caller what an activity is: something that answers.
    const activity = this.#world.activities?.[what.name]
    if (!activity)
      throw new TestkitError(
        `The orchestrator calls activity '${what.name}'. Write it: { activities: { ${what.name}: (input) => ... } }.`,
      )
    try {
      const result = await activity(parsed(what.input))
      this.#arrivals.push(eventOf('TaskCompleted', this.#now, { TaskScheduledId: id, Result: text(result) ?? 'null' }))
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      const reason = `Activity function '${what.name}' failed: ${words}`
      this.#arrivals.push(eventOf('TaskFailed', this.#now, { TaskScheduledId: id, Reason: reason, Details: words }))
    }
  }

  #hear(): boolean {
    const raised = this.#world.raise?.({ customStatus: this.#customStatus, now: this.#now - beginning })
    if (!raised) return false
    this.#arrivals.push(eventOf('EventRaised', this.#now, { Name: raised.name, Input: text(raised.value) }))
    return true
  }

  /** The clock jumps to the next timer. */
  #sleep(): boolean {
    const [next] = [...this.#timers].toSorted(([, a], [, b]) => a - b)
    if (!next) return false
    const [id, fireAt] = next
    this.#timers.delete(id)
    this.#now = Math.max(this.#now, fireAt)
    this.#arrivals.push(eventOf('TimerFired', this.#now, { TimerId: id, FireAt: new Date(fireAt).toISOString() }))
    return true
  }

  get #id(): string {
    return this.#world.instanceId ?? 'instance'
  }

  #told(status: DurableRun['status'], output: unknown): DurableRun {
    return { status, output, customStatus: this.#customStatus, history: this.#history, took: this.#now - beginning }
  }
}

interface TurnFacts {
  /** With the events of this turn. */
  readonly history: readonly HistoryEvent[]
  readonly now: number
  readonly input: unknown
  readonly instanceId: string
}

async function turnTwice(
  orchestrator: AnyOrchestrator,
  facts: TurnFacts,
): Promise<{ result: TurnResult; customStatus: unknown }> {
  const first = await execute(orchestrator, facts)
  const second = await execute(orchestrator, facts)
  if (first.asked.length > 0)
    throw new TestkitError(
      `The orchestrator asked for ${first.asked.join(', ')} while it was handling ${lastOf(facts.history)}. A replay would get something else: take time from context.df.currentUtcDateTime, ids from context.df.newGuid, everything else from activities.`,
    )
  const [one, other] = [first, second].map(({ state }) => JSON.stringify(state))
  if (one !== other)
    throw new TestkitError(
      `The orchestrator did two different things when it handled ${lastOf(facts.history)} twice.\nFirst:  ${one?.slice(0, 600)}\nSecond: ${other?.slice(0, 600)}`,
    )
  const result = turnOf({
    name: 'orchestration',
    history: facts.history,
    run: first,
    now: facts.now,
    executionId: '1',
  })
  if (result.end?.status === 'Failed' && result.end.output.includes('Non-Deterministic'))
    throw new TestkitError(inHistory(result.end.output, facts.history))
  return { result, customStatus: parsed(result.customStatus) }
}

/** One replay on the SDK's own executor. */
async function execute(orchestrator: AnyOrchestrator, { history, input, instanceId }: TurnFacts) {
  const asked = new Set<string>()
  const context = new DummyOrchestrationContext('orchestration', 'test', () => undefined)
  const trigger = {
    history: history.map((event) => ({ ...event, IsPlayed: false })),
    input,
    instanceId,
    isReplaying: false,
    parentInstanceId: null,
    upperSchemaVersion: 1,
    upperSchemaVersionNew: 3,
    longRunningTimerIntervalDuration: '10000.00:00:00',
    maximumShortTimerDuration: '10000.00:00:00',
    defaultHttpAsyncRequestSleepTimeMillseconds: 30_000,
  }
  try {
    const state = await new Orchestrator(watched(orchestrator, asked)).handle(written(trigger), context)
    return { ...runThatReturned(state, context), asked: [...asked] }
  } catch (error) {
    return { ...runThatThrew(error instanceof Error ? error.message : String(error), context), asked: [...asked] }
  }
}

/** The orchestrator, with clock and chance watched while its own code runs. */
function watched(orchestrator: AnyOrchestrator, asked: Set<string>): OrchestrationHandler {
  return function* (context) {
    const own = watchInto(asked, () => orchestrator(context))
    let step = watchInto(asked, () => own.next())
    while (!step.done) {
      let go: () => IteratorResult<Task, unknown>
      try {
        const value: unknown = yield step.value
        go = () => own.next(value)
      } catch (error) {
        go = () => own.throw(error)
      }
      step = watchInto(asked, go)
    }
    return step.value
  }
}

function watchInto<Value>(asked: Set<string>, run: () => Value): Value {
  const { value, asked: found } = watch(run)
  for (const what of found) asked.add(what)
  return value
}

const lastOf = (history: readonly HistoryEvent[]): string => describe(history, history.length - 1)

/** An event in words: `event 7, TaskCompleted of 'charge'`. */
function describe(history: readonly HistoryEvent[], index: number): string {
  const event = history[index]
  if (!event) return 'nothing'
  const scheduled = history.find(({ EventId }) => EventId >= 0 && EventId === event.TaskScheduledId)
  const name = event.Name ?? scheduled?.Name
  return `event ${index + 1}, ${nameOf(event)}${name === undefined ? '' : ` of '${name}'`}`
}

/** Names the event where the task hub names a number. */
function inHistory(words: string, history: readonly HistoryEvent[]): string {
  const number = Number(/as number (\d+)/.exec(words)?.[1] ?? Number.NaN)
  const index = history.findIndex(({ EventId }) => EventId === number)
  return `${words}\nThat is ${describe(history, index)}. An orchestration that is running would fail there: register the new code under another name or version.`
}

const text = (value: unknown): string | null => (value === undefined || value === null ? null : JSON.stringify(value))

function parsed(json: string | null | undefined): unknown {
  return json === null || json === undefined ? undefined : JSON.parse(json)
}

/** What JSON keeps is all that a replay has. */
function written(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
