// How much a saga may carry: every durable backend takes it in one piece, the strictest a megabyte for all that one turn writes.

import { SagaError } from './errors.js'

/** Characters of JSON that one input or output may have. */
export const largestValue = 48 * 1024
/** Characters of JSON that all inputs and outputs of an instance may have together. */
export const largestTotal = 384 * 1024

export const sizeOf = (value: unknown): number => (JSON.stringify(value) ?? '').length

/** Whether its JSON has at most so many characters. That is only written where an estimate, which is never too low, doesn't tell. */
export const fitsIn = (largest: number, value: unknown): boolean =>
  highestSizeOf(value) <= largest || sizeOf(value) <= largest

/** @throws SagaError `VALUE_TOO_LARGE` */
export function checkSize<Value>(what: string, value: Value, largest = largestValue): Value {
  if (!fitsIn(largest, value)) throw SagaError.of('VALUE_TOO_LARGE', { what, size: sizeOf(value), largest })
  return value
}

/** A character of a text can become six, as in `\u0000`; no number has more than 24. What is left to JSON itself, be it to throw, has no end. */
function highestSizeOf(value: unknown, depth = 0): number {
  if (typeof value === 'string') return 2 + 6 * value.length
  if (typeof value === 'bigint') return Number.POSITIVE_INFINITY
  if (typeof value !== 'object' || value === null) return 24
  if (depth > deepest || 'toJSON' in value) return Number.POSITIVE_INFINITY
  let size = 2
  if (Array.isArray(value)) for (const item of value) size += 1 + highestSizeOf(item, depth + 1)
  else
    for (const name of Object.keys(value))
      size += 4 + 6 * name.length + highestSizeOf(Reflect.get(value, name), depth + 1)
  return size
}

/** Levels; what goes deeper may be a circle. */
const deepest = 50
