// The language in which a saga is written down: plain data, typed from step to step.

import type { Action } from './action.js'
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
  /** Message name of the platform, for example Create. */
  readonly message: string
}

export interface Step {
  readonly name: string
  readonly action: Action
  /** A snapshot only reads: there is nothing to undo, and its output is the row. */
  readonly kind: 'snapshot' | 'step'
  /** Pure: the same known facts give the same input, in every replay. */
  inputFor(known: Known): unknown
}

export interface Saga {
  readonly name: string
  /** An instance finishes under the version it began with. */
  readonly version: number
  readonly on: On
  readonly steps: readonly Step[]
}

export interface SagaBuilder<Row, Outputs extends OutputsByStep> {
  /** Reads the row before anything else is asked; later mappings find it as `row`. */
  snapshot<Read>(action: Action<{ rowId: string }, Read>): SagaBuilder<Read, Outputs>
  /** Calls a partner. `input` maps what is known by then to what the action accepts. */
  step<Name extends string, Input, Output>(
    name: Name,
    action: Action<Input, Output>,
    input: (known: Known<Row, Outputs>) => NoInfer<Input>,
  ): SagaBuilder<Row, Outputs & { readonly [N in Name]: Output }>
  /** @throws SagaError `SAGA_STEP_REPEATED`, `SAGA_ID_TOO_LONG` */
  end(): Saga
}

/** Before the first step there is no output to use: naming one does not compile. */
type NoOutputs = { readonly [Name in never]: unknown }

/** Begins to write a saga down. */
export function defineSaga(
  name: string,
  { version, on }: { version: number; on: On },
): SagaBuilder<undefined, NoOutputs> {
  return builderOf({ name, version, on, steps: [] })
}

function builderOf<Row, Outputs extends OutputsByStep>(saga: Saga): SagaBuilder<Row, Outputs> {
  const withStep = <NextRow, NextOutputs extends OutputsByStep>(step: Step) =>
    builderOf<NextRow, NextOutputs>({ ...saga, steps: [...saga.steps, step] })
  return {
    snapshot: (action) =>
      withStep({ name: 'snapshot', kind: 'snapshot', action, inputFor: ({ event }) => ({ rowId: event.rowId }) }),
    // Types end here and begin again in the action's readers: an output was read by them before it was recorded.
    step: (name, action, input) => withStep({ name, kind: 'step', action, inputFor: input }),
    end: () => checked(saga),
  }
}

function checked(saga: Saga): Saga {
  const seen = new Set<string>()
  for (const { name } of saga.steps) {
    if (seen.has(name)) throw SagaError.of('SAGA_STEP_REPEATED', { saga: saga.name, step: name })
    seen.add(name)
  }
  const length = instanceIdLength(saga.name, saga.on.table)
  if (length > longestInstanceId)
    throw SagaError.of('SAGA_ID_TOO_LONG', { saga: saga.name, table: saga.on.table, length })
  return saga
}
