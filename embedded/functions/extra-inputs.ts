// The inputs of a function besides its trigger.

import type { TypedData } from './typed-data.js'
import type { RegisteredFunction } from './worker.js'

/** The value of an input that is no trigger, by its binding's type; undefined if nobody knows it. */
export type ExtraInput = (type: string) => TypedData | undefined

/** The values of a function's extra inputs, by key. */
export function inputsOf(inputs: RegisteredFunction['inputs'], extraInput: ExtraInput): Record<string, TypedData> {
  return Object.fromEntries(inputs.map(({ key, type }) => [key, extraInput(type) ?? {}]))
}
