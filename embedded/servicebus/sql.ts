// The SQL of rules: what a filter asks of a message, and what an action changes in its copy.
//
// As documented for the service: comparisons, LIKE, IN, IS NULL, EXISTS, arithmetic, NOT, AND, OR with the third value of what is not known; SET and
// REMOVE. Properties are the user's unless they begin with `sys.`; names are compared without case.

import { malformedRule } from './errors.js'

/** What an expression can read. */
export interface Facts {
  /** Of the message itself, by names in lower case: `label`, `correlationid`, `sessionid`... */
  system(name: string): unknown
  user(name: string): unknown
}

/** Undefined stands for what is not known. */
type Value = string | number | boolean | undefined
type Evaluate = (facts: Facts) => Value

export interface Change {
  readonly scope: 'sys' | 'user'
  readonly name: string
  /** Undefined removes the property. */
  readonly value: Value
}

/** @throws BrokerError `com.microsoft:argument-error` for what can not be read */
export function compileFilter(expression: string): (facts: Facts) => boolean {
  const parser = new Parser(expression)
  const evaluate = parser.condition()
  parser.end()
  return (facts) => evaluate(facts) === true
}

/** @throws BrokerError `com.microsoft:argument-error` for what can not be read */
export function compileAction(text: string): (facts: Facts) => Change[] {
  const parser = new Parser(text)
  const statements = parser.statements()
  parser.end()
  return (facts) => statements.map((statement) => statement(facts))
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'text' | 'number' | 'sign' | 'end'
  readonly text: string
}

const pattern =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<quoted>\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*")|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)|(?<word>[A-Za-z_@#][\w@#$-]*)|(?<sign><>|!=|<=|>=|[=<>+\-*/%().,;]))/y

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex
    const found = pattern.exec(text)?.groups
    if (!found) {
      if (text.slice(from).trim() === '') break
      throw malformedRule(text, `it can not be read at '${text.slice(from).trim().slice(0, 20)}'`)
    }
    const kind = (['text', 'quoted', 'number', 'word', 'sign'] as const).find((one) => found[one] !== undefined)
    if (kind) tokens.push({ kind, text: found[kind] ?? '' })
  }
  return tokens
}

const end: Token = { kind: 'end', text: 'the end' }
const reserved = new Set(['AND', 'OR', 'NOT', 'IN', 'IS', 'LIKE', 'ESCAPE', 'EXISTS', 'NULL'])
const comparisons = new Set(['=', '<>', '!=', '<', '<=', '>', '>='])

class Parser {
  readonly #text: string
  readonly #tokens: Token[]
  #at = 0

  constructor(text: string) {
    this.#text = text
    this.#tokens = tokensOf(text)
  }

