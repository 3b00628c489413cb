// Where something stands in a trace. Ids are not drawn but derived, so that whoever tells of the same thing twice, after a crash, tells it under the same id.

import { createHash, randomBytes } from 'node:crypto'
import type { InstanceId } from '../saga/ids.js'

/** A trace (32 hexadecimal digits), and the span in it (16) that others hang on, if there is one yet. */
export interface Place {
  readonly trace: string
  readonly span?: string
}

const digest = (parts: readonly (string | number)[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex')

/** The same parts, the same span. */
export const spanIdOf = (...parts: readonly (string | number)[]): string => digest(parts).slice(0, 16)

export const newSpanId = (): string => randomBytes(8).toString('hex')

/** Of the whole saga: its attempts hang on it. */
export const sagaSpanId = (instance: InstanceId): string => spanIdOf('saga', instance)

/** Names a row without telling which it is; whoever has the row's id can make it. 16 hexadecimal digits. */
export const rowHash = (rowId: string): string => digest(['row', rowId.toLowerCase()]).slice(0, 16)

/** W3C Trace Context, level 1; undefined for anything else. */
export function readTraceparent(text: unknown): Required<Place> | undefined {
  const [, trace = '', span = ''] =
    (typeof text === 'string' && /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(text)) || []
  return /[1-9a-f]/.test(trace) && /[1-9a-f]/.test(span) ? { trace, span } : undefined
}

export const traceparentOf = ({ trace, span }: Required<Place>, isKept: boolean): string =>
  `00-${trace}-${span}-${isKept ? '01' : '00'}`

/** Dataverse's own id of a chain of requests is a trace id in all but its dashes. Undefined for one that says nothing. */
export function traceOfCorrelation(correlationId: string | undefined): string | undefined {
  const trace = (correlationId ?? '').replaceAll('-', '').toLowerCase()
  return /^[0-9a-f]{32}$/.test(trace) && /[1-9a-f]/.test(trace) ? trace : undefined
}

/** Of something that came without any. */
export const traceIdOf = (...parts: readonly (string | number)[]): string => digest(['trace', ...parts]).slice(0, 32)

/** What the attempts of a saga hang on, and what the saga itself hangs on. */
export function placeOfSaga(instance: InstanceId, trace: string | undefined): Place {
  return readTraceparent(trace) ?? { trace: traceIdOf(instance) }
}
