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
  const restore = lay(globalThis, Math, (what) => {
    if (isOwn(new Error('where').stack ?? '')) asked.add(what)
  })
  try {
    return { value: run(), asked: [...asked] }
  } finally {
    restore()
  }
}

type Note = (what: string) => void

/** Lays the traps; returns how to take them away. */
function lay(world: typeof globalThis, math: Math, note: Note): () => void {
  const { Date: RealDate, performance, crypto, setTimeout, setInterval, setImmediate, fetch } = world
  const { random } = math
  const { now } = performance
  const { randomUUID, getRandomValues } = crypto
  const noting = <Wrapped extends (...all: never[]) => unknown>(what: string, real: Wrapped, self?: unknown) =>
    new Proxy(real, {
      apply(target, its, all) {
        note(what)
        return Reflect.apply(target, self ?? its, all)
      },
    })
  const realNow = noting('Date.now()', RealDate.now)
  world.Date = new Proxy(RealDate, {
    construct(target, all, made) {
      if (all.length === 0) note('new Date()')
      return Reflect.construct(target, all, made)
    },
    apply(target, its, all) {
      note('Date()')
      return Reflect.apply(target, its, all)
    },
    get: (target, name) => (name === 'now' ? realNow : Reflect.get(target, name)),
  })
  math.random = noting('Math.random()', random)
  performance.now = noting('performance.now()', now, performance)
  crypto.randomUUID = noting('crypto.randomUUID()', randomUUID, crypto)
  crypto.getRandomValues = noting('crypto.getRandomValues()', getRandomValues, crypto)
  Object.assign(world, {
    setTimeout: noting('setTimeout()', setTimeout),
    setInterval: noting('setInterval()', setInterval),
    setImmediate: noting('setImmediate()', setImmediate),
    fetch: noting('fetch()', fetch),
  })
  return () => {
    Object.assign(world, { Date: RealDate, setTimeout, setInterval, setImmediate, fetch })
    math.random = random
    Object.assign(performance, { now })
    Object.assign(crypto, { randomUUID, getRandomValues })
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
