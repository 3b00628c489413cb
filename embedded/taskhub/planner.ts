// What an orchestrator has asked for, number by number: computed from its actions and its history.
//
// The SDK numbers tasks by itself while it replays, and knows a result by that number. The numbers found here must be the same.
//   P1  An activity, a sub-orchestration and a timer take one number each, in the order in which they are asked for: depth first, left to right.
//   P2  Waiting for an external event and continuing as new take none.
//   P3  A retry takes one number for its wait when the failure is processed, and one for the next attempt when the wait is over. After the last
//       failure the SDK still waits for one timer, due at once.
//   P3a A call of HTTP that is answered with 202 takes two numbers at once: for the wait, and for the next call, which is asked for when the wait is over.
//   P4  The same action object is the same task, however often it is yielded.
//   P5  An event goes to the waiter that came last; events that come before any waiter are kept in order.

import { z } from 'zod'
import { eventType, type HistoryEvent } from './history.js'
import { type HttpRequest, httpActivity, httpRequest, pollAfter } from './http-activity.js'

/** Something that must exist because the orchestrator asked for it. */
export interface Need {
  readonly id: number
  readonly what:
    | { readonly kind: 'activity'; readonly name: string; readonly input: string | undefined }
    | { readonly kind: 'timer'; readonly fireAt: number }
    | SubOrchestration
    | EntityMessage
}

/** Sent to an entity, `@name@key`. A call and a lock are answered by an event of that name. */
export type EntityMessage =
  | {
      readonly kind: 'entityCall' | 'entitySignal'
      readonly entity: string
      readonly operation: string
      readonly input: string | null
    }
  | { readonly kind: 'entityLock'; readonly entity: string; readonly set: readonly string[] }
  | { readonly kind: 'entityRelease'; readonly entity: string }

export const isEntityMessage = (what: Need['what']): what is EntityMessage => what.kind.startsWith('entity')

/** Of the id of an entity, such as `@counter@one`. */
export function partsOf(entity: string): { readonly name: string; readonly key: string } {
  const [, name = '', key = ''] = /^@([^@]*)@(.*)$/s.exec(entity) ?? []
  return { name, key }
}

/** The event that answers what was sent under a number. */
export const answerNameOf = (number: number) => `entity-${number}`

export interface SubOrchestration {
  readonly kind: 'subOrchestration'
  readonly name: string
  readonly version: string | undefined
  /** Undefined when the orchestrator does not care. */
  readonly instanceId: string | undefined
  /** JSON text or null. */
  readonly input: string | null
}

export interface Plan {
  /** All that this execution ever asked for. */
  readonly needs: readonly Need[]
  /** Numbers whose answer is still out and without which the orchestration may not end. */
  readonly open: ReadonlySet<number>
  /** Timers that the orchestrator has taken back. */
  readonly cancelled: readonly number[]
  /** Set when it asked to begin anew. */
  readonly next: Anew | undefined
}

/** What the execution that follows begins with. */
export interface Anew {
  /** JSON text or null. */
  readonly input: string | null
  /** Events that were raised after the decision; earlier ones that nobody waited for are dropped, as the platform does. */
  readonly raised: readonly HistoryEvent[]
}

export class UnsupportedAction extends Error {
  override readonly name = 'UnsupportedAction'
}

const retryOptions = z.object({
  firstRetryIntervalInMilliseconds: z.number(),
  maxNumberOfAttempts: z.number().nullable(),
  backoffCoefficient: z.number().nullish(),
  maxRetryIntervalInMilliseconds: z.number().nullish(),
})
type RetryOptions = z.infer<typeof retryOptions>

const subOrchestration = {
  functionName: z.string(),
  instanceId: z.string().nullish(),
  version: z.string().nullish(),
  input: z.unknown().optional(),
}

