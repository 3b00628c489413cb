// A run in words, one line for each thing that happened.

import type { Outcome } from '../src/saga/outcome.js'

export interface Line {
  /** Milliseconds after the start. */
  readonly at: number
  readonly what: string
}

export const linesOf = (lines: readonly Line[]) =>
  lines.map(({ at, what }) => `${`+${spell(at)}`.padStart(12)}  ${what}`).join('\n')

export function outcomeInWords(outcome: Outcome): string {
  if (outcome.kind === 'applied')
    return outcome.output === undefined ? 'applied' : `applied ${JSON.stringify(outcome.output).slice(0, 120)}`
  return `${outcome.kind === 'inDoubt' ? 'in doubt' : outcome.kind}: ${outcome.reason}`
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const

/** A time as people say it: `0.8 s`, `3 min 20 s`, `2 d 4 h`. */
export function spell(ms: number): string {
  const parts: string[] = []
  let left = ms
  for (const [unit, size] of units) {
    const count = Math.floor(left / size)
    if (count > 0) parts.push(`${count} ${unit}`)
    left -= count * size
  }
  if (parts.length === 0) return `${Number((left / 1_000).toFixed(left < 10_000 ? 2 : 1))} s`
  if (parts.length === 1 && left >= 1_000) parts.push(`${Math.round(left / 1_000)} s`)
  return parts.slice(0, 2).join(' ')
}
