// Values in the words of others: partners quote what they were sent when they refuse it.

export const mask = '•••'

const quoted = [
  /(?<![\p{L}\d])'.*?(?:'(?![\p{L}\d])|$)/gsu,
  /"[^"]*(?:"|$)/g,
  /[“„][^“”]*(?:[“”]|$)/g,
  /«[^»]*(?:»|$)/g,
  /`[^`]*(?:`|$)/g,
]
const email = /[^\s@'"<>(),;:]+@[^\s@'"<>(),;:]+/g
const phone = /\+\d[\d ()/.-]{5,}\d/g

/** Without what stands in quotes, and without addresses and numbers at which a person is reached. */
export function withoutValues(text: string): string {
  const unquoted = quoted.reduce((left, quote) => left.replaceAll(quote, mask), text)
  return unquoted.replaceAll(email, mask).replaceAll(phone, mask)
}

const guid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi
const time = /\d{4}-\d\d-\d\dT[\d:.]+Z?/g
/** Statuses of HTTP stay, and codes that begin with a letter. */
const number = /(?<!HTTP )\b\d[\d.,]*\b/g

/** As far as it is the same for all that failed for the same cause. */
export function normalized(text: string): string {
  return [guid, time, number].reduce((left, part) => left.replaceAll(part, '…'), withoutValues(text))
}

/** Keys such as MD-000001 are no secret, and the way to find a thing at a partner. */
const isKey = (text: string) =>
  text.search(guid) === 0 || (/^[\w.:-]+$/.test(text) && /\d/.test(text) && /[a-z]/i.test(text))

/** Without the texts that a request was made of, wherever they stand, except for keys. */
export function withoutTexts(text: string, asked: unknown): string {
  const said = [...new Set(textsIn(asked))].filter((one) => one.length >= 3 && !isKey(one))
  // The longest first: one may be part of another.
  return said
    .toSorted((one, other) => other.length - one.length)
    .reduce(
      (left, one) => left.replaceAll(new RegExp(`(?<![\\p{L}\\d])${escaped(one)}(?![\\p{L}\\d])`, 'giu'), mask),
      text,
    )
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
