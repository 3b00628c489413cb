// As much of OData's $filter as the product asks for: comparisons of columns with literals, and, or, brackets.

import { Refusal } from './partner-server.js'

type Matches = (value: (column: string) => unknown) => boolean

const token = /\s*(?:([()])|'((?:[^']|'')*)'|([^\s()]+))/y

/** @throws Refusal 400 for what can't be read */
export function readFilter(text: string): Matches {
  const words: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.trimEnd().length) {
    const found = token.exec(text)
    if (!found) throw unreadable(text)
    const [, bracket, quoted, word] = found
    words.push(bracket ?? word ?? `'${(quoted ?? '').replaceAll("''", "'")}`)
  }
  const read = either(words)
  if (words.length > 0) throw unreadable(text)
  return read

  function either(rest: string[]): Matches {
    const parts = [both(rest)]
    while (rest[0] === 'or') parts.push(both(rest.splice(0, 1) && rest))
    return (value) => parts.some((part) => part(value))
  }

  function both(rest: string[]): Matches {
    const parts = [one(rest)]
    while (rest[0] === 'and') parts.push(one(rest.splice(0, 1) && rest))
    return (value) => parts.every((part) => part(value))
  }

  function one(rest: string[]): Matches {
    if (rest[0] === '(') {
      rest.shift()
      const inner = either(rest)
      if (rest.shift() !== ')') throw unreadable(text)
      return inner
    }
    const [column, operator, literal] = rest.splice(0, 3)
    const compare = operators[operator ?? '']
    if (column === undefined || literal === undefined || !compare) throw unreadable(text)
    const wanted = valueOf(literal)
    return (value) => compare(value(column) ?? null, wanted)
  }
}

const operators: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  eq: (left, right) => left === right,
  ne: (left, right) => left !== right,
  lt: (left, right) => order(left, right) < 0,
  le: (left, right) => order(left, right) <= 0,
  gt: (left, right) => order(left, right) > 0,
  ge: (left, right) => order(left, right) >= 0,
}

/** NaN, which is neither less nor greater, where one of them is null or of another type. */
function order(left: unknown, right: unknown): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left !== 'string' || typeof right !== 'string') return Number.NaN
  return left < right ? -1 : Number(left > right)
}

function valueOf(literal: string): unknown {
  if (literal.startsWith("'")) return literal.slice(1)
  if (literal === 'null') return null
  if (literal === 'true' || literal === 'false') return literal === 'true'
  // Times and ids are texts here, and compare as such.
  return /^-?\d+(\.\d+)?$/.test(literal) ? Number(literal) : literal
}

const unreadable = (text: string) => new Refusal(400, '0x80060888', `Syntax error in the filter '${text}'.`)
