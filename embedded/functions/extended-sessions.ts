// Orchestrators that stay in memory from one turn to the next, where host.json asks for extended sessions: the SDK's own executor is handed what is new, in
// place of a replay of everything.
//
// Promises: what is not kept any more is replayed from its history, so nothing depends on its being kept. At most so many are.

import { BriefMap } from '../brief-map.js'
import { executorIn, type OrchestratorRun, runThatReturned, runThatThrew } from '../orchestrator-run.js'

/** Orchestrators at once; the longest unused one goes. */
const most = 2_000

/** What the SDK runs an orchestrator with, as far as it matters here. */
interface Executor {
  readonly generator: unknown
  readonly schemaVersion: unknown
  isDoneExecuting(): boolean
  /** Makes a generator by `fn`, hands it the events, and tells the state. */
  execute(context: object, history: readonly object[], schemaVersion: unknown, fn: () => unknown): Promise<object>
}

/** What the programming model knows of an invocation. */
export interface InvocationState {
  state: string | undefined
}

interface Session {
  readonly context: object
  readonly invocation: InvocationState
  readonly executor: Executor
}

export class ExtendedSessions {
  /** The longest unused first. */
  readonly #kept = new BriefMap<string, Session>()

  /** @param context that the SDK was called with, in that invocation */
  keep(session: string, context: object, invocation: InvocationState): void {
    const executor = executorIn(context)
    // Where the SDK is not as this one knows it nothing is kept.
    if (!isExecutor(executor) || executor.isDoneExecuting()) return
    this.#kept.set(session, { context, invocation, executor })
    if (this.#kept.size <= most) return
    for (const longestUnused of this.#kept.keys()) {
      this.#kept.delete(longestUnused)
      return
    }
  }

  /**
   * Undefined if it is not kept.
   * @param news JSON text: the events that it has not seen
   * @param known how many of its actions need not be told again
   */
  async resume(session: string, news: string, known: number): Promise<OrchestratorRun | undefined> {
    const kept = this.#kept.get(session)
    if (!kept) return undefined
    this.#kept.delete(session)
    const { context, invocation, executor } = kept
    const { generator, schemaVersion } = executor
    // Its first turn has ended the invocation. In this state the model takes it for right that there are still logs.
    invocation.state = 'postInvocationHooks'
    const running = executor.execute(context, eventsIn(news), schemaVersion, () => generator)
    invocation.state = undefined
    try {
      const state = await running
      this.keep(session, context, invocation)
      return runThatReturned(state, context, known)
    } catch (error) {
      return runThatThrew(error instanceof Error ? error.message : String(error), context)
    }
  }
}

/** As the SDK reads them off its trigger: times are dates. */
function eventsIn(news: string): readonly object[] {
  const events: readonly { readonly Timestamp: string }[] = JSON.parse(news)
  return events.map((event) => ({ ...event, Timestamp: new Date(event.Timestamp) }))
}

const isExecutor = (found: unknown): found is Executor =>
  typeof found === 'object' &&
  found !== null &&
  'generator' in found &&
  'schemaVersion' in found &&
  'isDoneExecuting' in found &&
  typeof found.isDoneExecuting === 'function' &&
  'execute' in found &&
  typeof found.execute === 'function'
