// npm run diagrams: draws every registered saga into docs/sagas.md.

import { writeFileSync } from 'node:fs'
import { sagas } from '../src/app/index.js'
import { diagramOf } from '../src/saga/diagram.js'
import type { Saga } from '../src/saga/define.js'

/** The whole document. */
export function diagramsOf(drawn: readonly Saga[]): string {
  const chapters = drawn.map(
    (saga) => `## ${saga.name}, version ${saga.version}\n\n\`\`\`mermaid\n${diagramOf(saga)}\`\`\`\n`,
  )
  const head =
    '# The sagas\n\nDrawn from their definitions by `npm run diagrams`: above the way forward, below it the way back.\n'
  return [head, ...chapters].join('\n')
}

if (require.main === module) writeFileSync('docs/sagas.md', diagramsOf(sagas))
