// Elements made by functions, and a page brought up to date by comparing: what did not change keeps focus, selection and scroll position.
//
// Never: markup from text. Nothing that the API answers can become an element or an attribute by itself.

export type Child = Node | string | number | false | null | undefined | readonly Child[]
type Value = string | number | boolean | null | undefined | ((event: Event) => void)
/** Attributes; `true` sets an empty one, `false` and nothing leave it out. Members that begin with `on` are handlers. `key` names an element among its siblings. */
export type Properties = Readonly<Record<string, Value>>

export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), properties, children)
}

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), properties, children)
}

/** By kind of event; one that is no longer wanted stays as nothing, for its listener stays too. */
type Handlers = Map<string, ((event: Event) => void) | undefined>
const handlers = new WeakMap<Element, Handlers>()
const keys = new WeakMap<Node, string>()

function filled<Made extends Element>(element: Made, properties: Properties, children: readonly Child[]): Made {
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'key') keys.set(element, String(value))
    else if (typeof value === 'function') listen(element, name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value))
  }
  element.append(...nodesOf(children))
  return element
}

function nodesOf(children: readonly Child[]): (Node | string)[] {
  return children.flatMap((child): (Node | string)[] => {
    if (child === null || child === undefined || child === false) return []
    if (typeof child === 'number') return [String(child)]
    return typeof child === 'string' || child instanceof Node ? [child] : nodesOf(child)
  })
}

/** One listener per kind of event for the element's whole life; what it does is looked up, so that it can be replaced. */
function listen(element: Element, kind: string, handler: (event: Event) => void): void {
  const own = handlers.get(element) ?? new Map()
  handlers.set(element, own)
  if (!own.has(kind)) element.addEventListener(kind, (event) => handlers.get(element)?.get(kind)?.(event))
  own.set(kind, handler)
}

/** Makes the children of `place` like the given ones, with as few changes as possible. */
export function show(place: Element, ...children: readonly Child[]): void {
  const wanted = nodesOf(children).map((one) => (typeof one === 'string' ? document.createTextNode(one) : one))
  const old = [...place.childNodes]
  const named = new Map(old.flatMap((node) => (keys.has(node) ? [[keys.get(node), node] as const] : [])))
  const nameless = old.filter((node) => !keys.has(node))
  let at: ChildNode | null = place.firstChild
  for (const node of wanted) {
    const key = keys.get(node)
    const candidate = key === undefined ? nameless.shift() : named.get(key)
    const kept = candidate && isAlike(candidate, node) ? candidate : undefined
    if (kept) update(kept, node)
    const placed = kept ?? node
    if (placed === at) at = at.nextSibling
    else place.insertBefore(placed, at)
  }
  while (at) {
    const next: ChildNode | null = at.nextSibling
    at.remove()
    at = next
  }
}

const isAlike = (a: Node, b: Node) => a.nodeName === b.nodeName && keys.get(a) === keys.get(b)

function update(old: Node, wanted: Node): void {
  if (!(old instanceof Element) || !(wanted instanceof Element)) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue
    return
  }
  for (const name of old.getAttributeNames())
    if (!wanted.hasAttribute(name) && !isOfThePerson(old, name)) old.removeAttribute(name)
  for (const { name, value } of wanted.attributes)
    if (name !== 'style' && old.getAttribute(name) !== value && !isOfThePerson(old, name)) old.setAttribute(name, value)
  // As an attribute, the page's own security policy would refuse it.
  if (old instanceof HTMLElement && wanted instanceof HTMLElement) old.style.cssText = wanted.style.cssText
  for (const kind of handlers.get(old)?.keys() ?? []) handlers.get(old)?.set(kind, undefined)
  for (const [kind, handler] of handlers.get(wanted) ?? []) if (handler) listen(old, kind, handler)
  show(old, [...wanted.childNodes])
}

/** What was opened stays open. */
const isOfThePerson = (element: Element, attribute: string) => element.tagName === 'DETAILS' && attribute === 'open'
