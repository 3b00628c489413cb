// Drives the machine on durable-functions. Decides nothing: what is to be done next becomes a durable task, its result an event.
//
// Every task is yielded once. The platform's host can't tell a task that is yielded again from a new one, and would run an activity twice. So partners
// are asked without listening to anything else, and signals are heard while the instance waits.

import type { OrchestrationContext, Task } from 'durable-functions'
import { names } from '../names.js'
import type { Saga } from '../saga/define.js'
import { readInstanceId } from '../saga/ids.js'
import { laneOf } from '../saga/lane.js'
import { begin, merged, pending, type SagaEvent, type Start, turn } from '../saga/machine.js'
import { type Ask, type Next, nextOf } from '../saga/next.js'
import { type Notice, noticesOf } from '../saga/notices.js'
import { readOutcome } from '../saga/outcome.js'
import type { EndPhase } from '../saga/phase.js'
import type { SagaInput } from '../saga/routing.js'
import { readSignal } from '../saga/signal.js'
import type { SagaState } from '../saga/state.js'
import { statusOf, waitingInLane } from '../saga/status.js'
import type { Traced } from '../saga/traced.js'
import { enterLane, leaveLane } from './lane.js'

/** As much of the durable context as the driver uses. */
export type Durable = Pick<
  OrchestrationContext['df'],
  | 'instanceId'
  | 'currentUtcDateTime'
  | 'isReplaying'
  | 'getInput'
  | 'setCustomStatus'
  | 'callActivity'
  | 'callActivityWithRetry'
  | 'callEntity'
  | 'createTimer'
  | 'waitForExternalEvent'
  | 'continueAsNew'
  | 'Task'
>

export type FindSaga = (name: string, version: number) => Saga

/**
 * Told of every turn when it is taken, and not of its replays: once, or once more if the machine dies before the turn is durable. It must neither throw nor
 * touch the orchestration.
 */
export type WatchTurn = (saga: Saga, input: SagaInput, before: SagaState | undefined, after: SagaState) => void

/**
 * Waits after which the history is cut: a saga that waits for weeks must not replay all of them every time. It is cut when a time has come: the wait
 * for it would have heard every signal that came before, and the platform hands on those that come after.
 */
const mostWaits = 50

export function sagaOrchestrator(find: FindSaga, watch?: WatchTurn) {
  return function* runSaga({
    df,
  }: {
    readonly df: Durable
  }): Generator<Task, { phase: EndPhase } | undefined, unknown> {
    const input = df.getInput<SagaInput>()
    const saga = find(input.saga, input.version)
    const lane = saga.lane && laneOf(saga.name, input.event)
    if (lane !== undefined && !input.state) {
      const phase = yield* comeIn(df, saga, input, lane, watch)
      if (phase) return { phase }
    }
    let state = input.state ?? begin(saga, startOf(df, input))
    const posted = new Set<string>()
    const lost: Task[] = []
    if (!input.state && !df.isReplaying) watch?.(saga, input, undefined, state)
    for (let waits = 0; ; ) {
      const told = state
      if (input.notices) yield* post(df, saga, told, posted)
      // Made when it is written down, once in a turn: a replay comes by here for every step.
      df.setCustomStatus({ toJSON: () => statusOf(saga, told) })
      const next = nextOf(saga, state)
      if (next.kind === 'end') {
        if (lane !== undefined) yield* leaveLane(df, lane)
        return { phase: next.phase }
      }
      const events = next.kind === 'ask' ? yield* ask(df, next.asks, input) : yield* wait(df, next, lost)
      state = events.reduce((before: SagaState, event) => turn(saga, before, event), state)
      if (!df.isReplaying) watch?.(saga, input, told, state)
      if (next.kind === 'wait') waits += 1
      if (waits >= mostWaits && events[0]?.kind === 'woken') {
        df.continueAsNew({ ...input, state })
        return undefined
      }
    }
  }
}

const startOf = (df: Durable, { event }: SagaInput): Start => ({
  instance: readInstanceId(df.instanceId),
  event,
  at: nowOf(df),
})

/** Nothing when it is this instance's turn; its end when another one does its work. */
function* comeIn(
  df: Durable,
  saga: Saga,
  input: SagaInput,
  lane: string,
  watch: WatchTurn | undefined,
): Generator<Task, EndPhase | undefined, unknown> {
  const state = pending(saga, startOf(df, input))
  const by = yield* enterLane(df, lane, (holder) => df.setCustomStatus(waitingInLane(saga, state, holder)))
  if (by === undefined) return undefined
  const after = merged(state, by, nowOf(df))
  df.setCustomStatus(statusOf(saga, after))
  if (!df.isReplaying) watch?.(saga, input, state, after)
  return 'merged'
}

/** Hands on what is new. Until that is done the status says that it waits for nobody: the watchdog would find it if it got lost. */
function* post(df: Durable, saga: Saga, state: SagaState, posted: Set<string>): Generator<Task, void, unknown> {
  const news: readonly Notice[] = noticesOf(saga, state).filter(({ id }) => !posted.has(id))
  if (news.length === 0) return
  df.setCustomStatus({ toJSON: () => ({ ...statusOf(saga, state), waitsFor: undefined }) })
  const isPosted = yield df.callActivity(names.postNotices, news)
  if (isPosted === true) for (const { id } of news) posted.add(id)
}

function* ask(df: Durable, asks: readonly Ask[], { trace, version }: SagaInput): Generator<Task, SagaEvent[], unknown> {
  const traced: Traced | undefined = trace === undefined ? undefined : { trace, version, at: nowOf(df) }
  const tasks = asks.map((one) => df.callActivity(names.askPartner, traced ? { traced, ...one } : one))
  const [single] = tasks
  const results = tasks.length === 1 && single ? [yield single] : yield df.Task.all(tasks)
  const answers = Array.isArray(results) ? results : []
  return asks.map(({ step, what }, index) => ({
    kind: 'answered',
    at: nowOf(df),
    step,
    what,
    outcome: readOutcome(answers[index]),
  }))
}

/**
 * @param lost waits for a word that a time has ended. The SDK does not forget them: what is raised while nobody waits goes to the latest of them, the next to
 * the one before. So they are looked at before anything is waited for.
 */
function* wait(
  df: Durable,
  { until }: Extract<Next, { kind: 'wait' }>,
  lost: Task[],
): Generator<Task, SagaEvent[], unknown> {
  const late = lost.findLastIndex(({ isCompleted }) => isCompleted)
  if (late >= 0) return lost.splice(late, 1).flatMap(({ result }) => heard(result, nowOf(df)))
  const signal = df.waitForExternalEvent(names.signal)
  if (until === undefined) return heard(yield signal, nowOf(df))
  const timer = df.createTimer(new Date(until))
  const winner = yield df.Task.any([signal, timer])
  if (winner === timer) {
    lost.push(signal)
    return [{ kind: 'woken', at: nowOf(df) }]
  }
  timer.cancel()
  return heard(signal.result, nowOf(df))
}

function heard(value: unknown, at: string): SagaEvent[] {
  const signal = readSignal(value)
  if (!signal) return []
  return signal.kind === 'command'
    ? [{ kind: 'said', at, command: signal.command }]
    : [{ kind: 'replied', at, step: signal.step, edition: signal.edition, outcome: signal.outcome }]
}

/** The only time that a replay sees again. */
const nowOf = (df: Durable) => df.currentUtcDateTime.toISOString()
