// The address of what is seen, after the `#`: it can be kept, sent and opened again, and no server learns of it.

export interface Route {
  /** Of the view. */
  readonly name: string
  /** What stands after the name, decoded. */
  readonly rest: readonly string[]
  readonly query: URLSearchParams
}

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [name = '', ...rest] = path.split('/').map(decoded)
  return { name: name || 'inbox', rest, query: new URLSearchParams(query) }
}

export type Query = Readonly<Record<string, string | undefined>>

export function hrefOf(path: readonly string[], query: Query = {}): string {
  const search = searchOf(query)
  return `#/${path.map(encodeURIComponent).join('/')}${search}`
}

/** With its question mark; empty members are left out. */
export function searchOf(query: Query): string {
  const kept = Object.entries(query).filter((member): member is [string, string] => Boolean(member[1]))
  return kept.length === 0 ? '' : `?${new URLSearchParams(kept).toString()}`
}

export const go = (href: string) => (location.hash = href)

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
