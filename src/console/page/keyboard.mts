// Keys: single letters and `g` followed by one; rows are walked with `j` and `k`. Nothing is taken from whoever types into a field or holds a modifier.

export const shortcuts = [
  ['/', 'Search'],
  ['j  k', 'Next and previous row'],
  ['Enter', 'Open the row'],
  ['?', 'These keys'],
] as const

let isAfterG = false

export function pressed(event: KeyboardEvent, keys: Readonly<Record<string, () => void>>): void {
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    isTyping(event.target) ||
    document.querySelector('dialog[open]')
  )
    return
  const key = isAfterG ? `g ${event.key}` : event.key
  isAfterG = !isAfterG && event.key === 'g'
  if (key === 'j' || key === 'k') walk(key === 'j' ? 1 : -1)
  else if (keys[key]) keys[key]()
  else return
  event.preventDefault()
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement

/** Focus goes to the first link of the row. */
function walk(by: 1 | -1): void {
  const rows = [
    ...document.querySelectorAll<HTMLElement>(
      'main tbody tr, main .rows > li, main .timeline li, main .call-list > li',
    ),
  ]
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))]
  const target = row?.querySelector<HTMLElement>('a, button, summary')
  target?.focus()
  target?.scrollIntoView({ block: 'nearest' })
}
