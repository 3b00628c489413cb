// The language in which a saga is written down: plain data, typed from step to step. What would be a wrong saga does not compile.

import type { Action, AnyAction, Traits } from './action.js'
import { SagaError } from './errors.js'
import type { DataverseEvent } from './event.js'
import { instanceIdLength, longestInstanceId } from './ids.js'

/** What each step brought, found under the step's name. */
export type OutputsByStep = Readonly<Record<string, unknown>>

/** What a step's mapping may use: the event, the row as it stood when the saga read it, and what earlier steps brought. */
export interface Known<Row = unknown, Outputs = OutputsByStep> {
  readonly event: DataverseEvent
  readonly row: Row
  readonly outputs: Outputs
}

/** What a saga reacts to. */
export interface On {
  readonly table: string
  /** Message names of the platform, for example Create. */
  readonly message: string | readonly string[]
  /** Updates that change none of these are not for it. Without it all are; where a message does not tell its columns, it is for it. */
  readonly columns?: readonly string[]
}

/**
 * `row`: the sagas of one row run one after the other, and what came while one ran is taken by a single one after it. For sagas that bring a row to where it
 * stands, whatever it was that changed; without it they run at the same time.
 */
type Lane = 'row'

export interface Step {
  readonly name: string
  readonly action: AnyAction
  /** A snapshot only reads: there is nothing to undo, and its output is the row. */
  readonly kind: 'snapshot' | 'step' | 'pivot'
  /** Steps of one stage run at the same time; stages run one after the other, from 0. */
  readonly stage: number
  /** Whether the step is needed at all; always if absent. Pure. */
  readonly when?: (known: Known) => boolean
  /** Pure: the same known facts give the same input, in every replay. */
  readonly inputFor: (known: Known) => unknown
  /** Milliseconds from the first attempt on, after which no other is made. */
  readonly timeout?: number
  /** Milliseconds for which a refusal is held for a person before the saga is undone; undone at once if absent. */
  readonly holdRefusalFor?: number
}

export interface Saga {
  readonly name: string
  /** An instance finishes under the version it began with. */
  readonly version: number
  readonly on: On
  /** Milliseconds from the start, after which the saga is undone unless it is past its pivot. */
  readonly deadline?: number
  readonly lane?: Lane
  readonly steps: readonly Step[]
}

/** Where the pivot stands; -1 when there is none. */
export const pivotStageOf = ({ steps }: Saga): number => steps.find(({ kind }) => kind === 'pivot')?.stage ?? -1

export interface StepOptions<Facts> {
  /** Whether the step is needed at all. Its output is then `undefined` for later steps when it was not. */
  readonly when?: (known: Facts) => boolean
  /** Milliseconds from the first attempt on, after which no other is made. */
  readonly timeout?: number
  /** Milliseconds for which a refusal is held for a person before the saga is undone. */
  readonly holdRefusalFor?: number
}

/** What the compiler says of a wrong saga: the text stands in its message. */
export interface Wrong<Because extends string> {
  readonly wrong: Because
}

type Side = 'before' | 'after'

type Fresh<Name extends string, Outputs> = Name extends keyof Outputs
  ? Wrong<`A step named '${Name}' is there already: give each step a name of its own.`>
  : unknown

type Allowed<Has extends Traits, Where extends Side> = Where extends 'before'
  ? Has['back'] extends 'none'
    ? Wrong<'A step before the pivot needs an action with an undo, or with { irreversible: why }.'>
    : unknown
  : Has['patience'] extends 'finite'
    ? Wrong<'A step after the pivot can only go forward: its action needs a retry policy that never gives up.'>
    : unknown

/** A step that may be left out brings nothing then. */
type Brought<Output, Options> = Options extends { when: unknown } ? Output | undefined : Output

type With<Outputs, Name extends string, Output> = Outputs & { readonly [N in Name]: Output }

export interface SagaBuilder<Row, Outputs extends OutputsByStep, Where extends Side> {
  /** Calls a partner. `input` maps what is known by then to what the action accepts. */
  step<
    Name extends string,
    Input,
    Output,
    Has extends Traits,
    Options extends StepOptions<Known<Row, Outputs>> = object,
  >(
    name: Name & Fresh<Name, Outputs>,
    action: Action<Input, Output, Has> & Allowed<Has, Where>,
    input: (known: Known<Row, Outputs>) => NoInfer<Input>,
    options?: Options & StepOptions<Known<Row, Outputs>>,
  ): SagaBuilder<Row, With<Outputs, Name, Brought<Output, Options>>, Where>
  /** Steps that run at the same time. All are waited for, whatever becomes of the others; each knows what was known before the block. */
  parallel<Inside extends OutputsByStep>(
    block: (inside: BlockBuilder<Row, Outputs, Outputs, Where>) => BlockBuilder<Row, Outputs, Inside, Where>,
  ): SagaBuilder<Row, Inside, Where>
  /** The point of no return: once applied, the saga only goes forward. It needs no undo, and there is one at most. */
  pivot: Where extends 'before'
    ? <Name extends string, Input, Output, Has extends Traits>(
        name: Name & Fresh<Name, Outputs>,
        action: Action<Input, Output, Has>,
        input: (known: Known<Row, Outputs>) => NoInfer<Input>,
        options?: Omit<StepOptions<Known<Row, Outputs>>, 'when'>,
      ) => SagaBuilder<Row, With<Outputs, Name, Output>, 'after'>
    : Wrong<'A saga has one pivot at most.'>
  /** @throws SagaError `SAGA_NAME_MALFORMED`, `SAGA_STEP_REPEATED`, `SAGA_ID_TOO_LONG`, `SAGA_EMPTY` */
  end(): Saga
}

