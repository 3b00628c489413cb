// Something a partner can do, how it is undone, and how to find out whether it was done: declared once per partner, used by any saga.

import type { OutcomeKind } from './outcome.js'
import { type EndlessPolicy, type FinitePolicy, patient, type RetryPolicy } from './policy.js'

/** Reads foreign data or throws; a zod schema is one. */
export interface Reader<Value> {
  parse(value: unknown): Value
}

/** One HTTP request, relative to the partner's address. */
export interface PartnerRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, instead of a body; a header says what it is. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Where a partner deviates from the common reading of HTTP statuses (see src/partner/classify.ts). */
export type StatusMeanings = Readonly<Record<number, OutcomeKind>>

/** What an applied step left behind: all that an undo may be made of. */
export interface Done<Input, Output> {
  readonly input: Input
  readonly output: Output
}

export interface Undo<Input, Output> {
  readonly request: (done: Done<Input, Output>) => PartnerRequest
  /**
   * The undo of a call of which nobody knows whether it was applied, made of what it was asked for and under which key. Without it such a call is
   * owed until a person has looked.
   */
  readonly inDoubt?: (asked: { readonly input: Input; readonly key: string }) => PartnerRequest
  /** `patient` if absent. What is not undone by then is a debt: it is told as owed, and tried again at the longest interval until it is. */
  readonly retry?: RetryPolicy
  readonly meanings?: StatusMeanings
}

/** A reason why an effect can not be taken back. A saga that is undone around it ends `indebted`, and says so. */
export interface Irreversible {
  readonly irreversible: string
}

/** Asks the partner whether a call was applied, under the key that it was made with. */
export interface Probe<Input> {
  readonly request: (asked: { readonly input: Input; readonly key: string }) => PartnerRequest
  /** What the answers mean; the common reading if absent: 2xx that can be read as the action's output is applied, 404 is not applied. */
  readonly meanings?: StatusMeanings
}

export interface ActionDeclaration<Input, Output, Retry extends RetryPolicy> {
  readonly input: Reader<Input>
  /** Reads the partner's answer: of the call itself, or with `answeredWithin` of the message that comes later. */
  readonly output: Reader<Output>
  /** @param callback where the partner may post its answer later; empty unless `answeredWithin` is set. */
  readonly request: (input: Input, callback: string) => PartnerRequest
  /** `patient` if absent. */
  readonly retry?: Retry
  /**
   * What the partner does with a second request under the same idempotency key.
   * `honoured`: answers again without a second effect, so a call in doubt may be repeated. `ignored`: a call in doubt is probed, or held for a person.
   */
  readonly keys: 'honoured' | 'ignored'
  readonly meanings?: StatusMeanings
  readonly probe?: Probe<Input>
  /** Set when the partner only takes the call and answers it later: milliseconds after which the call is in doubt. */
  readonly answeredWithin?: number
  /**
   * With `answeredWithin`: the partner answers some calls at once. 202, or no body, says that it has taken the call; any other 2xx is read as the answer. It must
   * do so with every call where the app has no `CALLBACK_URL`: then there is no address to answer to.
   */
  readonly mayAnswerAtOnce?: true
}

/** What the language must know of an action before it may stand in a certain place. */
export interface Traits {
  readonly back: 'undoable' | 'irreversible' | 'none'
  readonly patience: 'finite' | 'endless'
}

/** An action in the form in which the engine keeps it. Its type parameters are for the compiler: at run time each value is read again. */
export interface Action<Input = never, Output = unknown, Has extends Traits = Traits> {
  readonly partner: string
  readonly name: string
  readonly keys: 'honoured' | 'ignored'
  readonly retry: RetryPolicy
  readonly undoRetry: RetryPolicy
  readonly undoable: boolean
  readonly undoableInDoubt: boolean
  readonly irreversible: string | undefined
  readonly probed: boolean
  readonly answeredWithin: number | undefined
  readonly mayAnswerAtOnce: boolean
  /** Throws what the reader of the input throws. */
  requestFor(input: unknown, callback?: string): PartnerRequest
  /** Throws when there is no such undo, or what the readers throw. */
  undoRequestFor(done: Done<unknown, unknown> | { readonly input: unknown; readonly key: string }): PartnerRequest
  /** Throws when there is no probe. */
  probeRequestFor(asked: { readonly input: unknown; readonly key: string }): PartnerRequest
  meaningsOf(what: 'do' | 'undo' | 'probe'): StatusMeanings
  readOutput(value: unknown): Output
  /** Only for the compiler. */
  readonly accepts?: (input: Input) => void
  /** Only for the compiler. */
  readonly has?: Has
}

