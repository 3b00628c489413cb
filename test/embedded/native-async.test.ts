// What the compiler made of async functions is made async functions again, and does the same.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nativeAsync } from '../../embedded/functions/native-async.js'

/** As TypeScript has it at the head of each file. */
const helper = `var __awaiter = (this && this.__awaiter) || function (thisArg, _arguments, P, generator) {
    function adopt(value) { return value instanceof P ? value : new P(function (resolve) { resolve(value); }); }
    return new (P || (P = Promise))(function (resolve, reject) {
        function fulfilled(value) { try { step(generator.next(value)); } catch (e) { reject(e); } }
        function rejected(value) { try { step(generator["throw"](value)); } catch (e) { reject(e); } }
        function step(result) { result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected); }
        step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
};`

/** By what it stands for: the body of a function that returns what it did. */
const written: Readonly<Record<string, string>> = {
  'values that are awaited': `return __awaiter(this, void 0, void 0, function* () {
    const one = yield Promise.resolve(1);
    return one + (yield 2);
});`,
  'an operand of several words': `return __awaiter(this, void 0, void 0, function* () {
    return [yield (given ? Promise.resolve('yes') : 'no'), (yield Promise.resolve([3])).length];
});`,
  'an error that is caught, and one that is not': `return __awaiter(this, void 0, void 0, function* () {
    try { yield Promise.reject(new Error('first')); }
    catch (error) { throw new Error('after ' + error.message); }
    finally { yield; }
});`,
  'an error before anything is awaited': `return __awaiter(this, void 0, void 0, function* () { throw new Error('at once'); });`,
  'this and the arguments': `return __awaiter(this, arguments, void 0, function* (first, second = 'none') {
    return [this.name, first, second, arguments.length, yield second];
});`,
  'one within another': `return __awaiter(this, void 0, void 0, function* () {
    const inner = () => __awaiter(this, void 0, void 0, function* () { return [this.name, yield 1]; });
    return yield __awaiter(this, void 0, void 0, function* () { return yield inner(); });
});`,
  'a generator within': `return __awaiter(this, void 0, void 0, function* () {
    function* three() { yield 1; yield 2; yield 3; }
    return [...three(), yield 4];
});`,
  'what follows it': `return __awaiter(this, void 0, void 0, function* () { return yield 1; }).then((one) => [one, given]);`,
}

const outcomeOf = async (code: string): Promise<unknown> => {
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- it is code that is tested
  const made: unknown = new Function('given', code).apply({ name: 'mine' }, ['given'])
  return Promise.resolve(made).catch((error: unknown) => String(error))
}

describe('an async function that was compiled to a generator', () => {
  it.each(Object.entries(written))('does the same: %s', async (_, body) => {
    const native = `${helper}\n${nativeAsync(body)}`
    expect(await outcomeOf(native)).toEqual(await outcomeOf(`${helper}\n${body}`))
    expect(nativeAsync(body)).not.toContain('__awaiter')
  })

  it('stands on the same lines', () => {
    for (const body of Object.values(written))
      expect(nativeAsync(body).split('\n')).toHaveLength(body.split('\n').length)
  })

  it('stays as it is where it hands over to another generator', () => {
    const body = 'return __awaiter(this, void 0, void 0, function* () { yield* given; });'
    expect(nativeAsync(body)).toBe(body)
  })

  it("stays as it is where the helper is another library's", () => {
    const body = 'return tslib_1.__awaiter(this, void 0, void 0, function* () { return yield given; });'
    expect(nativeAsync(body)).toBe(body)
  })

  it('leaves everything else alone', () => {
    const body = 'function* one() { yield 1; } return [...one(), "__awaiter("].length'
    expect(nativeAsync(body)).toBe(body)
  })
})

describe('the SDKs as they are installed', () => {
  const { resolve } = createRequire(__filename)
  const inDurable = (file: string) => join(dirname(resolve('durable-functions')), file)

  it.each([
    resolve('@azure/functions'),
    inDurable('orchestrations/TaskOrchestrationExecutor.js'),
    inDurable('durableClient/DurableClient.js'),
  ])('have none left: %s', (file) => {
    const code = readFileSync(file, 'utf8')
    expect(code).toContain('__awaiter(')
    expect(nativeAsync(code)).not.toContain('__awaiter(')
  })
})
