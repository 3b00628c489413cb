// How much a saga may carry: every durable backend takes it in one piece, the strictest a megabyte for all that one turn writes.

import { SagaError } from './errors.js'

/** Characters of JSON that one input or output may have. */
export const largestValue = 48 * 1024
/** Characters of JSON that all inputs and outputs of an instance may have together. */
export const largestTotal = 384 * 1024

export const sizeOf = (value: unknown): number => (JSON.stringify(value) ?? '').length

/** @throws SagaError `VALUE_TOO_LARGE` */
export function checkSize<Value>(what: string, value: Value, largest = largestValue): Value {
  const size = sizeOf(value)
  if (size > largest) throw SagaError.of('VALUE_TOO_LARGE', { what, size, largest })
  return value
}