/** Any action at all, for lists of them. */
export type AnyAction = Omit<Action, 'accepts' | 'has'>

/** Whether a call that was applied with this output is only taken: its answer comes later. */
export const isOnlyTaken = ({ answeredWithin, mayAnswerAtOnce }: AnyAction, output: unknown): boolean =>
  answeredWithin !== undefined && (output === undefined || !mayAnswerAtOnce)

type PatienceOf<Retry> = Retry extends EndlessPolicy ? 'endless' : 'finite'

/** Writes down one action of a partner: one that can be undone, one that can not for a reason, or one of which nothing is said. */
export function defineAction<Input, Output, Retry extends RetryPolicy = FinitePolicy>(
  partner: string,
  name: string,
  declaration: ActionDeclaration<Input, Output, Retry> & { readonly undo: Undo<Input, Output> },
): Action<Input, Output, { back: 'undoable'; patience: PatienceOf<Retry> }>
export function defineAction<Input, Output, Retry extends RetryPolicy = FinitePolicy>(
  partner: string,
  name: string,
  declaration: ActionDeclaration<Input, Output, Retry> & { readonly undo: Irreversible },
): Action<Input, Output, { back: 'irreversible'; patience: PatienceOf<Retry> }>
export function defineAction<Input, Output, Retry extends RetryPolicy = FinitePolicy>(
  partner: string,
  name: string,
  declaration: ActionDeclaration<Input, Output, Retry> & { readonly undo?: undefined },
): Action<Input, Output, { back: 'none'; patience: PatienceOf<Retry> }>
export function defineAction<Input, Output>(
  partner: string,
  name: string,
  declaration: ActionDeclaration<Input, Output, RetryPolicy> & {
    readonly undo?: Undo<Input, Output> | Irreversible | undefined
  },
): Action<Input, Output> {
  const { input, output, probe, undo: back } = declaration
  const undo: Undo<Input, Output> | undefined = back && 'request' in back ? back : undefined
  const missing = (what: string) => new Error(`Action '${name}' of '${partner}' has no ${what}.`)
  return {
    partner,
    name,
    keys: declaration.keys,
    retry: declaration.retry ?? patient,
    undoRetry: undo?.retry ?? patient,
    undoable: undo !== undefined,
    undoableInDoubt: undo?.inDoubt !== undefined,
    irreversible: back && 'irreversible' in back ? back.irreversible : undefined,
    probed: probe !== undefined,
    answeredWithin: declaration.answeredWithin,
    mayAnswerAtOnce: declaration.mayAnswerAtOnce ?? false,
    requestFor: (value, callback = '') => declaration.request(input.parse(value), callback),
    undoRequestFor(done) {
      const asked = input.parse(done.input)
      // By its key, for an output that is undefined is not there any more once it was written down.
      if ('key' in done) {
        if (!undo?.inDoubt) throw missing('undo for a call in doubt')
        return undo.inDoubt({ input: asked, key: done.key })
      }
      if (!undo) throw missing('undo')
      return undo.request({ input: asked, output: output.parse(done.output) })
    },
    probeRequestFor(asked) {
      if (!probe) throw missing('probe')
      return probe.request({ input: input.parse(asked.input), key: asked.key })
    },
    meaningsOf(what) {
      if (what === 'probe') return { 404: 'refused', ...probe?.meanings }
      return (what === 'do' ? declaration.meanings : undo?.meanings) ?? {}
    },
    readOutput: (value) => output.parse(value),
  }
}
