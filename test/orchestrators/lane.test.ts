// How instances have their turn in a lane when its holder was ended by force: each takes its tasks when the test says so.

import type { EntityContext, OrchestrationContext, Task } from 'durable-functions'
import { beforeEach, describe, expect, it } from 'vitest'
import { enterLane, lane, leaveLane } from '../../src/orchestrators/lane.js'
import { emptyLane, type Lane, type LaneWord } from '../../src/saga/lane.js'

let state: Lane
/** What each was told and has not heard yet. */
let told: Map<string, LaneWord[]>
let ended: Set<string>

beforeEach(() => {
  state = emptyLane
  told = new Map()
  ended = new Set()
})

/** An operation of the entity. */
function operate(operationName: string, id: string): unknown {
  let answer: unknown
  const df = {
    operationName,
    getState: () => state,
    getInput: () => id,
    setState: (after: Lane) => (state = after),
    destructOnExit: () => (state = emptyLane),
    return: (value: unknown) => (answer = value),
  }
  lane({ df } as unknown as EntityContext<Lane>)
  return answer
}

/** As much as a lane needs; a task is what it does. */
function contextOf(instanceId: string): OrchestrationContext['df'] {
  const df = {
    instanceId,
    currentUtcDateTime: new Date(0),
    callEntity: (_: unknown, operation: string, id: string) => () => operate(operation, id),
    callActivity: (_: string, id: string) => () => !ended.has(id),
    callActivityWithRetry: (_: string, __: unknown, words: Record<string, LaneWord>) => () => {
      for (const [id, word] of Object.entries(words)) told.set(id, [...(told.get(id) ?? []), word])
    },
    waitForExternalEvent: () => ({}),
    createTimer: () => ({ cancel: () => undefined }),
    Task: {
      any:
        ([word, timer]: readonly [object, object]) =>
        () => {
          const result = told.get(instanceId)?.shift()
          return result ? Object.assign(word, { result }) : timer
        },
    },
  }
  return df as unknown as OrchestrationContext['df']
}

class Run {
  readonly #tasks: Generator<Task, unknown, unknown>
  #next: IteratorResult<unknown, unknown>

  constructor(tasks: Generator<Task, unknown, unknown>) {
    this.#tasks = tasks
    this.#next = tasks.next()
  }

  /** Takes so many tasks, or fewer if it ends before. */
  go(count: number): void {
    for (let left = count; left > 0 && !this.#next.done; left--) {
      const { value: task } = this.#next
      this.#next = this.#tasks.next(typeof task === 'function' ? task() : undefined)
    }
  }

  get fate() {
    if (!this.#next.done) return 'waits'
    return this.#next.value === undefined ? 'begins' : `covered by ${JSON.stringify(this.#next.value)}`
  }
}

const come = (id: string) => new Run(enterLane(contextOf(id), 'row', () => undefined))
const leave = (id: string) => new Run(leaveLane(contextOf(id), 'row')).go(2)

/** Both have waited for one that was ended by force. The first has its turn; the second stands in the line again when it is told that it is covered. */
function afterOneThatEnded() {
  operate('enter', 'x')
  const [first, second] = [come('a'), come('b')]
  first.go(1)
  second.go(1)
  ended.add('x')
  // Both have run out of patience, and find that the holder is gone.
  first.go(2)
  second.go(2)
  first.go(1)
  second.go(2)
  first.go(2)
  return { first, second }
}

describe('one that has come again before it hears that it is covered', () => {
  it('leaves the line: nobody is covered by it', () => {
    const { first, second } = afterOneThatEnded()

    second.go(2)
    const third = come('c')
    third.go(1)
    leave('a')
    third.go(1)

    expect([first.fate, second.fate, third.fate]).toEqual(['begins', 'covered by "a"', 'begins'])
  })

  it('begins when it is its turn by then: others are covered by it', () => {
    const { first, second } = afterOneThatEnded()

    const third = come('c')
    third.go(1)
    leave('a')
    third.go(1)
    second.go(2)

    expect([first.fate, second.fate, third.fate]).toEqual(['begins', 'begins', 'covered by "b"'])
  })
})
