// Bicep as a tree of names and literals: as much as the checks need. Nothing is evaluated; what is conditional is taken for there.

import { readFileSync } from 'node:fs'
import { Language, type Node, Parser } from 'web-tree-sitter'

let parser: Promise<Parser> | undefined

async function bicepParser(): Promise<Parser> {
  await Parser.init()
  const bicep = await Language.load(readFileSync(require.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm')))
  return new Parser().setLanguage(bicep)
}

export interface Declaration {
  readonly name: string
  readonly node: Node
  /** Of a resource its type with version, of a module its file. */
  readonly of: string
  /** Of a parameter: whether somebody must say it. */
  readonly isRequired: boolean
  readonly isExisting: boolean
}

export interface BicepFile {
  /** From `infra/`. */
  readonly path: string
  readonly text: string
  readonly root: Node
  readonly params: ReadonlyMap<string, Declaration>
  readonly variables: ReadonlyMap<string, Declaration>
  readonly resources: readonly Declaration[]
  readonly modules: readonly Declaration[]
  readonly outputs: readonly Declaration[]
}

export async function parseBicep(path: string, text: string): Promise<BicepFile> {
  parser ??= bicepParser()
  const tree = (await parser).parse(text)
  if (!tree) throw new Error(`${path}: no tree`)
  const root = tree.rootNode
  const declared = (kind: string) => root.descendantsOfType(kind).map(declarationOf)
  const byName = (kind: string) => new Map(declared(kind).map((one) => [one.name, one]))
  return {
    path,
    text,
    root,
    params: byName('parameter_declaration'),
    variables: byName('variable_declaration'),
    resources: declared('resource_declaration'),
    modules: declared('module_declaration'),
    outputs: declared('output_declaration'),
  }
}

function declarationOf(node: Node): Declaration {
  const [name, ...rest] = node.namedChildren
  return {
    name: name?.text ?? '',
    node,
    of: literalOf(rest.find(({ type }) => type === 'string')) ?? '',
    isRequired: !node.children.some(({ type }) => type === '='),
    isExisting: node.children.some(({ type }) => type === 'existing'),
  }
}

/** The text of a string without interpolation, or what stands there for a number or a flag. */
export function literalOf(node: Node | undefined): string | undefined {
  if (!node || !['string', 'number', 'boolean'].includes(node.type)) return undefined
  if (node.type !== 'string') return node.text
  if (node.namedChildren.some(({ type }) => type === 'interpolation')) return undefined
  return node.text.slice(1, -1).replaceAll(/\\(.)/g, '$1')
}

export interface Property {
  /** Names from the top, joined with dots; `[]` for the members of a list. */
  readonly path: string
  readonly value: Node
}

/** The object in a resource's or module's declaration, through conditions and loops. */
export function bodyOf({ node }: Declaration): Node | undefined {
  const [last] = node.namedChildren.toReversed()
  return last && objectsIn(last)[0]
}

function objectsIn(node: Node): Node[] {
  if (node.type === 'object') return [node]
  return ['if_statement', 'for_statement', 'parenthesized_expression', 'array'].includes(node.type)
    ? node.namedChildren.flatMap(objectsIn)
    : []
}

/** Everything that may be set under an object: variables are followed, of a choice both sides are taken, `union` is all its parts. */
export function propertiesIn(file: BicepFile, node: Node | undefined, path = ''): Property[] {
  if (!node) return []
  const followed = (child: Node | undefined) => propertiesIn(file, child, path)
  switch (node.type) {
    case 'object':
      return node.namedChildren
        .filter(({ type }) => type === 'object_property')
        .flatMap((property) => {
          const [key, value] = property.namedChildren
          if (!key || !value) return []
          const name = literalOf(key) ?? key.text
          const inner = path === '' ? name : `${path}.${name}`
          return [{ path: inner, value }, ...propertiesIn(file, value, inner)]
        })
    case 'array':
      return node.namedChildren.flatMap((member) => propertiesIn(file, member, `${path}[]`))
    case 'for_statement':
      return propertiesIn(file, node.namedChildren.at(-1), path.endsWith('[]') ? path : `${path}[]`)
    case 'ternary_expression':
      return node.namedChildren.slice(1).flatMap(followed)
    case 'parenthesized_expression':
    case 'if_statement':
      return followed(node.namedChildren.at(-1))
    case 'identifier':
      return followed(valueOf(file.variables.get(node.text)))
    case 'call_expression':
      return node.namedChildren[0]?.text === 'union' ? argumentsOf(node).flatMap(followed) : []
    default:
      return []
  }
}

/** What a variable is set to. */
export const valueOf = (variable: Declaration | undefined): Node | undefined => variable?.node.namedChildren.at(-1)

export const argumentsOf = (call: Node): Node[] =>
  call.namedChildren.find(({ type }) => type === 'arguments')?.namedChildren ?? []

/** Where something stands, as an editor opens it. */
export const placeOf = (file: BicepFile, node: Node): string => `infra/${file.path}:${node.startPosition.row + 1}`
