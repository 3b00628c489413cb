// Keeps the sagas of one row in a lane: a durable entity knows who is in it, and each instance enters before it begins and leaves when it has ended.

import { EntityId, type EntityContext, type OrchestrationContext, RetryOptions, type Task } from 'durable-functions'
import { names } from '../names.js'
import {
  emptyLane,
  enter,
  type Entered,
  isEmptyLane,
  type Lane,
  lanePatience,
  type LaneWord,
  leave,
  type Left,
  readEntered,
  readLaneWord,
  readLeft,
  withdraw,
} from '../saga/lane.js'

type Durable = Pick<
  OrchestrationContext['df'],
  | 'instanceId'
  | 'currentUtcDateTime'
  | 'callActivity'
  | 'callActivityWithRetry'
  | 'callEntity'
  | 'createTimer'
  | 'waitForExternalEvent'
  | 'Task'
>

type Operation = (lane: Lane, id: string) => readonly [Lane, Entered | Left]
const operations: Readonly<Record<string, Operation>> = { enter, leave, withdraw }

/** The entity: its operations are `enter`, `leave` and `withdraw`, their input an instance's id. */
export function lane({ df }: EntityContext<Lane>): void {
  const before = df.getState(() => emptyLane) ?? emptyLane
  const id = df.getInput<string>() ?? ''
  const operate = operations[df.operationName ?? ''] ?? leave
  const [after, answer] = operate(before, id)
  // A row is rarely written to: a lane that nobody is in need not be kept.
  if (isEmptyLane(after)) df.destructOnExit()
  else df.setState(after)
  df.return(answer)
}

/** Ends when it is this instance's turn, or with the id of the one that does its work. */
export function* enterLane(
  df: Durable,
  name: string,
  onWait: (holder: string) => void,
): Generator<Task, string | undefined, unknown> {
  for (let isFirst = true; ; isFirst = false) {
    const entered = readEntered(yield df.callEntity(new EntityId(names.lane, name), 'enter', df.instanceId))
    if (entered.turn === 'now') return undefined
    onWait(entered.holder)
    const told = df.waitForExternalEvent(names.laneWord)
    const timer = df.createTimer(new Date(df.currentUtcDateTime.getTime() + lanePatience))
    const winner = yield df.Task.any([told, timer])
    if (winner !== timer) {
      timer.cancel()
      const word = readLaneWord(told.result)
      if (word.turn === 'now') return undefined
      // Who has come again since that was said stands in the line once more.
      if (isFirst) return word.by
      const left = readEntered(yield df.callEntity(new EntityId(names.lane, name), 'withdraw', df.instanceId))
      return left.turn === 'now' ? undefined : word.by
    }
    const isThere = yield df.callActivity(names.isRunning, entered.holder)
    if (isThere === false) yield* leaveLane(df, name, entered.holder)
  }
}

/** @param id who goes: the instance itself, or one that has ended without a word */
export function* leaveLane(df: Durable, name: string, id = df.instanceId): Generator<Task, void, unknown> {
  const { next, covered } = readLeft(yield df.callEntity(new EntityId(names.lane, name), 'leave', id))
  if (next === undefined) return
  const words: Readonly<Record<string, LaneWord>> = {
    [next]: { turn: 'now' },
    ...Object.fromEntries(covered.map((one) => [one, { turn: 'covered', by: next }])),
  }
  try {
    yield df.callActivityWithRetry(names.tellLane, new RetryOptions(1_000, 5), words)
  } catch {
    // Whoever waits looks by itself after a while: the lane knows already whose turn it is.
  }
}
