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
