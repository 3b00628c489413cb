// A context in the three forms in which Dataverse posts it: JSON, XML and .NET's binary XML.

import type {
  Entity,
  ExactNumber,
  Reference,
  RemoteContext,
  Value,
  Values,
} from '../../src/dataverse/remote-context.js'

const contracts = 'http://schemas.microsoft.com/xrm/2011/Contracts'
const generic = 'http://schemas.datacontract.org/2004/07/System.Collections.Generic'
const schema = 'http://www.w3.org/2001/XMLSchema'

// ---------- JSON

/** Numbers stand as they are: `JSON.stringify` would round them. */
class Digits {
  readonly text: string

  constructor(digits: string) {
    this.text = digits
  }
}

type Json = null | boolean | string | number | Digits | readonly Json[] | { readonly [name: string]: Json }

function jsonText(json: Json): string {
  if (json instanceof Digits) return json.text
  if (Array.isArray(json)) return `[${json.map(jsonText).join(',')}]`
  if (typeof json !== 'object' || json === null) return JSON.stringify(json).replaceAll('/', '\\/')
  const members = Object.entries(json).map(([name, value]) => `${JSON.stringify(name)}:${jsonText(value)}`)
  return `{${members.join(',')}}`
}

const typed = (type: string, members: Record<string, Json>): Json => ({ __type: `${type}:${contracts}`, ...members })
const pairsJson = (values: Values): Json =>
  Object.entries(values).map(([key, value]) => ({ key, value: valueJson(value) }))
const imagesJson = (values: Values): Json =>
  Object.entries(values).map(([key, value]) => ({ key, value: isEntity(value) ? entityMembers(value) : null }))

const entityMembers = ({ table, id, attributes, rowVersion }: Entity): Record<string, Json> => ({
  Attributes: pairsJson(attributes),
  EntityState: null,
  FormattedValues: [],
  Id: id,
  KeyAttributes: [],
  LogicalName: table,
  RelatedEntities: [],
  RowVersion: rowVersion,
})
const referenceMembers = ({ table, id, name }: Reference): Record<string, Json> => ({
  Id: id,
  KeyAttributes: [],
  LogicalName: table,
  Name: name,
  RowVersion: null,
})

function valueJson(value: Value): Json {
  if (value === null || typeof value !== 'object') return value
  switch (value.kind) {
    case 'number':
      return new Digits(value.text)
    case 'date':
      return `/Date(${value.ms})/`
    case 'choice':
      return typed('OptionSetValue', { Value: value.value })
    case 'money':
      return typed('Money', { Value: value.amount && new Digits(value.amount.text) })
    case 'reference':
      return typed('EntityReference', referenceMembers(value))
    case 'entity':
      return typed('Entity', entityMembers(value))
    case 'rows':
      return typed('EntityCollection', {
        Entities: value.rows.map(entityMembers),
        EntityName: value.table,
        MoreRecords: false,
      })
    case 'aliased':
      return typed('AliasedValue', {
        AttributeLogicalName: value.column,
        EntityLogicalName: value.table,
        Value: valueJson(value.value),
      })
    case 'relationship':
      return typed('Relationship', { PrimaryEntityRole: null, SchemaName: value.name })
    case 'texts':
      return Object.entries(value.texts).map(([key, one]) => ({
        __type: 'KeyValuePairOfstringstring:#System.Collections.Generic',
        key,
        value: one,
      }))
    case 'list':
      return value.items.map(valueJson)
    case 'other':
    default:
      return typed(value.type, {})
  }
}

function contextJson(context: RemoteContext): Json {
  const { owningExtension, parent } = context
  return {
    BusinessUnitId: context.organizationId,
    CorrelationId: context.correlationId,
    Depth: context.depth,
    InitiatingUserId: context.initiatingUserId,
    InputParameters: pairsJson(context.inputParameters),
    MessageName: context.messageName,
    Mode: context.mode,
    OperationCreatedOn: context.operationCreatedOn === null ? null : `/Date(${context.operationCreatedOn}+0000)/`,
    OperationId: context.operationId,
    OrganizationId: context.organizationId,
    OutputParameters: pairsJson(context.outputParameters),
    OwningExtension: owningExtension && referenceMembers(owningExtension),
    ParentContext: parent && contextJson(parent),
    PostEntityImages: imagesJson(context.postImages),
    PreEntityImages: imagesJson(context.preImages),
    PrimaryEntityId: context.primaryEntityId,
    PrimaryEntityName: context.primaryEntityName,
    RequestId: context.requestId,
    SharedVariables: pairsJson(context.sharedVariables),
    SomethingNew: { unheard: 'of' },
  }
}

export const asJson = (context: RemoteContext): Buffer => Buffer.from(jsonText(contextJson(context)))

// ---------- XML, as a tree

interface Node {
  readonly name: string
  readonly type?: string
  readonly isNil?: boolean
  readonly children?: readonly Node[]
  readonly value?: string | ExactNumber | boolean | { readonly ms: number }
}

