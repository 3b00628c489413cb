// What a command would come to, if all goes well and nobody says anything else: the machine itself runs ahead, with partners that apply whatever they
// are asked. Nobody is asked anything.
//
// What hangs on an answer that is not there yet is not known: such a call stands in the plan without its values, and in its request a name in braces
// stands for the value.

import { isPastPivot, objectionTo, type SagaCommand } from './commands.js'
import type { Known, Saga, Step } from './define.js'
import { definitionOf, knownTo } from './forward.js'
import { type SagaEvent, turn } from './machine.js'
import { type Ask, nextOf } from './next.js'
import type { Phase } from './phase.js'
import { digestOfAsk, newIn, type PlannedCall, writePlanned } from './plan.js'
import { requestOf } from './request.js'
import { phaseOf, type SagaState } from './state.js'

export interface PreviewedCall {
  readonly partner: string
  readonly action: string
  readonly step: string
  readonly what: Ask['what']
  /** Absent, as is the path, when the request can't be made before an answer is there. */
  readonly method?: string
  readonly path?: string
  /** Whether it is needed hangs on an answer. */
  readonly isPerhaps?: true
}

export interface Preview {
  readonly allowed: boolean
  /** Why not. */
  readonly why?: string
  /** In the order in which they begin. What is being asked already is not among them. */
  readonly calls: readonly PreviewedCall[]
  /** The steps whose effects could be taken back before, and can't any more. */
  readonly becomesIrreversible: readonly string[]
  readonly phaseAfter: Phase
  /** What the command carries, to be held to it (plan.ts). */
  readonly plan: readonly string[]
}

/** @param at when it would be said; ISO 8601 in UTC */
export function previewOf(saga: Saga, state: SagaState, command: SagaCommand, at: string): Preview {
  const why = objectionTo(command, saga, state)
  if (why !== undefined)
    return { allowed: false, why, calls: [], becomesIrreversible: [], phaseAfter: phaseOf(state), plan: [] }
  const { plan: _, ...unplanned } = command
  const { calls, planned, end } = new Ahead(saga, state).run({ kind: 'said', at, command: unplanned })
  return {
    allowed: true,
    calls,
    becomesIrreversible: saga.steps.flatMap(({ name }, index) =>
      isForGood(saga, end, index) && !isForGood(saga, state, index) ? [name] : [],
    ),
    phaseAfter: phaseOf(end),
    plan: planned.map(writePlanned),
  }
}

/** Whether a step has an effect that the saga will not take back. */
function isForGood(saga: Saga, state: SagaState, index: number): boolean {
  const { action, kind } = definitionOf(saga, index)
  const { doing, undoing } = state.steps[index] ?? {}
  if (undoing?.writtenOff) return true
  return (
    (kind === 'pivot' && isPastPivot(saga, state)) ||
    (action.irreversible !== undefined && doing?.outcome === 'applied')
  )
}

/** Stand for a value that nobody knows yet. */
const unknownOutput = Object.freeze({ unknown: 'output' })
const unknownInput = Object.freeze({ unknown: 'input' })

class Ahead {
  readonly #saga: Saga
  /** The same saga, whose mappings may ask for what is not known yet. */
  readonly #daring: Saga
  readonly #perhaps = new Set<string>()
  readonly #calls: PreviewedCall[] = []
  readonly #planned: PlannedCall[] = []
  #state: SagaState

  constructor(saga: Saga, state: SagaState) {
    this.#saga = saga
    this.#daring = { ...saga, steps: saga.steps.map((step) => this.#dared(step)) }
    this.#state = state
  }

