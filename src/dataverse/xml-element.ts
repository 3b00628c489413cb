// XML, be it text or binary, as a tree. The prefixes are the sender's choice and the local names tell enough, so namespaces are not kept.

import { SaxesParser } from 'saxes'
import { SagaError } from '../saga/errors.js'
import { deepest } from './remote-context.js'

export interface XmlElement {
  /** Without prefix. */
  readonly name: string
  /** Of `i:type`, without prefix. */
  type: string | undefined
  isNil: boolean
  readonly children: XmlElement[]
  text: string
}

/** Grows a tree from its events. @throws Error in the parser's words, without anything of the text */
export class TreeBuilder {
  readonly #open: XmlElement[] = []
  #root: XmlElement | undefined

  open(name: string): void {
    if (this.#open.length >= deepest) throw new Error(`it is nested deeper than ${deepest} levels`)
    const element: XmlElement = { name: localOf(name), type: undefined, isNil: false, children: [], text: '' }
    if (this.#root && this.#open.length === 0) throw new Error('it has more than one root')
    this.#open.at(-1)?.children.push(element)
    this.#root ??= element
    this.#open.push(element)
  }

  attribute(name: string, value: string): void {
    const element = this.#open.at(-1)
    if (!element) throw new Error('an attribute stands outside of the root')
    const local = localOf(name)
    if (local === 'type') element.type = localOf(value)
    if (local === 'nil') element.isNil = value === 'true' || value === '1'
  }

  text(text: string): void {
    const element = this.#open.at(-1)
    if (element) element.text += text
    else if (text.trim() !== '') throw new Error('text stands outside of the root')
  }

  close(): void {
    if (!this.#open.pop()) throw new Error('an element ends that did not begin')
  }

  end(): XmlElement {
    if (!this.#root || this.#open.length > 0) throw new Error('it ends too early')
    return this.#root
  }
}

const localOf = (name: string) => name.slice(name.indexOf(':') + 1)

/** @throws SagaError `EVENT_NOT_XML` */
export function readXml(text: string): XmlElement {
  const tree = new TreeBuilder()
  const parser = new SaxesParser({ fragment: false })
  // A document type can define entities that grow without end; Dataverse sends none.
  parser.on('doctype', () => refuse('it has a document type'))
  parser.on('error', () => refuse(`it is malformed at line ${parser.line}`))
  parser.on('opentag', ({ name, attributes }) => {
    tree.open(name)
    for (const [attribute, value] of Object.entries(attributes)) tree.attribute(attribute, value)
  })
  parser.on('text', (part) => tree.text(part))
  parser.on('cdata', (part) => tree.text(part))
  parser.on('closetag', () => tree.close())
  try {
    parser.write(text).close()
    return tree.end()
  } catch (error) {
    if (error instanceof SagaError) throw error
    return refuse(error instanceof Error ? error.message : 'it can not be parsed')
  }
}

function refuse(why: string): never {
  throw SagaError.of('EVENT_NOT_XML', { why })
}
