// Which messages a subscription wants, and how each of its rules changes its copy.

import type { Arrival, MessageFacts } from './message.js'
import { readFacts, readMessage, withProperties } from './message.js'
import type { CorrelationFields, Filter, Properties, Rule } from './settings.js'
import { type Change, compileAction, compileFilter, type Facts } from './sql.js'

/** A rule that can be asked. */
export interface CompiledRule {
  readonly rule: Rule
  matches(facts: MessageFacts): boolean
  readonly change: ((facts: Facts) => Change[]) | undefined
}

/** @throws BrokerError `com.microsoft:argument-error` for SQL that can not be read */
export function compileRule(rule: Rule): CompiledRule {
  return {
    rule,
    matches: compileCondition(rule.filter),
    change: rule.action === undefined ? undefined : compileAction(rule.action),
  }
}

/** The copies that rules make of one message: one for all that match and change nothing, one for each that matches and changes something. */
export function copiesOf(arrival: Arrival, rules: readonly CompiledRule[]): Arrival[] {
  const facts = readFacts(arrival.bytes)
  const matching = rules.filter((rule) => rule.matches(facts))
  const plain = matching.some(({ change }) => change === undefined) ? [arrival] : []
  return [...plain, ...matching.flatMap(({ change }) => (change ? [changed(arrival, change(facts))] : []))]
}

function compileCondition(filter: Filter): (facts: MessageFacts) => boolean {
  switch (filter.kind) {
    case 'true':
      return () => true
    case 'false':
      return () => false
    case 'sql':
      return compileFilter(filter.expression)
    case 'correlation':
      return (facts) => hasFields(facts, filter.fields) && hasProperties(facts, filter.properties)
    default:
      return unreachable(filter)
  }
}

const unreachable = (filter: never): never => {
  throw new Error(`There is no filter of kind '${JSON.stringify(filter)}'.`)
}

const hasFields = (facts: MessageFacts, fields: CorrelationFields) =>
  Object.entries(fields).every(([name, wanted]) => wanted === undefined || facts.system(name.toLowerCase()) === wanted)

const hasProperties = (facts: MessageFacts, properties: Properties) =>
  Object.entries(properties).every(([name, wanted]) => sameValue(facts.user(name), wanted))

const sameValue = (one: unknown, other: unknown) =>
  one instanceof Date && other instanceof Date ? one.getTime() === other.getTime() : one === other

function changed(arrival: Arrival, changes: readonly Change[]): Arrival {
  const bytes = withProperties(arrival.bytes, changes)
  // The ids may have been changed.
  const { messageId: _, sessionId: __, ...rest } = arrival
  const { messageId, sessionId } = readMessage(bytes, () => '')
  return {
    ...rest,
    bytes,
    ...(messageId === undefined ? {} : { messageId }),
    ...(sessionId === undefined ? {} : { sessionId }),
  }
}
