// Route templates: which function an HTTP request belongs to, and what its path says.

export interface Route {
  readonly name: string
  /** Upper case; empty for all. */
  readonly methods: readonly string[]
  readonly segments: readonly Segment[]
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly optional: boolean; readonly constraint?: string }
  /** Takes the rest of the path. */
  | { readonly kind: 'rest'; readonly name: string }

export interface RouteMatch {
  readonly name: string
  readonly parameters: Readonly<Record<string, string>>
}

/** @param template such as `sagas/{id}`, `items/{number:int?}`, `files/{*path}` */
export function routeOf(name: string, template: string, methods: readonly string[]): Route {
  const segments = template.split('/').filter(Boolean).map(segmentOf)
  return { name, methods: methods.map((method) => method.toUpperCase()), segments }
}

/** The most literal of the routes that fit. */
export function matchRoute(routes: readonly Route[], method: string, path: readonly string[]): RouteMatch | undefined {
  let best: { literals: number; match: RouteMatch } | undefined
  for (const route of routes) {
    if (route.methods.length > 0 && !route.methods.includes(method)) continue
    const parameters = parametersOf(route.segments, path)
    const literals = route.segments.filter(({ kind }) => kind === 'literal').length
    if (parameters && literals > (best?.literals ?? -1)) best = { literals, match: { name: route.name, parameters } }
  }
  return best?.match
}

function segmentOf(text: string): Segment {
  const [, star, name, constraint, optional] = /^\{(\*{0,2})(\w+)(?::([^?}]+))?(\?)?\}$/.exec(text) ?? []
  if (name === undefined) return { kind: 'literal', text: text.toLowerCase() }
  if (star) return { kind: 'rest', name }
  return { kind: 'parameter', name, optional: optional === '?', ...(constraint ? { constraint } : {}) }
}

function parametersOf(segments: readonly Segment[], path: readonly string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = {}
  let at = 0
  for (const segment of segments) {
    const part = path[at]
    if (segment.kind === 'rest') {
      parameters[segment.name] = path.slice(at).join('/')
      return parameters
    }
    if (segment.kind === 'literal') {
      if (part?.toLowerCase() !== segment.text) return undefined
    } else if (part === undefined) {
      if (!segment.optional) return undefined
      continue
    } else {
      if (segment.constraint === 'int' && !/^-?\d+$/.test(part)) return undefined
      parameters[segment.name] = part
    }
    at += 1
  }
  return at === path.length ? parameters : undefined
}
