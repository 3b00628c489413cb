// What a terminal shows: columns that fit what is in them, and times in its own zone.

export const write = (text: string) => process.stdout.write(`${text}\n`)
export const writeJson = (value: unknown) => write(JSON.stringify(value, undefined, 2))

/** The last column is never padded. */
export function writeTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [head.map((name) => name.toUpperCase()), ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  for (const line of lines)
    write(line.map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  '))
}

const clock = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' })

export const localTime = (at: string) => clock.format(new Date(at))

export function ago(at: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`
}