export interface BlockBuilder<Row, Before extends OutputsByStep, Outputs extends OutputsByStep, Where extends Side> {
  step<
    Name extends string,
    Input,
    Output,
    Has extends Traits,
    Options extends StepOptions<Known<Row, Before>> = object,
  >(
    name: Name & Fresh<Name, Outputs>,
    action: Action<Input, Output, Has> & Allowed<Has, Where>,
    input: (known: Known<Row, Before>) => NoInfer<Input>,
    options?: Options & StepOptions<Known<Row, Before>>,
  ): BlockBuilder<Row, Before, With<Outputs, Name, Brought<Output, Options>>, Where>
}

/** The beginning: only there the row can be read. */
export interface SagaBeginning extends SagaBuilder<undefined, NoOutputs, 'before'> {
  /** Reads the row before anything else is asked; later mappings find it as `row`. */
  snapshot<Read>(action: Action<{ rowId: string }, Read>): SagaBuilder<Read, NoOutputs, 'before'>
}

/** Before the first step there is no output to use: naming one does not compile. */
type NoOutputs = { readonly [Name in never]: unknown }

export interface SagaHead {
  readonly version: number
  readonly on: On
  /** Milliseconds from the start, after which the saga is undone unless it is past its pivot. */
  readonly deadline?: number
  readonly lane?: Lane
}

/** Begins to write a saga down. */
export function defineSaga(name: string, head: SagaHead): SagaBeginning {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the builder below is one for all types; what may follow what is decided by the types alone
  return new Builder({ name, ...head, steps: [] }) as unknown as SagaBeginning
}

type AnyOptions = StepOptions<Known>
type AnyMapping = (known: Known) => unknown

class Builder {
  readonly #saga: Saga

  constructor(saga: Saga) {
    this.#saga = saga
  }

  snapshot(action: AnyAction): Builder {
    return this.#add([
      { name: 'snapshot', kind: 'snapshot', action, inputFor: ({ event }) => ({ rowId: event.rowId }) },
    ])
  }

  step(name: string, action: AnyAction, inputFor: AnyMapping, options: AnyOptions = {}): Builder {
    return this.#add([{ name, kind: 'step', action, inputFor, ...options }])
  }

  pivot(name: string, action: AnyAction, inputFor: AnyMapping, options: AnyOptions = {}): Builder {
    return this.#add([{ name, kind: 'pivot', action, inputFor, ...options }])
  }

  parallel(block: (inside: Block) => Block): Builder {
    return this.#add(block(new Block([])).steps)
  }

  end(): Saga {
    return checked(this.#saga)
  }

  #add(steps: readonly Omit<Step, 'stage'>[]): Builder {
    const stage = (this.#saga.steps.at(-1)?.stage ?? -1) + 1
    return new Builder({ ...this.#saga, steps: [...this.#saga.steps, ...steps.map((step) => ({ ...step, stage }))] })
  }
}

class Block {
  readonly steps: readonly Omit<Step, 'stage'>[]

  constructor(steps: readonly Omit<Step, 'stage'>[]) {
    this.steps = steps
  }

  step(name: string, action: AnyAction, inputFor: AnyMapping, options: AnyOptions = {}): Block {
    return new Block([...this.steps, { name, kind: 'step', action, inputFor, ...options }])
  }
}

/** Ids and keys are made of names, and read again: no name may look like two. */
const isName = (text: string) => /^\w[\w-]*$/.test(text)

/** What the compiler can't see. */
function checked(saga: Saga): Saga {
  if (!isName(saga.name)) throw SagaError.of('SAGA_NAME_MALFORMED', { name: saga.name })
  const seen = new Set<string>()
  for (const { name } of saga.steps) {
    if (!isName(name)) throw SagaError.of('SAGA_NAME_MALFORMED', { name })
    if (seen.has(name)) throw SagaError.of('SAGA_STEP_REPEATED', { saga: saga.name, step: name })
    seen.add(name)
  }
  if (seen.size === 0) throw SagaError.of('SAGA_EMPTY', { saga: saga.name })
  const length = instanceIdLength(saga.name, saga.on.table)
  if (length > longestInstanceId)
    throw SagaError.of('SAGA_ID_TOO_LONG', { saga: saga.name, table: saga.on.table, length })
  return saga
}
