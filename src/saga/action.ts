// Something a partner can do, and how it is undone: declared once per partner, used by any saga.

import type { OutcomeKind } from './outcome.js'
import { patient, type RetryPolicy, relentless } from './policy.js'

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
  readonly headers?: Readonly<Record<string, string>>
}

/** Where a partner deviates from the common reading of HTTP statuses (see src/partner/classify.ts). */
export type StatusMeanings = Readonly<Record<number, OutcomeKind>>

/** What an applied step left behind: all that an undo may be made of. */
export interface Done<Input, Output> {
  readonly input: Input
  readonly output: Output
}

export interface ActionDeclaration<Input, Output> {
  readonly input: Reader<Input>
  readonly output: Reader<Output>
  readonly request: (input: Input) => PartnerRequest
  /** `patient` if absent. */
  readonly retry?: RetryPolicy
  /**
   * What the partner does with a second request under the same idempotency key.
   * `honoured`: answers again without a second effect, so a call in doubt may be repeated. `ignored`: a call in doubt is held for a person.
   */
  readonly keys: 'honoured' | 'ignored'
  readonly meanings?: StatusMeanings
  readonly undo?: {
    readonly request: (done: Done<Input, Output>) => PartnerRequest
    /** `relentless` if absent. */
    readonly retry?: RetryPolicy
    readonly meanings?: StatusMeanings
  }
}

/** An action in the form in which the engine keeps it. `Input` and `Output` are for the compiler: at run time each value is read again. */
export interface Action<Input = never, Output = unknown> {
  readonly partner: string
  readonly name: string
  readonly keys: 'honoured' | 'ignored'
  readonly retry: RetryPolicy
  readonly undoRetry: RetryPolicy
  readonly undoable: boolean
  /** Throws what the reader of the input throws. */
  requestFor(input: unknown): PartnerRequest
  /** Throws when there is no undo, or what the readers throw. */
  undoRequestFor(done: Done<unknown, unknown>): PartnerRequest
  meaningsOf(what: 'do' | 'undo'): StatusMeanings
  readOutput(value: unknown): Output
  /** Only for the compiler: what the step's mapping must produce. */
  readonly accepts?: (input: Input) => void
}

/** A system that sagas call. */
export interface Partner {
  readonly name: string
  /** The app setting that holds the address, for example `ERP_URL`. */
  readonly addressSetting: string
  readonly actions: readonly Action[]
}

/** Writes down one action of a partner. */
export function defineAction<Input, Output>(
  partner: string,
  name: string,
  declaration: ActionDeclaration<Input, Output>,
): Action<Input, Output> {
  const { input, output, undo } = declaration
  return {
    partner,
    name,
    keys: declaration.keys,
    retry: declaration.retry ?? patient,
    undoRetry: undo?.retry ?? relentless,
    undoable: undo !== undefined,
    requestFor: (value) => declaration.request(input.parse(value)),
    undoRequestFor(done) {
      if (!undo) throw new Error(`Action '${name}' of '${partner}' has no undo.`)
      return undo.request({ input: input.parse(done.input), output: output.parse(done.output) })
    },
    meaningsOf: (what) => (what === 'do' ? declaration.meanings : undo?.meanings) ?? {},
    readOutput: (value) => output.parse(value),
  }
}