const action = z.discriminatedUnion('actionType', [
  z.object({ actionType: z.literal(0), functionName: z.string(), input: z.unknown().optional() }),
  z.object({ actionType: z.literal(1), functionName: z.string(), input: z.unknown().optional(), retryOptions }),
  z.object({ actionType: z.literal(2), ...subOrchestration }),
  z.object({ actionType: z.literal(3), ...subOrchestration, retryOptions }),
  z.object({ actionType: z.literal(4), input: z.unknown().optional() }),
  z.object({ actionType: z.literal(5), fireAt: z.coerce.date(), isCanceled: z.boolean().optional() }),
  z.object({ actionType: z.literal(6), externalEventName: z.string() }),
  z.object({ actionType: z.literal(8), httpRequest }),
  z.object({ actionType: z.literal(7), instanceId: z.string(), operation: z.string(), input: z.unknown().optional() }),
  z.object({ actionType: z.literal(9), instanceId: z.string(), operation: z.string(), input: z.unknown().optional() }),
  z.object({
    actionType: z.literal(13),
    lockSet: z.array(z.object({ name: z.string(), key: z.string() })),
  }),
  z.object({ actionType: z.literal(14) }),
  z.object({ actionType: z.literal(11), compoundActions: z.array(z.unknown()) }),
  z.object({ actionType: z.literal(12), compoundActions: z.array(z.unknown()) }),
])
type Action = z.infer<typeof action>

interface Node {
  readonly action: Action
  readonly parents: Node[]
  /** For a compound one. */
  readonly children: Node[]
  started: boolean
  outcome: 'succeeded' | 'failed' | undefined
}

type Settle = (succeeded: boolean, result: string | null | undefined) => void

export class Planner {
  readonly #actions: unknown[] = []
  readonly #pollWait: number
  readonly #nodes = new Map<unknown, Node>()
  /** By number; a number that is taken, but not asked for yet, has none. */
  readonly #needs: (Need | undefined)[] = []
  readonly #open = new Map<number, { node: Node; settle: Settle }>()
  /** Answers that came before what they answer was asked for again in this replay. */
  readonly #early = new Map<number, { readonly succeeded: boolean; readonly result: string | null | undefined }>()
  readonly #waiters = new Map<string, Node[]>()
  /** Calls and locks of entities that are not answered, by the name of the event that will. */
  readonly #asked = new Map<string, Node>()
  /** Entities that are locked, or will be. */
  readonly #locked: string[] = []
  readonly #unheard = new Map<string, number>()
  #now = 0
  #position = 0
  #current: Node | undefined
  #next: { input: string | null; raised: HistoryEvent[] } | undefined

  /** How many events it has seen. */
  #seen = 0
  /** Whether it has asked for activities only. */
  #isPlain = true

  /** @param pollWait milliseconds until a call of HTTP asks again that was not told when */
  constructor(pollWait: number) {
    this.#pollWait = pollWait
  }

  /**
   * How many actions it knows, if it can go on with those that follow alone: what it knows can't change any more, and it waits for the last of it. 0 if it
   * has to see all of them again, and the whole history.
   */
  get known(): number {
    return this.#isPlain && this.#open.size === 1 && this.#position === this.#actions.length ? this.#position : 0
  }