  run(first: SagaEvent) {
    this.#turn([first])
    for (let events = this.#following(first.at); events.length > 0; events = this.#following(this.#state.updatedAt))
      this.#turn(events)
    return { calls: this.#calls, planned: this.#planned, end: this.#state }
  }

  /** What happens next if all goes well; nothing at its end, or when only a person can help. */
  #following(now: string): SagaEvent[] {
    const next = nextOf(this.#daring, this.#state)
    if (next.kind === 'end') return []
    if (next.kind === 'ask')
      return next.asks.map(({ step, what }) => ({
        kind: 'answered',
        at: now,
        step,
        what,
        outcome: { kind: 'applied', output: what === 'undo' ? undefined : unknownOutput },
      }))
    const replies = this.#saga.steps.flatMap(({ name: step }, index): SagaEvent[] => {
      const { doing, edition } = this.#state.steps[index] ?? {}
      const outcome = { kind: 'applied', output: unknownOutput } as const
      return doing?.stand.at === 'answer' ? [{ kind: 'replied', at: now, step, edition: edition ?? 1, outcome }] : []
    })
    if (replies.length > 0 && !this.#state.held) return replies
    if (next.until === undefined) return []
    return [{ kind: 'woken', at: next.until > now ? next.until : now }]
  }

  #turn(events: readonly SagaEvent[]): void {
    const before = nextOf(this.#daring, this.#state)
    const { plan: _, ...unplanned } = this.#state
    this.#state = events.reduce((state, event) => turn(this.#daring, state, event), unplanned)
    for (const ask of newIn(before, nextOf(this.#daring, this.#state))) this.#note(ask)
  }

  #note(ask: Ask): void {
    const { partner, action, step, what } = ask
    const isPerhaps = this.#perhaps.has(step) && what === 'do'
    const [isKnown, request] = this.#requestOf(ask)
    this.#planned.push({ what, step, digest: isKnown ? digestOfAsk(ask) : '?', isPerhaps })
    this.#calls.push({ partner, action, step, what, ...request, ...(isPerhaps && { isPerhaps }) })
  }

  /** As far as it can be made, and whether it is made of known values alone. */
  #requestOf(ask: Ask): readonly [isKnown: boolean, request: { method?: string; path?: string }] {
    const index = this.#saga.steps.findIndex(({ name }) => name === ask.step)
    const definition = definitionOf(this.#saga, index)
    const { input, output } = this.#state.steps[index] ?? {}
    const isKnown = input !== unknownInput && (ask.what !== 'undo' || output !== unknownOutput)
    try {
      const shown =
        input === unknownInput ? definition.inputFor(withUnknown(knownTo(this.#saga, this.#state), named)) : input
      const { method, path } = requestOf(withValues(ask, shown), definition.action)
      return [isKnown, { method, path }]
    } catch {
      return [isKnown, {}]
    }
  }

  #dared(step: Step): Step {
    const { when, inputFor, name } = step
    return {
      ...step,
      inputFor: (known) =>
        orElse(
          () => inputFor(withUnknown(known, refuse)),
          () => unknownInput,
        ),
      ...(when && {
        when: (known) =>
          orElse(
            () => when(withUnknown(known, refuse)),
            () => Boolean(this.#perhaps.add(name)),
          ),
      }),
    }
  }
}

/** What mappings may use; in place of what is not known, what is given for its name. */
function withUnknown({ event, row, outputs }: Known, instead: (name: string) => unknown): Known {
  const member = (name: string, value: unknown) => ({
    enumerable: true,
    get: () => (value === unknownOutput ? instead(name) : value),
  })
  const members = Object.entries(outputs).map(([name, output]) => [name, member(name, output)])
  return Object.defineProperty(
    { event, row, outputs: Object.defineProperties({}, Object.fromEntries(members)) },
    'row',
    member('row', row),
  )
}

class NotKnownYet extends Error {}

function refuse(): never {
  throw new NotKnownYet()
}

function orElse<Value, Other>(read: () => Value, other: () => Other): Value | Other {
  try {
    return read()
  } catch (error) {
    if (error instanceof NotKnownYet) return other()
    throw error
  }
}

/** `{register.id}` for a member of what register will bring. */
const named = (name: string): unknown =>
  new Proxy({}, { get: (_, member) => (typeof member === 'string' ? `{${name}.${member}}` : undefined) })

function withValues(ask: Ask, input: unknown): Ask {
  if (ask.what !== 'undo') return { ...ask, input }
  if ('key' in ask.done) return { ...ask, done: { input, key: ask.done.key } }
  return { ...ask, done: { input, output: ask.done.output === unknownOutput ? named(ask.step) : ask.done.output } }
}
