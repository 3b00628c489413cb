// Whether resources are told only what they know, and rights are as small as they are meant to be.

import type { Node } from 'web-tree-sitter'
import {
  type BicepFile,
  bodyOf,
  type Declaration,
  literalOf,
  placeOf,
  type Property,
  propertiesIn,
  valueOf,
} from './bicep.js'
import type { Check } from './infrastructure.js'
import { resourceTypes, roles, type Shape } from './resource-types.js'

const eachResource = (check: (file: BicepFile, resource: Declaration) => string[]): Check => {
  return ({ bicep }) => bicep.flatMap((file) => file.resources.flatMap((resource) => check(file, resource)))
}

export const types: Check = eachResource((file, resource) => {
  const known = resourceTypes[resource.of]
  if (!known) return [`${placeOf(file, resource.node)}: '${resource.of}' is not in the table of resource types`]
  const shapes = new Map(Object.entries(known).map(([path, shape]) => [path.replace(/!$/, ''), shape]))
  const said = propertiesIn(file, bodyOf(resource)).map(({ path, value }) => ({
    path: path.replace(/^\[\]\.?/, ''),
    value,
  }))
  const required = Object.keys(known).filter((path) => path.endsWith('!'))
  return [
    ...said.flatMap((property) => wrongIn(file, shapes, property)),
    ...required
      .map((path) => path.slice(0, -1))
      .filter((path) => said.some(({ path: there }) => isParent(parentOf(path), there)) || parentOf(path) === '')
      .filter((path) => said.every(({ path: there }) => there !== path))
      .map((path) => `${placeOf(file, resource.node)}: ${resource.of} needs '${path}'`),
  ]
})

const parentOf = (path: string) => path.split('.').slice(0, -1).join('.').replace(/\[\]$/, '')
const isParent = (parent: string, path: string) => path === parent

function wrongIn(file: BicepFile, shapes: ReadonlyMap<string, Shape>, { path, value }: Property): string[] {
  const shape = shapes.get(path) ?? shapes.get(path.replace(/[^.]+$/, '*'))
  if (shape === undefined) {
    const leads = [...shapes.keys()].some((known) => known.startsWith(`${path}.`) || known.startsWith(`${path}[]`))
    return leads ? [] : [`${placeOf(file, value)}: '${path}' is no property of it`]
  }
  return choicesOf(file, value)
    .filter((node) => !fits(node, shape))
    .map((node) => `${placeOf(file, node)}: '${path}' can not be ${node.text}`)
}

/** What may stand there in the end, as far as the text tells. */
function choicesOf(file: BicepFile, node: Node): Node[] {
  if (node.type === 'ternary_expression') return node.namedChildren.slice(1).flatMap((side) => choicesOf(file, side))
  const variable = node.type === 'identifier' && valueOf(file.variables.get(node.text))
  return variable ? choicesOf(file, variable) : [node]
}

function fits(node: Node, shape: Shape): boolean {
  const literal = literalOf(node)
  if (node.type === 'object') return shape === 'object'
  if (node.type === 'array') return shape === 'list'
  // An expression: only the platform knows.
  if (literal === undefined) return true
  if (typeof shape === 'object') return shape.includes(literal)
  if (shape === 'number') return node.type === 'number'
  if (shape === 'flag') return node.type === 'boolean'
  if (shape === 'duration') return /^P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?$/.test(literal)
  return shape === 'text' && node.type === 'string'
}

/** Every id in the text is that of a role, under the role's name; and each role is given on the resource that it is for. */
export const rights: Check = ({ bicep }) =>
  bicep.flatMap((file) => [
    ...[...file.text.matchAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi)].flatMap(({ 0: id, index }) => {
      const name = /var (\w+) = '$/.exec(file.text.slice(0, index))?.[1] ?? ''
      return roles[name] === id ? [] : [`infra/${file.path}: ${id} is not the role '${name}'`]
    }),
    ...file.resources
      .filter(({ of }) => of.startsWith('Microsoft.Authorization/'))
      .flatMap((resource) => {
        const scope = propertiesIn(file, bodyOf(resource)).find(({ path }) => path.replace('[].', '') === 'scope')
        const target = file.resources.find(({ name }) => name === scope?.value.text)
        return target
          ? []
          : [`${placeOf(file, resource.node)}: '${resource.name}' gives a right on more than a resource`]
      }),
  ])

/** What would put a key where somebody can read it. */
export const keys: Check = ({ bicep }) =>
  bicep.flatMap((file) => [
    ...[...file.text.matchAll(/\blist(?:Keys|Secrets|AccountSas)\b|AccountKey=|SharedAccessKey=/g)].map(
      ([what]) => `infra/${file.path}: '${what}' puts a key into the deployment`,
    ),
    ...file.outputs
      .filter(({ node }) => secretsOf(file).some((secret) => new RegExp(`\\b${secret}\\b`).test(node.text)))
      .map(({ node, name }) => `${placeOf(file, node)}: output '${name}' tells a secret`),
    ...file.resources
      .filter(({ of }) => of.includes('/authorizationRules@'))
      .filter((resource) => {
        const may = propertiesIn(file, bodyOf(resource)).find(({ path }) => path === 'properties.rights')
        return may?.value.text !== `['Send']`
      })
      .map(({ node, name }) => `${placeOf(file, node)}: the key '${name}' may do more than send`),
  ])

const secretsOf = ({ params }: BicepFile): string[] =>
  [...params.values()]
    .filter(({ node }) => node.previousNamedSibling?.text.includes('@secure()'))
    .map(({ name }) => name)
