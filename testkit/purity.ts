// Watches code that will be replayed: it must get time, chance and the world from nowhere but its arguments.

/** What was asked for that no replay can give again, such as `Date.now()`; empty for pure code. */
export interface Watched<Value> {
  readonly value: Value
  readonly asked: readonly string[]
}

/**
 * Runs synchronous code while clock and chance are watched. What libraries do on their own account does not count.
 * @throws what the code throws
 */
export function watch<Value>(run: () => Value): Watched<Value> {
  const asked = new Set<string>()
  const restore = layTraps((what) => {
    if (isOwn(new Error('where').stack ?? '')) asked.add(what)
  })
  try {
    return { value: run(), asked: [...asked] }
  } finally {
    restore()
  }
}

/** Owner, member, and what is said of it. */
const traps: readonly (readonly [object, string, string])[] = [
  [Math, 'random', 'Math.random()'],
  [performance, 'now', 'performance.now()'],
  [crypto, 'randomUUID', 'crypto.randomUUID()'],
  [crypto, 'getRandomValues', 'crypto.getRandomValues()'],
  [globalThis, 'setTimeout', 'setTimeout()'],
  [globalThis, 'setInterval', 'setInterval()'],
  [globalThis, 'setImmediate', 'setImmediate()'],
  [globalThis, 'fetch', 'fetch()'],
]

/** Returns how to take them away. */
function layTraps(note: (what: string) => void): () => void {
  const real = traps.map(([owner, member]) => Reflect.get(owner, member))
  const RealDate = Date
  traps.forEach(([owner, member, what], index) => {
    const trap = new Proxy(real[index], {
      apply(target, its, all) {
        note(what)
        return Reflect.apply(target, its, all)
      },
    })
    Reflect.set(owner, member, trap)
  })
  globalThis.Date = new Proxy(RealDate, {
    construct(target, all, made) {
      if (all.length === 0) note('new Date()')
      return Reflect.construct(target, all, made)
    },
    apply(target, its, all) {
      note('Date()')
      return Reflect.apply(target, its, all)
    },
    get(target, member) {
      if (member === 'now') note('Date.now()')
      return Reflect.get(target, member)
    },
  })
  return () => {
    traps.forEach(([owner, member], index) => Reflect.set(owner, member, real[index]))
    globalThis.Date = RealDate
  }
}

/** Whether the code that asked is the author's own: the first frame outside this file. */
function isOwn(stack: string): boolean {
  const frame = stack.split('\n').find((line) => line.startsWith('    at ') && !/purity\.[jt]s/.test(line))
  return frame !== undefined && !frame.includes('node_modules') && !frame.includes('node:')
}

/** Freezes a value and all that it holds, so that who changes it is found out. */
export function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) frozen(member)
  return value
}