  /**
   * @param actions all of them, or those that follow the known ones
   * @param history the whole of it
   * @throws UnsupportedAction
   */
  plan(actions: readonly unknown[], history: readonly HistoryEvent[]): Plan {
    this.#actions.push(...actions)
    for (const event of history.slice(this.#seen)) this.#replay(event)
    this.#seen = history.length
    const timers = [...this.#open].filter(([, { node }]) => isCancelled(node)).map(([id]) => id)
    const cancelled = new Set(timers)
    return {
      needs: this.#needs.filter((need) => need !== undefined),
      open: new Set([...this.#open.keys()].filter((id) => !cancelled.has(id))),
      cancelled: timers,
      next: this.#next,
    }
  }

  #replay(event: HistoryEvent): void {
    switch (event.EventType) {
      case eventType.OrchestratorStarted:
        this.#now = Math.max(this.#now, Date.parse(event.Timestamp))
        return
      case eventType.ExecutionStarted:
        break
      case eventType.TaskCompleted:
      case eventType.SubOrchestrationInstanceCompleted:
        this.#settle(event.TaskScheduledId, true, event.Result)
        break
      case eventType.TaskFailed:
      case eventType.SubOrchestrationInstanceFailed:
        this.#settle(event.TaskScheduledId, false, undefined)
        break
      case eventType.TimerFired:
        this.#settle(event.TimerId, true, undefined)
        break
      case eventType.EventRaised:
        if (this.#answer(event)) break
        if (this.#next) this.#next.raised.push(event)
        else this.#hear(event.Name ?? '')
        break
      default:
        return
    }
    this.#advance()
  }

  /** Starts one action after the other, until one is not over yet. */
  #advance(): void {
    while (!this.#current || this.#current.outcome) {
      if (this.#position >= this.#actions.length) return
      this.#current = this.#nodeOf(this.#actions[this.#position])
      this.#position += 1
      this.#start(this.#current)
    }
  }

  #nodeOf(source: unknown): Node {
    const known = this.#nodes.get(source)
    if (known) return known
    const read = readAction(source)
    const node: Node = { action: read, parents: [], children: [], started: false, outcome: undefined }
    this.#nodes.set(source, node)
    if ('compoundActions' in read) node.children.push(...read.compoundActions.map((child) => this.#nodeOf(child)))
    return node
  }

  #start(node: Node): void {
    if (node.started) return
    node.started = true
    const { action: asked } = node
    this.#isPlain &&= asked.actionType === 0
    switch (asked.actionType) {
      case 0:
        return this.#attempt(node, new Activity(asked), undefined, 1)
      case 1:
        return this.#attempt(node, new Activity(asked), asked.retryOptions, 1)
      case 2:
        return this.#attempt(node, subOrchestrationOf(asked), undefined, 1)
      case 3:
        return this.#attempt(node, subOrchestrationOf(asked), asked.retryOptions, 1)
      case 7:
        return this.#send(node, messageOf('entityCall', asked), true)
      case 9:
        return this.#send(node, messageOf('entitySignal', asked), false)
      case 13: {
        const set = asked.lockSet.map(({ name, key }) => `@${name.toLowerCase()}@${key}`)
        this.#locked.push(...set)
        return this.#send(node, { kind: 'entityLock', entity: set[0] ?? '', set }, true)
      }
      case 14:
        for (const entity of this.#locked.splice(0))
          this.#needs.push({ id: this.#needs.length, what: { kind: 'entityRelease', entity } })
        return this.#finish(node, true)
      case 8:
        return this.#call(node, asked.httpRequest)
      case 4:
        this.#next = {
          input: asked.input === undefined || asked.input === null ? null : JSON.stringify(asked.input),
          raised: [],
        }
        return this.#finish(node, true)
      case 5:
        return this.#need(node, { kind: 'timer', fireAt: asked.fireAt.getTime() }, () => this.#finish(node, true))
      case 6:
        return this.#listen(node, asked.externalEventName)
      case 11:
      case 12:
        return this.#startAll(node)
    }
  }

  #attempt(node: Node, what: Need['what'], retry: RetryOptions | undefined, attempt: number): void {
    this.#need(node, what, (succeeded) => {
      if (succeeded || !retry) return this.#finish(node, succeeded)
      const isLast = attempt >= (retry.maxNumberOfAttempts ?? Infinity)
      const fireAt = this.#now + (isLast ? 0 : retryDelay(retry, attempt))
      this.#need(node, { kind: 'timer', fireAt }, () =>
        isLast ? this.#finish(node, false) : this.#attempt(node, what, retry, attempt + 1),
      )
    })
  }

  #call(node: Node, request: HttpRequest, number = this.#reserve()): void {
    const what = { kind: 'activity', name: httpActivity, input: JSON.stringify(request) } as const
    this.#need(
      node,
      what,
      (succeeded, result) => {
        const poll = succeeded ? pollAfter(request, result, this.#pollWait) : undefined
        if (!poll) return this.#finish(node, succeeded)
        const timer = this.#reserve()
        const next = this.#reserve()
        const wait = { kind: 'timer', fireAt: this.#now + poll.wait } as const
        this.#need(node, wait, () => this.#call(node, poll.request, next), timer)
      },
      number,
    )
  }

  /** What is answered by an event keeps nobody from ending. */
  #send(node: Node, what: EntityMessage, isAnswered: boolean): void {
    const id = this.#reserve()
    this.#needs[id] = { id, what }
    if (isAnswered) this.#asked.set(answerNameOf(id), node)
    else this.#finish(node, true)
  }

  /** Whether the event was an entity's answer. */
  #answer({ Name = '', Input }: HistoryEvent): boolean {
    const node = this.#asked.get(Name)
    if (!node) return false
    this.#asked.delete(Name)
    this.#finish(node, !(Input ?? '').includes('"exceptionType"'))
    return true
  }

