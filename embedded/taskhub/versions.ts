// Which versions of an orchestration the code that is here may run.

export interface VersionRules {
  /** That of the code here, and of starts that name none. */
  readonly current: string
  readonly match: 'None' | 'Strict' | 'CurrentOrOlder'
  /** Of an instance whose version does not match: it waits for other code, or it fails. */
  readonly onMismatch: 'Reject' | 'Fail'
}

export function isServed(version: string, { current, match }: VersionRules): boolean {
  if (match === 'None') return true
  const order = compare(version, current)
  return match === 'Strict' ? order === 0 : order <= 0
}

/** Numbers between dots by value; anything else as text without case; none at all comes first. */
function compare(one: string, other: string): number {
  if (one === '' || other === '') return Number(one !== '') - Number(other !== '')
  const numbers = [one, other].map((text) => (/^\d+(\.\d+){0,3}$/.test(text) ? text.split('.').map(Number) : undefined))
  const [left, right] = numbers
  if (!left || !right) return one.toLowerCase().localeCompare(other.toLowerCase())
  const at = [0, 1, 2, 3].find((index) => (left[index] ?? -1) !== (right[index] ?? -1)) ?? 0
  return (left[at] ?? -1) - (right[at] ?? -1)
}