  end(): void {
    if (this.#next.kind !== 'end') throw this.#unexpected()
  }

  condition(): Evaluate {
    let left = this.#and()
    while (this.#takeWord('OR')) {
      const [one, other] = [left, this.#and()]
      left = (facts) => either(one(facts), other(facts))
    }
    return left
  }

  statements(): ((facts: Facts) => Change)[] {
    const statements: ((facts: Facts) => Change)[] = []
    do {
      if (this.#next.kind === 'end') break
      statements.push(this.#statement())
    } while (this.#takeSign(';'))
    return statements
  }

  #statement(): (facts: Facts) => Change {
    if (this.#takeWord('REMOVE')) {
      const { scope, name } = this.#property()
      return () => ({ scope, name, value: undefined })
    }
    if (!this.#takeWord('SET')) throw this.#unexpected('SET or REMOVE')
    const { scope, name } = this.#property()
    if (!this.#takeSign('=')) throw this.#unexpected("'='")
    const value = this.#sum()
    return (facts) => ({ scope, name, value: value(facts) })
  }

  #and(): Evaluate {
    let left = this.#not()
    while (this.#takeWord('AND')) {
      const [one, other] = [left, this.#not()]
      left = (facts) => both(one(facts), other(facts))
    }
    return left
  }

  #not(): Evaluate {
    if (!this.#takeWord('NOT')) return this.#comparison()
    const inner = this.#not()
    return (facts) => not(inner(facts))
  }

  #comparison(): Evaluate {
    if (this.#isWord('EXISTS')) return this.#exists()
    const left = this.#sum()
    const sign = this.#next
    if (sign.kind === 'sign' && comparisons.has(sign.text)) {
      this.#at += 1
      const right = this.#sum()
      return (facts) => compared(sign.text, left(facts), right(facts))
    }
    if (this.#takeWord('IS')) {
      const isNot = this.#takeWord('NOT')
      if (!this.#takeWord('NULL')) throw this.#unexpected('NULL')
      return (facts) => (left(facts) === undefined) !== isNot
    }
    const isNot = this.#takeWord('NOT')
    if (this.#takeWord('LIKE')) return negated(isNot, this.#like(left))
    if (this.#takeWord('IN')) return negated(isNot, this.#in(left))
    if (isNot) throw this.#unexpected('LIKE or IN')
    return left
  }

  #exists(): Evaluate {
    this.#at += 1
    if (!this.#takeSign('(')) throw this.#unexpected("'('")
    const { scope, name } = this.#property()
    if (!this.#takeSign(')')) throw this.#unexpected("')'")
    return (facts) => readProperty(facts, scope, name) !== undefined
  }

  #like(left: Evaluate): Evaluate {
    const like = this.#sum()
    const escape = this.#takeWord('ESCAPE') ? this.#sum() : undefined
    return (facts) => {
      const [text, wanted] = [left(facts), like(facts)]
      if (typeof text !== 'string' || typeof wanted !== 'string') return undefined
      return likeness(wanted, escape?.(facts)).test(text)
    }
  }

  #in(left: Evaluate): Evaluate {
    if (!this.#takeSign('(')) throw this.#unexpected("'('")
    const items = [this.#sum()]
    while (this.#takeSign(',')) items.push(this.#sum())
    if (!this.#takeSign(')')) throw this.#unexpected("')'")
    return (facts) => {
      const value = left(facts)
      return items.reduce<Value>((found, item) => either(found, compared('=', value, item(facts))), false)
    }
  }

  #sum(): Evaluate {
    let left = this.#product()
    for (let sign = this.#takeOneOf('+', '-'); sign; sign = this.#takeOneOf('+', '-')) {
      const [one, other, add] = [left, this.#product(), sign === '+']
      left = (facts) => calculated(one(facts), other(facts), (a, b) => (add ? a + b : a - b), add)
    }
    return left
  }

  #product(): Evaluate {
    let left = this.#unary()
    for (let sign = this.#takeOneOf('*', '/', '%'); sign; sign = this.#takeOneOf('*', '/', '%')) {
      const [one, other, with_] = [left, this.#unary(), sign]
      left = (facts) =>
        calculated(one(facts), other(facts), (a, b) => (with_ === '*' ? a * b : with_ === '/' ? a / b : a % b), false)
    }
    return left
  }

  #unary(): Evaluate {
    if (this.#takeSign('+')) return this.#unary()
    if (!this.#takeSign('-')) return this.#atom()
    const inner = this.#unary()
    return (facts) => calculated(0, inner(facts), (a, b) => a - b, false)
  }

  #atom(): Evaluate {
    const token = this.#next
    if (this.#takeSign('(')) {
      const inner = this.condition()
      if (!this.#takeSign(')')) throw this.#unexpected("')'")
      return inner
    }
    if (token.kind === 'text' || token.kind === 'number') {
      this.#at += 1
      const value = token.kind === 'number' ? Number(token.text) : token.text.slice(1, -1).replaceAll("''", "'")
      return () => value
    }
    if (token.kind === 'word' && /^(true|false)$/i.test(token.text)) {
      this.#at += 1
      const value = token.text.toLowerCase() === 'true'
      return () => value
    }
    if (this.#takeWord('NULL')) return () => undefined
    const { scope, name } = this.#property()
    return (facts) => readProperty(facts, scope, name)
  }

  /** `color`, `user.color`, `sys.label`, `[with spaces]`, `p('color')`. */
  #property(): { scope: 'sys' | 'user'; name: string } {
    const first = this.#next
    const isReserved = first.kind === 'word' && reserved.has(first.text.toUpperCase())
    if (isReserved || (first.kind !== 'word' && first.kind !== 'quoted')) throw this.#unexpected('a property')
    this.#at += 1
    if (first.kind === 'word' && /^(p|property)$/i.test(first.text) && this.#takeSign('(')) {
      const named = this.#next
      this.#at += 1
      if (named.kind !== 'text' || !this.#takeSign(')')) throw this.#unexpected('the name of a property')
      return { scope: 'user', name: named.text.slice(1, -1).replaceAll("''", "'") }
    }
    if (!this.#takeSign('.')) return { scope: 'user', name: plain(first) }
    const second = this.#next
    if (second.kind !== 'word' && second.kind !== 'quoted') throw this.#unexpected('a property')
    this.#at += 1
    const scope = plain(first).toLowerCase()
    if (scope !== 'sys' && scope !== 'user') throw malformedRule(this.#text, `there is no scope '${plain(first)}'`)
    return { scope, name: plain(second) }
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? end
  }

  #isWord(word: string): boolean {
    return this.#next.kind === 'word' && this.#next.text.toUpperCase() === word
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false
    this.#at += 1
    return true
  }

  #takeSign(sign: string): boolean {
    return this.#takeOneOf(sign) !== undefined
  }

  #takeOneOf(...signs: readonly string[]): string | undefined {
    const { kind, text } = this.#next
    if (kind !== 'sign' || !signs.includes(text)) return undefined
    this.#at += 1
    return text
  }

  #unexpected(wanted?: string) {
    return malformedRule(this.#text, `'${this.#next.text}' was not expected${wanted ? `, ${wanted} was` : ''}`)
  }
}

const plain = ({ kind, text }: Token) =>
  kind === 'quoted'
    ? text.slice(1, -1).replaceAll(text.startsWith('[') ? ']]' : '""', text.startsWith('[') ? ']' : '"')
    : text

function readProperty(facts: Facts, scope: 'sys' | 'user', name: string): Value {
  const value = scope === 'sys' ? facts.system(name.toLowerCase()) : facts.user(name)
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined
}

const negated = (isNot: boolean, evaluate: Evaluate): Evaluate => (isNot ? (facts) => not(evaluate(facts)) : evaluate)

const not = (value: Value): Value => (typeof value === 'boolean' ? !value : undefined)

function both(one: Value, other: Value): Value {
  if (one === false || other === false) return false
  return one === true && other === true ? true : undefined
}

function either(one: Value, other: Value): Value {
  if (one === true || other === true) return true
  return one === false && other === false ? false : undefined
}

function compared(sign: string, one: Value, other: Value): Value {
  if (one === undefined || other === undefined) return undefined
  const isSameKind = typeof one === typeof other
  switch (sign) {
    case '=':
      return isSameKind && one === other
    case '<>':
    case '!=':
      return !isSameKind || one !== other
    case '<':
      return isSameKind ? one < other : undefined
    case '<=':
      return isSameKind ? one <= other : undefined
    case '>':
      return isSameKind ? one > other : undefined
    default:
      return isSameKind ? one >= other : undefined
  }
}

function calculated(one: Value, other: Value, with_: (a: number, b: number) => number, joins: boolean): Value {
  if (typeof one === 'number' && typeof other === 'number') return with_(one, other)
  return joins && typeof one === 'string' && typeof other === 'string' ? one + other : undefined
}

/** `%` stands for any text, `_` for one character, `[a-c]` for one of several. */
function likeness(like: string, escape: Value): RegExp {
  let source = ''
  for (let at = 0; at < like.length; at++) {
    const letter = like.charAt(at)
    if (letter === escape && at + 1 < like.length) source += literal(like.charAt((at += 1)))
    else if (letter === '%') source += '.*'
    else if (letter === '_') source += '.'
    else source += literal(letter)
  }
  return new RegExp(`^${source}$`, 's')
}

const literal = (letter: string) => letter.replace(/[.*+?^${}()|[\]\\/-]/, '\\$&')
