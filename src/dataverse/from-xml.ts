// The XML of .NET's DataContractSerializer, be it text or binary → the members of a context.

import { entityFrom, type Members, referenceFrom, type Value, type Values } from './remote-context.js'
import type { XmlElement } from './xml-element.js'

/** Undefined for what is no context. */
export function xmlMembers(root: XmlElement): Members | undefined {
  return root.name === 'RemoteExecutionContext' ? membersOf(root) : undefined
}

function membersOf(context: XmlElement): Members {
  return {
    text: textsOf(context),
    date: (name) => dateIn(textIn(context, name) ?? ''),
    values: (name) => pairsOf(childOf(context, name)),
    reference: (name) => {
      const given = childOf(context, name)
      return given && !given.isNil ? referenceOf(given) : null
    },
    parent: () => {
      const parent = childOf(context, 'ParentContext')
      return parent && !parent.isNil && parent.children.length > 0 ? membersOf(parent) : null
    },
  }
}

/** @param type of an item whose list says it, or whose element is named by it */
function valueOf(element: XmlElement, type = element.type ?? 'string'): Value {
  if (element.isNil) return null
  switch (type) {
    case 'string':
    case 'char':
    case 'anyURI':
    case 'duration':
    case 'base64Binary':
      return element.text
    case 'guid':
      return element.text.toLowerCase()
    case 'boolean':
      return element.text === 'true' || element.text === '1'
    case 'int':
    case 'long':
    case 'short':
    case 'byte':
    case 'unsignedInt':
    case 'unsignedLong':
    case 'unsignedShort':
    case 'unsignedByte':
    case 'decimal':
    case 'double':
    case 'float':
      return { kind: 'number', text: element.text }
    case 'dateTime': {
      const ms = dateIn(element.text)
      return ms === null ? element.text : { kind: 'date', ms }
    }
    case 'OptionSetValue':
      return { kind: 'choice', value: Number(textIn(element, 'Value') ?? Number.NaN) }
    case 'Money': {
      const text = textIn(element, 'Value')
      return { kind: 'money', amount: text === null ? null : { kind: 'number', text } }
    }
    case 'EntityReference':
      return referenceOf(element)
    case 'Entity':
      return entityOf(element)
    case 'EntityCollection': {
      const rows = (childOf(element, 'Entities')?.children ?? []).map(entityOf)
      return { kind: 'rows', table: textIn(element, 'EntityName') ?? '', rows }
    }
    case 'AliasedValue': {
      const value = childOf(element, 'Value')
      return {
        kind: 'aliased',
        table: textIn(element, 'EntityLogicalName') ?? '',
        column: textIn(element, 'AttributeLogicalName') ?? '',
        value: value ? valueOf(value) : null,
      }
    }
    case 'Relationship':
      return { kind: 'relationship', name: textIn(element, 'SchemaName') ?? '' }
    default:
      return listOrOther(element, type)
  }
}

function listOrOther(element: XmlElement, type: string): Value {
  if (type.startsWith('ArrayOfKeyValue')) {
    const texts = element.children.map((pair) => [textIn(pair, 'Key') ?? '', textIn(pair, 'Value') ?? ''] as const)
    return { kind: 'texts', texts: Object.fromEntries(texts) }
  }
  if (/^ArrayOf|Collection$/.test(type))
    return { kind: 'list', items: element.children.map((item) => valueOf(item, item.type ?? item.name)) }
  return { kind: 'other', type }
}

const textsOf = (element: XmlElement) => (name: string) => textIn(element, name)
const entityOf = (element: XmlElement) => entityFrom(textsOf(element), pairsOf(childOf(element, 'Attributes')))
const referenceOf = (element: XmlElement) => referenceFrom(textsOf(element))

/** Images are entities without saying so. */
function pairsOf(collection: XmlElement | undefined): Values {
  return Object.fromEntries(
    (collection?.children ?? []).flatMap((item) => {
      const key = textIn(item, 'key')
      const value = childOf(item, 'value')
      if (key === null || !value) return []
      return [[key, value.type === undefined && childOf(value, 'Attributes') ? entityOf(value) : valueOf(value)]]
    }),
  )
}

const childOf = ({ children }: XmlElement, name: string) => children.find((child) => child.name === name)

function textIn(element: XmlElement, name: string): string | null {
  const child = childOf(element, name)
  return child && !child.isNil ? child.text : null
}

/** Milliseconds since 1970; a time that names no zone counts as UTC. */
function dateIn(text: string): number | null {
  if (!/^-?\d{4,}-\d\d-\d\dT/.test(text)) return null
  const ms = Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
  return Number.isNaN(ms) ? null : ms
}
