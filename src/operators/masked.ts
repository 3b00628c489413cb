// What is told to those who may not see values: the same documents, without what rows hold and partners answer.

import { mask, withoutTexts, withoutValues } from '../saga/masking.js'
import type { Preview } from '../saga/preview.js'

/** Members that hold what a step was asked with, or brought. */
const values = new Set(['input', 'output'])
/** Members in the words of partners and people, who may quote values. */
const words = new Set(['reason', 'why', 'undoneBecause', 'refused'])

/** A document of the same form: values are replaced one by one, ids, names and times stay. */
export function masked<Document>(document: Document): Document {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- texts stay texts; where other values are replaced, the document leaves their type open
  return without(document) as Document
}

/** A preview whose paths hold no value of those that requests are made of, except for keys. */
export function maskedPreview(preview: Preview, known: unknown): Preview {
  const calls = preview.calls.map(({ path, ...call }) => {
    const plain = decoded(path ?? '')
    const shown = withoutTexts(plain, known)
    return { ...call, ...(path !== undefined && { path: shown === plain ? path : shown }) }
  })
  return { ...preview, calls }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path.replaceAll('+', ' '))
  } catch {
    return path
  }
}

function without(value: unknown): unknown {
  return mapped(value, (member, name) => {
    if (values.has(name)) return blank(member)
    return words.has(name) && typeof member === 'string' ? withoutValues(member) : without(member)
  })
}

const guid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

function blank(value: unknown): unknown {
  if (value === null || value === undefined || (typeof value === 'string' && guid.test(value))) return value
  return typeof value === 'object' ? mapped(value, blank) : mask
}

function mapped(value: unknown, change: (member: unknown, name: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => change(item, ''))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member, name)]))
}
