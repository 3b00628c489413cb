// What a history says of an ask. The platform's history API tells results without what was asked, so each result carries the mark of its ask.

import type { Ask } from './next.js'

/** For example `do register 1 5f3a9c1e`: what, step, attempt, and a digest of all that the ask carries. */
export const markOf = (ask: Ask): string => `${ask.what} ${ask.step} ${ask.attempt} ${digestOf(ask)}`

/** 8 hexadecimal digits, the same for equal JSON in any order of its members: FNV-1a, 32 bits. It finds differences, it is no secret. */
export function digestOf(value: unknown): string {
  const text = inOneForm(value)
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** JSON, the same for equal JSON in any order of its members. */
export const inOneForm = (value: unknown): string => JSON.stringify(value, sorted) ?? 'null'

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((name) => [name, Reflect.get(value, name)]),
  )
}
