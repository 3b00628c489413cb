// Rules as the client's rule manager writes and reads them.

import { malformed } from './errors.js'
import { types, type Typed } from './rhea.js'
import type { CorrelationFields, Filter, Properties, Rule } from './settings.js'

/** AMQP descriptors of the service. */
const code = {
  rule: 0x0000_0137_0000_0004,
  emptyAction: 0x0000_0137_0000_0005,
  sqlAction: 0x0000_0137_0000_0006,
  sql: 0x0000_0013_7000_0006,
  true: 0x0000_0013_7000_0007,
  false: 0x0000_0013_7000_0008,
  correlation: 0x0000_0013_7000_0009,
}

/** In the order of the described list, by their names on the wire. */
const fields: readonly (readonly [keyof CorrelationFields, string])[] = [
  ['correlationId', 'correlation-id'],
  ['messageId', 'message-id'],
  ['to', 'to'],
  ['replyTo', 'reply-to'],
  ['label', 'label'],
  ['sessionId', 'session-id'],
  ['replyToSessionId', 'reply-to-session-id'],
  ['contentType', 'content-type'],
]

/** @param description `sql-filter` or `correlation-filter`, and perhaps `sql-rule-action` @throws BrokerError `amqp:decode-error` */
export function readRule(name: string, description: Properties): Rule {
  const action = recordOf(description['sql-rule-action'])['expression']
  return {
    name,
    filter: readFilter(description),
    ...(typeof action === 'string' && action !== '' ? { action } : {}),
  }
}

function readFilter(description: Properties): Filter {
  const { expression } = recordOf(description['sql-filter'])
  if (typeof expression === 'string') return { kind: 'sql', expression }
  if (description['correlation-filter'] === undefined) throw malformed('A rule needs a filter: SQL or correlation.')
  const given = recordOf(description['correlation-filter'])
  const found = fields.flatMap(([name, wire]) => (typeof given[wire] === 'string' ? [[name, given[wire]]] : []))
  return { kind: 'correlation', fields: Object.fromEntries(found), properties: recordOf(given['properties']) }
}

export function describeRule({ name, filter, action }: Rule): Typed {
  const described =
    action === undefined ? list(code.emptyAction, []) : list(code.sqlAction, [action, types.wrap_int(20)])
  return list(code.rule, [describeFilter(filter), described, name])
}

function describeFilter(filter: Filter): Typed {
  if (filter.kind === 'correlation')
    return list(code.correlation, [...fields.map(([name]) => filter.fields[name] ?? null), filter.properties])
  const expression = filter.kind === 'sql' ? filter.expression : filter.kind === 'true' ? '1=1' : '1=0'
  return list(code[filter.kind], [expression, types.wrap_int(20)])
}

const list = (descriptor: number, items: readonly unknown[]): Typed =>
  types.described_nc(types.wrap_ulong(descriptor), types.wrap_list(items))

const recordOf = (value: unknown): Properties =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {}