const leaf = (name: string, value: Node['value'] | null): Node =>
  value === null || value === undefined ? { name, isNil: true } : { name, value }
const node = (name: string, children: readonly Node[]): Node => ({ name, children })

const pairs = (name: string, values: Values): Node =>
  node(
    name,
    Object.entries(values).map(([key, value]) =>
      node('KeyValuePairOfstringanyType', [leaf('a:key', key), valueNode('a:value', value)]),
    ),
  )
const images = (name: string, values: Values): Node =>
  node(
    name,
    Object.entries(values).map(([key, value]) =>
      node('KeyValuePairOfstringEntitygUGIFE1S', [
        leaf('a:key', key),
        isEntity(value) ? node('a:value', entityNodes(value)) : leaf('a:value', null),
      ]),
    ),
  )

const entityNodes = ({ table, id, attributes, rowVersion }: Entity): readonly Node[] => [
  pairs('Attributes', attributes),
  leaf('EntityState', null),
  node('FormattedValues', []),
  leaf('Id', id),
  leaf('LogicalName', table),
  leaf('RowVersion', rowVersion),
]
const referenceNodes = ({ table, id, name }: Reference): readonly Node[] => [
  leaf('Id', id),
  leaf('LogicalName', table),
  leaf('Name', name),
]

function valueNode(name: string, value: Value): Node {
  if (value === null) return { name, isNil: true }
  if (typeof value === 'string') return { name, type: 'b:string', value }
  if (typeof value === 'boolean') return { name, type: 'b:boolean', value }
  switch (value.kind) {
    case 'number':
      return { name, type: /^-?\d{1,9}$/.test(value.text) ? 'b:int' : 'b:decimal', value }
    case 'date':
      return { name, type: 'b:dateTime', value: { ms: value.ms } }
    case 'choice':
      return { name, type: 'OptionSetValue', children: [leaf('Value', String(value.value))] }
    case 'money':
      return { name, type: 'Money', children: [leaf('Value', value.amount)] }
    case 'reference':
      return { name, type: 'EntityReference', children: referenceNodes(value) }
    case 'entity':
      return { name, type: 'Entity', children: entityNodes(value) }
    case 'rows':
      return {
        name,
        type: 'EntityCollection',
        children: [
          node(
            'Entities',
            value.rows.map((row) => node('Entity', entityNodes(row))),
          ),
          leaf('EntityName', value.table),
        ],
      }
    case 'aliased':
      return {
        name,
        type: 'AliasedValue',
        children: [
          leaf('AttributeLogicalName', value.column),
          leaf('EntityLogicalName', value.table),
          valueNode('Value', value.value),
        ],
      }
    case 'relationship':
      return { name, type: 'Relationship', children: [leaf('PrimaryEntityRole', null), leaf('SchemaName', value.name)] }
    case 'texts':
      return {
        name,
        type: 'c:ArrayOfKeyValueOfstringstring',
        children: Object.entries(value.texts).map(([key, one]) =>
          node('c:KeyValueOfstringstring', [leaf('c:Key', key), leaf('c:Value', one)]),
        ),
      }
    case 'list':
      return { name, type: 'ArrayOfanyType', children: value.items.map((item) => valueNode('anyType', item)) }
    case 'other':
    default:
      return { name, type: value.type, children: [] }
  }
}

function contextNode(name: string, context: RemoteContext): Node {
  const { owningExtension, parent } = context
  return node(name, [
    leaf('CorrelationId', context.correlationId),
    leaf('Depth', context.depth === null ? null : String(context.depth)),
    leaf('InitiatingUserId', context.initiatingUserId),
    pairs('InputParameters', context.inputParameters),
    leaf('MessageName', context.messageName),
    leaf('Mode', context.mode === null ? null : String(context.mode)),
    leaf('OperationCreatedOn', context.operationCreatedOn === null ? null : { ms: context.operationCreatedOn }),
    leaf('OperationId', context.operationId),
    leaf('OrganizationId', context.organizationId),
    pairs('OutputParameters', context.outputParameters),
    owningExtension ? node('OwningExtension', referenceNodes(owningExtension)) : leaf('OwningExtension', null),
    parent ? contextNode('ParentContext', parent) : leaf('ParentContext', null),
    images('PostEntityImages', context.postImages),
    images('PreEntityImages', context.preImages),
    leaf('PrimaryEntityId', context.primaryEntityId),
    leaf('PrimaryEntityName', context.primaryEntityName),
    leaf('RequestId', context.requestId),
    pairs('SharedVariables', context.sharedVariables),
    leaf('SomethingNew', 'unheard of'),
  ])
}

const declarations = { '': contracts, i: `${schema}-instance`, a: generic, b: schema, c: 'urn:arrays' }

// ---------- XML, as text