  #reserve(): number {
    return this.#needs.push(undefined) - 1
  }

  #need(node: Node, what: Need['what'], settle: Settle, id = this.#reserve()): void {
    this.#needs[id] = { id, what }
    const early = this.#early.get(id)
    if (early === undefined) this.#open.set(id, { node, settle })
    else settle(early.succeeded, early.result)
  }

  #settle(id: number | undefined, succeeded: boolean, result: string | null | undefined): void {
    if (id === undefined) return
    const open = this.#open.get(id)
    this.#open.delete(id)
    if (open) open.settle(succeeded, result)
    else this.#early.set(id, { succeeded, result })
  }

  #listen(node: Node, name: string): void {
    const unheard = this.#unheard.get(name) ?? 0
    if (unheard === 0) this.#waiters.set(name, [...(this.#waiters.get(name) ?? []), node])
    else {
      this.#unheard.set(name, unheard - 1)
      this.#finish(node, true)
    }
  }

  #hear(name: string): void {
    const waiter = this.#waiters.get(name)?.pop()
    if (waiter) this.#finish(waiter, true)
    else this.#unheard.set(name, (this.#unheard.get(name) ?? 0) + 1)
  }

  #startAll(node: Node): void {
    for (const child of node.children) child.parents.push(node)
    for (const child of node.children) this.#start(child)
    for (const child of node.children) if (child.outcome) this.#childFinished(node, child)
  }

  #finish(node: Node, succeeded: boolean): void {
    if (node.outcome) return
    node.outcome = succeeded ? 'succeeded' : 'failed'
    for (const parent of node.parents) this.#childFinished(parent, node)
  }

  #childFinished(parent: Node, child: Node): void {
    if (parent.outcome) return
    if (parent.action.actionType === 11) this.#finish(parent, true)
    else if (child.outcome === 'failed') this.#finish(parent, false)
    else if (parent.children.every(({ outcome }) => outcome === 'succeeded')) this.#finish(parent, true)
  }
}

const known = new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14])

function readAction(source: unknown): Action {
  const type = typeof source === 'object' && source !== null && 'actionType' in source ? Number(source.actionType) : -1
  if (!known.has(type)) throw new UnsupportedAction(`This task hub knows no action of type ${type}.`)
  return action.parse(source)
}

const isCancelled = ({ action: asked }: Node) => asked.actionType === 5 && asked.isCanceled === true

/** An activity whose input is written when it is asked for: a plan holds all that an execution ever asked for, and only what is new is begun. */
class Activity {
  readonly kind = 'activity'
  readonly name: string
  readonly #given: unknown
  #written: string | undefined

  constructor({ functionName, input }: { functionName: string; input?: unknown }) {
    this.name = functionName
    this.#given = input
  }

  /** JSON text; undefined for none. */
  get input(): string | undefined {
    this.#written ??= inputText(this.#given)
    return this.#written
  }
}

const subOrchestrationOf = (asked: {
  functionName: string
  instanceId?: string | null | undefined
  version?: string | null | undefined
  input?: unknown
}): Need['what'] => ({
  kind: 'subOrchestration',
  name: asked.functionName,
  version: asked.version ?? undefined,
  instanceId: asked.instanceId ?? undefined,
  input: asked.input === undefined || asked.input === null ? null : JSON.stringify(asked.input),
})

const messageOf = (
  kind: 'entityCall' | 'entitySignal',
  { instanceId, operation, input }: { instanceId: string; operation: string; input?: unknown },
): EntityMessage => ({
  kind,
  entity: instanceId,
  operation,
  input: input === undefined ? null : JSON.stringify(input),
})

/** The SDK encodes the texts among inputs as JSON, and everything else not. */
function inputText(input: unknown): string | undefined {
  if (input === undefined || input === null) return undefined
  return typeof input === 'string' ? input : JSON.stringify(input)
}

const sixDays = 6 * 24 * 3_600_000

function retryDelay(retry: RetryOptions, attempt: number): number {
  const delay = retry.firstRetryIntervalInMilliseconds * (retry.backoffCoefficient ?? 1) ** (attempt - 1)
  return Math.min(delay, retry.maxRetryIntervalInMilliseconds ?? sixDays)
}
