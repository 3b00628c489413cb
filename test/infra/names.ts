// Whether every name that is used in the Bicep is declared, and everything declared is used: what its compiler would say first.

import { posix } from 'node:path'
import type { Node } from 'web-tree-sitter'
import { type BicepFile, bodyOf, type Declaration, literalOf, placeOf, propertiesIn } from './bicep.js'
import { type Check, textOf } from './infrastructure.js'

export const syntax: Check = ({ bicep }) =>
  bicep.flatMap((file) => {
    const broken: string[] = []
    const walk = (node: Node) => {
      if (node.isError || node.isMissing)
        broken.push(`${placeOf(file, node)}: syntax, near '${node.text.slice(0, 40)}'`)
      else for (const child of node.children) walk(child)
    }
    walk(file.root)
    return broken
  })

/** Functions of the language that are used as if they were names. */
const builtIn = new Set(['az', 'sys'])

export const names: Check = ({ bicep }) =>
  bicep.flatMap((file) => {
    const declared = new Set([
      ...file.params.keys(),
      ...file.variables.keys(),
      ...[...file.resources, ...file.modules].map(({ name }) => name),
    ])
    const used = new Set<string>()
    const unknown: string[] = []
    for (const node of file.root.descendantsOfType('identifier')) {
      if (!isUse(node)) continue
      used.add(node.text)
      if (!declared.has(node.text) && !localsAt(node).has(node.text) && !builtIn.has(node.text))
        unknown.push(`${placeOf(file, node)}: '${node.text}' is not declared`)
    }
    const idle = [...file.params.values(), ...file.variables.values()]
      .filter(({ name }) => !used.has(name))
      .map(({ name, node }) => `${placeOf(file, node)}: '${name}' is not used`)
    return [...unknown, ...idle]
  })

/** Not where it is declared, nor the key of an object, nor what is called. */
function isUse(node: Node): boolean {
  const { parent } = node
  if (!parent || ['type', 'for_loop_parameters'].includes(parent.type)) return false
  return parent.firstNamedChild?.id !== node.id || !named.has(parent.type)
}

/** What says a name first, and is then about it. */
const named = new Set([
  'parameter_declaration',
  'variable_declaration',
  'resource_declaration',
  'module_declaration',
  'output_declaration',
  'object_property',
  'call_expression',
  'lambda_expression',
  'for_statement',
])

/** What loops and lambdas around a place have named. */
function localsAt(node: Node): Set<string> {
  const found = new Set<string>()
  for (let at = node.parent; at; at = at.parent) {
    const head = at.namedChildren[0]
    if ((at.type === 'for_statement' || at.type === 'lambda_expression') && head)
      for (const name of [head, ...head.namedChildren]) found.add(name.text)
  }
  return found
}

export const modules: Check = ({ bicep }) =>
  bicep.flatMap((file) =>
    file.modules.flatMap((module) => {
      const path = posix.join(posix.dirname(file.path), module.of)
      const target = bicep.find((one) => one.path === path)
      if (!target) return [`${placeOf(file, module.node)}: module '${module.of}' does not exist`]
      const given = keysUnder(file, module, 'params')
      const required = [...target.params.values()].filter(({ isRequired }) => isRequired)
      return [
        ...given.filter((name) => !target.params.has(name)).map((name) => `has no parameter '${name}'`),
        ...required.filter(({ name }) => !given.includes(name)).map(({ name }) => `needs the parameter '${name}'`),
        ...outputsUsed(file, module)
          .filter((name) => target.outputs.every((output) => output.name !== name))
          .map((name) => `has no output '${name}'`),
      ].map((what) => `${placeOf(file, module.node)}: module '${module.of}' ${what}`)
    }),
  )

const keysUnder = (file: BicepFile, declaration: Declaration, path: string): string[] =>
  propertiesIn(file, bodyOf(declaration))
    .filter((property) => property.path.startsWith(`${path}.`) && property.path.split('.').length === 2)
    .map((property) => property.path.slice(path.length + 1))

const outputsUsed = ({ text }: BicepFile, { name }: Declaration): string[] =>
  [...text.matchAll(new RegExp(`\\b${name}!?\\.outputs\\.(\\w+)`, 'g'))].map(([, output = '']) => output)

/** What azd hands over is what main.bicep takes. */
export const parameters: Check = (infrastructure) => {
  const { parameters: given } = JSON.parse(textOf(infrastructure, 'infra/main.parameters.json')) as {
    parameters: Record<string, unknown>
  }
  const main = infrastructure.bicep.find(({ path }) => path === 'main.bicep')
  const takes = [...(main?.params.values() ?? [])]
  return [
    ...Object.keys(given)
      .filter((name) => takes.every((param) => param.name !== name))
      .map((name) => `infra/main.parameters.json: main.bicep has no parameter '${name}'`),
    ...takes
      .filter(({ name, isRequired }) => isRequired && !(name in given))
      .map(({ name }) => `infra/main.parameters.json: main.bicep needs '${name}'`),
  ]
}

/** azd finds the app by its tag. */
export const deployed: Check = (infrastructure) => {
  const [, service = ''] = /^services:\n {2}(\w+):/m.exec(textOf(infrastructure, 'azure.yaml')) ?? []
  const tags = infrastructure.bicep.flatMap((file) =>
    file.root
      .descendantsOfType('object_property')
      .filter(({ namedChildren: [key] }) => literalOf(key) === 'azd-service-name')
      .map(({ namedChildren: [, value] }) => literalOf(value)),
  )
  return tags.includes(service) ? [] : [`azure.yaml: no resource has the tag azd-service-name '${service}'`]
}