const escaped = (raw: string) => raw.replace(/[&<>"\r\n\t]/g, (char) => `&#x${char.charCodeAt(0).toString(16)};`)

const plain = (value: Node['value']): string => {
  if (value === undefined) return ''
  if (typeof value !== 'object') return String(value)
  return 'ms' in value ? new Date(value.ms).toISOString() : value.text
}

function xml({ name, type, isNil, children, value }: Node, declared = ''): string {
  const attributes = `${declared}${type === undefined ? '' : ` i:type="${escaped(type)}"`}${isNil ? ' i:nil="true"' : ''}`
  const inner = (children ?? []).map((child) => xml(child)).join('') + escaped(plain(value))
  return inner === '' ? `<${name}${attributes}/>` : `<${name}${attributes}>${inner}</${name}>`
}

export function asXml(context: RemoteContext): Buffer {
  const declared = Object.entries(declarations).map(([prefix, uri]) => ` xmlns${prefix && `:${prefix}`}="${uri}"`)
  return Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?>${xml(contextNode('RemoteExecutionContext', context), declared.join(''))}`,
  )
}

// ---------- XML, as MC-NBFX

export function asBinary(context: RemoteContext): Buffer {
  const declared = Object.entries(declarations).flatMap(([prefix, uri]) =>
    prefix === '' ? [byte(0x08), string(uri)] : [byte(0x09), string(prefix), string(uri)],
  )
  return Buffer.concat(records(contextNode('RemoteExecutionContext', context), declared))
}

const byte = (value: number) => Buffer.from([value])

function string(raw: string): Buffer {
  const bytes = Buffer.from(raw)
  const length: number[] = []
  let left = bytes.length
  for (; left >= 0x80; left >>= 7) length.push((left & 0x7f) | 0x80)
  return Buffer.concat([Buffer.from([...length, left]), bytes])
}

function records({ name, type, isNil, children, value }: Node, declared: readonly Buffer[] = []): Buffer[] {
  const [local = '', prefix] = name.split(':').toReversed()
  const begin =
    prefix === undefined
      ? [byte(0x40), string(local)]
      : [byte(0x5e + prefix.charCodeAt(0) - 'a'.charCodeAt(0)), string(local)]
  const i = 0x26 + 'i'.charCodeAt(0) - 'a'.charCodeAt(0)
  const attributes = [
    ...(type === undefined ? [] : [byte(i), string('type'), chars(type)]),
    ...(isNil ? [byte(i), string('nil'), byte(0x86)] : []),
  ]
  if (value !== undefined) return [...begin, ...declared, ...attributes, ended(valueRecord(value))]
  return [...begin, ...declared, ...attributes, ...(children ?? []).flatMap((child) => records(child)), byte(0x01)]
}

/** The same record, and the end of its element. */
function ended(record: Buffer): Buffer {
  const copy = Buffer.from(record)
  copy.writeUInt8(copy.readUInt8(0) | 1, 0)
  return copy
}

function valueRecord(value: NonNullable<Node['value']>): Buffer {
  if (typeof value === 'boolean') return byte(value ? 0x86 : 0x84)
  if (typeof value === 'string')
    return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(value) ? uuid(value) : chars(value)
  if ('ms' in value) return date(value.ms)
  return number(value.text)
}

function chars(raw: string): Buffer {
  const bytes = Buffer.from(raw)
  if (bytes.length === 0) return byte(0xa8)
  if (bytes.length < 0x100) return Buffer.concat([Buffer.from([0x98, bytes.length]), bytes])
  const head = Buffer.alloc(bytes.length < 0x10000 ? 3 : 5)
  head.writeUInt8(bytes.length < 0x10000 ? 0x9a : 0x9c)
  if (bytes.length < 0x10000) head.writeUInt16LE(bytes.length, 1)
  else head.writeInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

function uuid(raw: string): Buffer {
  const plainBytes = Buffer.from(raw.replaceAll('-', ''), 'hex')
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
  return Buffer.concat([byte(0xb0), Buffer.from(order.map((index) => plainBytes.readUInt8(index)))])
}

function date(ms: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUInt8(0x96)
  bytes.writeBigUInt64LE(BigInt(ms + 62_135_596_800_000) * 10_000n + (1n << 62n), 1)
  return bytes
}

function number(raw: string): Buffer {
  if (raw === '0') return byte(0x80)
  if (raw === '1') return byte(0x82)
  if (/^-?\d{1,9}$/.test(raw)) {
    const bytes = Buffer.alloc(5)
    bytes.writeUInt8(0x8c)
    bytes.writeInt32LE(Number(raw), 1)
    return bytes
  }
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(raw) ?? []
  const digits = BigInt(whole + fraction)
  const bytes = Buffer.alloc(17)
  bytes.writeUInt8(0x94)
  bytes.writeUInt8(fraction.length, 3)
  bytes.writeUInt8(sign === '' ? 0 : 0x80, 4)
  bytes.writeUInt32LE(Number(digits >> 64n), 5)
  bytes.writeBigUInt64LE(digits & 0xffffffffffffffffn, 9)
  return bytes
}

const isEntity = (value: Value): value is Entity =>
  typeof value === 'object' && value !== null && value.kind === 'entity'
