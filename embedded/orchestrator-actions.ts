// What the JSON text of an orchestrator's state does not tell about its actions: which of them are one and the same.
//
// The SDK makes one object for each task. A task that is yielded twice, or alone after it was one of several, stands in its list twice.

/** As plain data in which the same task is the same object; undefined when no task occurs twice, for then the text tells all. */
export function actionsThatRepeat(actions: readonly unknown[]): readonly unknown[] | undefined {
  return repeats(actions, new Set()) ? actions.map(plainIn(new Map())) : undefined
}

function repeats(actions: readonly unknown[], seen: Set<unknown>): boolean {
  return actions.some((action) => {
    if (seen.has(action)) return true
    seen.add(action)
    return repeats(childrenOf(action), seen)
  })
}

function plainIn(known: Map<unknown, unknown>) {
  return function plain(action: unknown): unknown {
    const children = childrenOf(action)
    const made =
      known.get(action) ??
      (children.length > 0
        ? { ...Object(action), compoundActions: children.map(plain) }
        : JSON.parse(JSON.stringify(action)))
    known.set(action, made)
    return made
  }
}

function childrenOf(action: unknown): readonly unknown[] {
  const children: unknown = typeof action === 'object' && action !== null ? Reflect.get(action, 'compoundActions') : []
  return Array.isArray(children) ? children : []
}
