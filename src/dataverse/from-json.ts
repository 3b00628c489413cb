// The JSON of .NET's DataContractJsonSerializer → the members of a context.

import { SagaError } from '../saga/errors.js'
import {
  deepest,
  type Entity,
  entityFrom,
  type ExactNumber,
  type Members,
  referenceFrom,
  type Value,
  type Values,
} from './remote-context.js'

type Json = null | boolean | string | ExactNumber | readonly Json[] | JsonObject
interface JsonObject {
  readonly [member: string]: Json
}

/** @throws SagaError `EVENT_NOT_JSON` */
export function readJson(text: string): unknown {
  if (text === '') throw SagaError.of('EVENT_NOT_JSON', { why: 'it is empty' })
  try {
    const read: unknown = JSON.parse(withExactNumbers(text))
    // Some senders encode the text once more.
    return typeof read === 'string' && read.trimStart().startsWith('{') ? readJson(read) : read
  } catch (error) {
    if (error instanceof SagaError) throw error
    // The parser's own words would quote the body.
    throw SagaError.of('EVENT_NOT_JSON', { why: 'it can not be parsed' })
  }
}

/**
 * The text with each number as an `ExactNumber`: as a number it would lose digits.
 * @throws SagaError for one that is nested too deep for who reads what the parser has made
 */
function withExactNumbers(text: string): string {
  let depth = 0
  let written = ''
  let copied = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') at = endOfString(text, at)
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    else if (character === '-' || (character >= '0' && character <= '9')) {
      number.lastIndex = at
      const [digits = ''] = number.exec(text) ?? []
      if (digits === '') continue
      written += `${text.slice(copied, at)}{"kind":"number","text":"${digits}"}`
      copied = at + digits.length
      at = copied - 1
    }
    if (depth > deepest) throw SagaError.of('EVENT_NOT_JSON', { why: `it is nested deeper than ${deepest} levels` })
  }
  return written + text.slice(copied)
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** Where the string ends that begins there: at a quote with an even number of backslashes before it. */
function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1
    while (text.charAt(before) === '\\') before -= 1
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}

/** Undefined for what is no object. */
export function jsonMembers(read: unknown): Members | undefined {
  const object = asObject(read)
  if (!object) return undefined
  return {
    text: textIn(object),
    date: (name) => jobDateOf(object[name]),
    values: (name) => pairsOf(object[name]),
    reference(name) {
      const given = asObject(object[name])
      return given ? referenceOf(given) : null
    },
    parent: () => jsonMembers(object['ParentContext']) ?? null,
  }
}

function valueOf(json: Json | undefined): Value {
  if (json === undefined || json === null || typeof json === 'boolean') return json ?? null
  if (typeof json === 'string') return dateIn(json) ?? json
  if (isList(json)) return listOf(json)
  if (isNumber(json)) return json
  const [type = ''] = (textOf(json['__type']) ?? '').split(':')
  switch (type) {
    case 'OptionSetValue':
      return { kind: 'choice', value: Number(numberOf(json['Value'])?.text ?? Number.NaN) }
    case 'Money':
      return { kind: 'money', amount: numberOf(json['Value']) ?? null }
    case 'EntityReference':
      return referenceOf(json)
    case 'Entity':
      return entityOf(json)
    case 'EntityCollection': {
      const rows = asList(json['Entities']).flatMap((row) => entityIn(row))
      return { kind: 'rows', table: textOf(json['EntityName']) ?? '', rows }
    }
    case 'AliasedValue':
      return {
        kind: 'aliased',
        table: textOf(json['EntityLogicalName']) ?? '',
        column: textOf(json['AttributeLogicalName']) ?? '',
        value: valueOf(json['Value']),
      }
    case 'Relationship':
      return { kind: 'relationship', name: textOf(json['SchemaName']) ?? '' }
    case '':
      // Images say no type, and need none.
      if ('Attributes' in json) return entityOf(json)
      return 'LogicalName' in json ? referenceOf(json) : { kind: 'other', type: '' }
    default:
      return '__value' in json ? valueOf(json['__value']) : { kind: 'other', type }
  }
}

function listOf(items: readonly Json[]): Value {
  const pairs = items.flatMap((item) => {
    const object = asObject(item)
    return object && textOf(object['__type'])?.startsWith('KeyValuePairOfstringstring') ? [object] : []
  })
  if (items.length === 0 || pairs.length < items.length) return { kind: 'list', items: items.map(valueOf) }
  const texts = pairs.map(({ key, value }) => [textOf(key) ?? '', textOf(value) ?? ''] as const)
  return { kind: 'texts', texts: Object.fromEntries(texts) }
}

const textIn = (json: JsonObject) => (name: string) => textOf(json[name])
const entityOf = (json: JsonObject) => entityFrom(textIn(json), pairsOf(json['Attributes']))
const referenceOf = (json: JsonObject) => referenceFrom(textIn(json))

function entityIn(json: Json): Entity[] {
  const object = asObject(json)
  return object ? [entityOf(object)] : []
}

function pairsOf(json: Json | undefined): Values {
  return Object.fromEntries(
    asList(json).flatMap((item) => {
      const pair = asObject(item)
      return pair && typeof pair['key'] === 'string' ? [[pair['key'], valueOf(pair['value'])]] : []
    }),
  )
}

const dateForm = /^\/Date\((-?\d{1,16})(?:([+-])(\d{2})(\d{2}))?\)\/$/

/** In columns the number is UTC, whatever zone is written behind it. */
function dateIn(text: string): Value | undefined {
  const [, ms] = dateForm.exec(text) ?? []
  return ms === undefined ? undefined : { kind: 'date', ms: Number(ms) }
}

/** That of the job is written as if it were local time: with a zone behind it, the number is off by that. */
function jobDateOf(json: Json | undefined): number | null {
  const [, ms, sign, hours, minutes] = dateForm.exec(textOf(json) ?? '') ?? []
  if (ms === undefined) return null
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000
  return Number(ms) + (sign === '-' ? -offset : offset)
}

const isList = (json: Json): json is readonly Json[] => Array.isArray(json)
const isNumber = (json: Json): json is ExactNumber =>
  typeof json === 'object' && json !== null && !isList(json) && json['kind'] === 'number' && !('__type' in json)
const asList = (json: Json | undefined): readonly Json[] => (json !== undefined && isList(json) ? json : [])
const numberOf = (json: Json | undefined) => (json !== undefined && isNumber(json) ? json : undefined)

function asObject(value: unknown): JsonObject | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parser makes nothing but this
  const json = value as Json | undefined
  if (typeof json !== 'object' || json === null || isList(json) || isNumber(json)) return undefined
  return json
}

function textOf(json: Json | undefined): string | null {
  return typeof json === 'string' ? json : (numberOf(json)?.text ?? null)
}
