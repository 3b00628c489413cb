// Values as they went over the wire, indented; what is masked looks masked.

import { h } from './dom.mjs'

export const mask = '•••'

export const isMasked = (value: unknown): boolean => JSON.stringify(value)?.includes(mask) ?? false

/** @param label says what it is, to whoever can't see where it stands */
export const jsonOf = (value: unknown, label: string) =>
  h(
    'pre',
    { class: 'json', tabindex: '0', role: 'group', 'aria-label': label },
    h('code', {}, ...coloured(JSON.stringify(value, undefined, 2) ?? 'nothing')),
  )

const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function coloured(text: string): (Node | string)[] {
  const parts: (Node | string)[] = []
  let at = 0
  for (const match of text.matchAll(token)) {
    const [whole, string, colon] = match
    parts.push(text.slice(at, match.index))
    at = match.index + whole.length
    if (colon !== undefined) parts.push(h('span', { class: 'member' }, string), colon)
    else if (whole.includes(mask)) parts.push(h('span', { class: 'masked', title: 'Masked for your role' }, whole))
    else parts.push(h('span', { class: string === undefined ? 'literal' : 'text' }, whole))
  }
  return [...parts, text.slice(at)]
}
