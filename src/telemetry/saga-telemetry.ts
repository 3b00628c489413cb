// What is told of a saga: that its message came, each attempt with the call to its partner, and its end.
//
// Told where it happens, in triggers and activities, and by the orchestrator when a turn is taken for the first time; never in a replay. All but calls have
// derived ids: what a crash makes happen twice in our books is told under one id, what happened twice at a partner is two calls.

import type { Saga } from '../saga/define.js'
import type { DataverseEvent } from '../saga/event.js'
import { instanceOf } from '../saga/ids.js'
import type { Ask } from '../saga/next.js'
import type { Outcome } from '../saga/outcome.js'
import type { SagaInput } from '../saga/routing.js'
import { phaseOf, type SagaState } from '../saga/state.js'
import type { Traced } from '../saga/traced.js'
import { listening } from './telemetry.js'
import { factsOf } from './told.js'
import {
  newSpanId,
  placeOfSaga,
  type Place,
  readTraceparent,
  sagaSpanId,
  spanIdOf,
  traceIdOf,
  traceOfCorrelation,
  traceparentOf,
} from './trace-ids.js'

/** As much of a message, or of a request, as tracing needs. */
export interface Arrival {
  /** Of the queue, or of the endpoint. */
  readonly name: string
  readonly messageId?: string | undefined
  /** Of whoever sent it. */
  readonly traceparent?: unknown
  /** Milliseconds since 1970; of a message in a queue. */
  readonly enqueuedAt?: number | undefined
}

export interface Receipt {
  /** What has come, once it is read. `work` gets the traceparent that sagas started by it take along; undefined when nobody traces. */
  of<Result>(events: readonly DataverseEvent[], work: (trace: string | undefined) => Promise<Result>): Promise<Result>
}

const untold: Receipt = { of: (_, work) => work(undefined) }

/** @param work takes what has come, and tells the receipt once it is read */
export async function receiving<Result>(
  arrival: Arrival,
  work: (receipt: Receipt) => Promise<Result>,
): Promise<Result> {
  const telemetry = listening()
  if (!telemetry) return work(untold)
  const from = Date.now()
  if (arrival.enqueuedAt !== undefined) telemetry.record('queue.lag', Math.max(0, from - arrival.enqueuedAt), {})
  let read: readonly DataverseEvent[] = []
  let outcome = 'failed'
  try {
    const result = await work({
      of(events, start) {
        read = events
        const place = { trace: placeOf(arrival, events).trace, span: spanOf(arrival, events) }
        return telemetry.within(place, () => start(traceparentOf(place, telemetry.isOfShare(place.trace))))
      },
    })
    outcome = read.length > 0 ? 'received' : 'deadLettered'
    return result
  } finally {
    const { trace, span: parent } = placeOf(arrival, read)
    telemetry.tell({
      trace,
      span: spanOf(arrival, read),
      ...(parent !== undefined && { parent }),
      name: `receive ${arrival.name}`,
      kind: 'consumer',
      from,
      to: Date.now(),
      isFailure: outcome !== 'received',
      facts: { outcome, ...(read[0] && { table: read[0].table }) },
    })
  }
}

/** That of the sender, else Dataverse's own chain of requests, else one of its own. */
function placeOf({ traceparent, messageId = '' }: Arrival, [first]: readonly DataverseEvent[]): Place {
  const given = readTraceparent(traceparent)
  return given ?? { trace: traceOfCorrelation(first?.correlationId) ?? traceIdOf(first?.id ?? messageId) }
}

/** The same for every delivery of one message. */
const spanOf = ({ name, messageId }: Arrival, events: readonly DataverseEvent[]): string =>
  spanIdOf('receive', name, messageId ?? events.map(({ id }) => id).join())

/** One attempt, from when it is begun; undefined when nobody listens. */
export interface Attempt {
  /** What a partner is told of the trace, and how the call to it went. */
  readonly headers: { readonly traceparent: string }
  called(method: string, status: number | undefined): void
  ended(outcome: Outcome): void
}

export function beginAttempt(ask: Ask, traced: Traced | undefined): Attempt | undefined {
  const telemetry = listening()
  if (!telemetry) return undefined
  const instance = instanceOf(ask.key)
  const { trace } = placeOfSaga(instance, traced?.trace)
  const { key, what, attempt, step, partner } = ask
  const span = spanIdOf(what, key, attempt, traced?.at ?? '')
  const call = newSpanId()
  const facts = { ...factsOf(instance), ...(traced && { version: traced.version }), step, attempt, partner }
  const from = Date.now()
  return {
    headers: { traceparent: traceparentOf({ trace, span: call }, telemetry.isOfShare(trace)) },
    called(method, status) {
      telemetry.tell({
        trace,
        span: call,
        parent: span,
        name: `${partner}.${ask.action}`,
        kind: 'client',
        from,
        to: Date.now(),
        isFailure: status === undefined || status >= 400,
        facts,
        call: { method, ...(status !== undefined && { status }) },
      })
    },
    ended(outcome) {
      // It was not even tried, and counts as no attempt.
      if (outcome.kind === 'deferred' && outcome.parked) return
      telemetry.count('saga.step.attempts', { saga: facts.saga ?? '', step, partner, outcome: outcome.kind })
      telemetry.tell({
        trace,
        span,
        parent: sagaSpanId(instance),
        name: `${what} ${step}`,
        kind: 'internal',
        from,
        to: Date.now(),
        isFailure: outcome.kind !== 'applied',
        ...(what !== 'do' && { isRepair: true }),
        facts: { ...facts, outcome: outcome.kind },
      })
    },
  }
}

/** What a turn has brought: debts, a wait for a person, and the end. */
export function tellTurn(
  { name, version, steps }: Saga,
  input: SagaInput,
  before: SagaState | undefined,
  after: SagaState,
): void {
  const telemetry = listening()
  if (!telemetry) return
  steps.forEach(({ name: step, action: { partner } }, index) => {
    const isOwed = after.steps[index]?.undoing?.debtSince !== undefined
    if (isOwed && before?.steps[index]?.undoing?.debtSince === undefined)
      telemetry.count('saga.debts', { saga: name, step, partner })
  })
  if (phaseOf(after) === 'held' && (!before || phaseOf(before) !== 'held')) telemetry.count('saga.held', { saga: name })
  const outcome = after.end
  if (outcome === undefined) return
  const { instance, startedAt, updatedAt } = after
  const { trace, span: parent } = placeOfSaga(instance, input.trace)
  const [from, to] = [Date.parse(startedAt), Date.parse(updatedAt)]
  telemetry.count('saga.outcomes', { saga: name, version, outcome })
  telemetry.record('saga.duration', to - from, { saga: name, outcome })
  telemetry.tell({
    trace,
    span: sagaSpanId(instance),
    ...(parent !== undefined && { parent }),
    name: `saga ${name}`,
    kind: 'internal',
    from,
    to,
    isFailure: outcome !== 'completed' && outcome !== 'merged',
    isEnd: true,
    facts: { ...factsOf(instance), version, outcome },
  })
}
