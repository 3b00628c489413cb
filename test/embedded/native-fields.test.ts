// What the compiler made of private members is made private members again, and does the same.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { nativeFields } from '../../embedded/functions/native-fields.js'

/** As TypeScript has them at the head of each file. */
const helpers = `var __classPrivateFieldSet = function (receiver, state, value, kind, f) {
    if (typeof state === "function" ? receiver !== state || !f : !state.has(receiver)) throw new TypeError("Cannot write private member");
    return (kind === "a" ? f.call(receiver, value) : f ? f.value = value : state.set(receiver, value)), value;
};
var __classPrivateFieldGet = function (receiver, state, kind, f) {
    if (typeof state === "function" ? receiver !== state || !f : !state.has(receiver)) throw new TypeError("Cannot read private member");
    return kind === "m" ? f : kind === "a" ? f.call(receiver) : f ? f.value : state.get(receiver);
};`

/** A class with a private member and a private method. */
const compiled = `var _Counter_instances, _Counter_count, _Counter_twice;
class Counter {
    constructor(count) {
        _Counter_instances.add(this);
        _Counter_count.set(this, void 0);
        __classPrivateFieldSet(this, _Counter_count, count, "f");
    }
    next() {
        return __classPrivateFieldSet(this, _Counter_count, __classPrivateFieldGet(this, _Counter_count, "f") + 1, "f");
    }
    twice() { return __classPrivateFieldGet(this, _Counter_instances, "m", _Counter_twice).call(this); }
}
_Counter_count = new WeakMap(), _Counter_instances = new WeakSet(), _Counter_twice = function _Counter_twice() {
    return 2 * __classPrivateFieldGet(this, _Counter_count, "f");
};`

/** What is told of a class that was compiled. */
function outcomeOf(code: string): unknown {
  const told = `const one = new Counter(1), other = new Counter(5);
one.next();
let stranger;
try { Counter.prototype.next.call({}); } catch (error) { stranger = String(error); }
const frozen = Object.freeze(new Counter(7));
return [one.twice(), other.twice(), frozen.next(), stranger, Object.keys(one), JSON.stringify(one), Reflect.ownKeys({ ...one })];`
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- it is code that is tested
  return new Function(`${helpers}\n${code}\n${told}`)()
}

describe('a private member that was compiled to a weak map', () => {
  it('does the same, and is seen by nobody', () => {
    const native = nativeFields(compiled)

    expect(outcomeOf(native)).toEqual(outcomeOf(compiled))
    expect(outcomeOf(native)).toEqual([4, 10, 8, 'TypeError: Cannot read private member', [], '{}', []])
    expect(native).not.toContain('new Weak')
  })

  it('stands on the same lines', () => {
    expect(nativeFields(compiled).split('\n')).toHaveLength(compiled.split('\n').length)
  })

  it('leaves weak maps alone that somebody wrote', () => {
    const written = 'const seen = new WeakMap(), _seen = new WeakSet(); this._seen_by = new WeakMap([])'
    expect(nativeFields(written)).toBe(written)
  })
})

describe('the programming model as it is installed', () => {
  it('has none left', () => {
    const code = readFileSync(createRequire(__filename).resolve('@azure/functions'), 'utf8')
    expect(code).toMatch(/_InvocationModel_coreCtx = new WeakMap\(\)/)
    expect(nativeFields(code)).not.toMatch(/_Invocation\w+ = new Weak/)
  })
})
