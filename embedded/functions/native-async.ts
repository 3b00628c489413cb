// The SDKs are compiled for a JavaScript without async functions: each is a generator that a helper drives, and V8 keeps what such a call has seen until the
// old generation is collected. As these files are loaded (native-sdks.ts) they become async functions again: a twelfth less CPU and as many more sagas.
//
// Promises: the files on disk stay as they are. What does not look as the compiler writes it is loaded as it is.

import { type CallExpression, type FunctionExpression, type Node, parseExpressionAt, type YieldExpression } from 'acorn'
import { ancestor } from 'acorn-walk'

interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

/**
 * `__awaiter(this, void 0, void 0, function* () { yield one; })` becomes `(async () => { await (one); })()`.
 * @param code of a CommonJS module
 */
export function nativeAsync(code: string): string {
  try {
    return edited(code, editsOf(code))
  } catch (error) {
    // A later SDK may be written in what acorn does not know yet. It runs as well as it is.
    if (error instanceof SyntaxError) return code
    throw error
  }
}

function editsOf(code: string): readonly Edit[] {
  const edits: Edit[] = []
  let end = 0
  for (const { index } of code.matchAll(awaiter)) {
    if (index < end) continue
    // Only these expressions are read: the whole of a file would take a fifth of a second.
    const call = parseExpressionAt(code, index, { ecmaVersion: 'latest', checkPrivateFields: false })
    edits.push(...editsIn(call, code))
    end = call.end
  }
  return edits
}

/** The last first, so that those before keep their places. */
const edited = (code: string, edits: readonly Edit[]) =>
  edits
    .toSorted((one, other) => other.from - one.from || other.to - one.to)
    .reduce((sofar, { from, to, text }) => sofar.slice(0, from) + text + sofar.slice(to), code)

/** By itself, not as a member of a library of helpers. */
const awaiter = /(?<![\w$.])__awaiter\(/g

function editsIn(expression: Node, code: string): Edit[] {
  const text = ({ start, end }: Node) => code.slice(start, end)
  const edits: Edit[] = []
  const awaited = new Set<Node | undefined>()
  const yields: { readonly found: YieldExpression; readonly within: Node | undefined }[] = []
  ancestor(expression, {
    CallExpression(call) {
      const [, given, , generator] = call.arguments
      if (!given || !isAwaiter(call) || !isGenerator(generator) || text(generator).includes('yield*')) return
      awaited.add(generator)
      const { body, params } = generator
      edits.push({ from: call.start, to: body.start, text: `(async (${params.map(text).join(', ')}) => ` })
      edits.push({ from: body.end, to: call.end, text: text(given) === 'void 0' ? ')()' : `)(...${text(given)})` })
    },
    YieldExpression(found, _, ancestors) {
      yields.push({ found, within: ancestors.findLast(({ type }) => type.includes('Function')) })
    },
  })
  for (const { found, within } of yields) {
    if (!awaited.has(within)) continue
    const { start, end, argument } = found
    edits.push({ from: start, to: start + 'yield'.length, text: 'await (' })
    edits.push({ from: end, to: end, text: argument ? ')' : 'undefined)' })
  }
  return edits
}

const isAwaiter = ({ callee }: CallExpression) => callee.type === 'Identifier' && callee.name === '__awaiter'

const isGenerator = (node: Node | undefined): node is FunctionExpression =>
  node?.type === 'FunctionExpression' && 'generator' in node && node.generator === true
