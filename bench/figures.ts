// Figures of a benchmark, over its rounds.

export type Figures = Readonly<Record<string, number>>

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]) => percentile(values, 0.5)

/** One line for each case: the median of each figure, with the spread of the first. */
export function table(cases: Readonly<Record<string, readonly Figures[]>>): string {
  const names = Object.keys(Object.values(cases)[0]?.[0] ?? {})
  const width = Math.max(...Object.keys(cases).map((name) => name.length))
  const head = [' '.repeat(width), ...names.map((name) => name.padStart(20))].join('')
  const lines = Object.entries(cases).map(([name, rounds]) => {
    const cells = names.map((figure, index) => {
      const values = rounds.map((round) => round[figure] ?? Number.NaN)
      const spread = index === 0 ? ` (${short(Math.min(...values))}–${short(Math.max(...values))})` : ''
      return `${short(median(values))}${spread}`.padStart(20)
    })
    return [name.padEnd(width), ...cells].join('')
  })
  return [head, ...lines].join('\n')
}

const short = (value: number) =>
  Number.isNaN(value) ? '–' : value >= 100 ? String(Math.round(value)) : value.toFixed(1)
