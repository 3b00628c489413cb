// What a drawing of a saga shows, and that the drawings in the documents are of today.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { diagramsOf } from '../../local/diagrams.js'
import { sagas } from '../../src/app/index.js'
import { diagramOf } from '../../src/saga/diagram.js'
import { relentless } from '../../src/saga/policy.js'
import { aSaga } from './three-steps.js'

describe('a drawing', () => {
  it('shows the way forward with blocks and pivot, and the way back in reverse up to the pivot', () => {
    const saga = aSaga([
      [{ name: 'a' }],
      [{ name: 'b1' }, { name: 'b2', when: () => true }],
      [{ name: 'p', kind: 'pivot' }],
      [{ name: 'z', shape: { retry: relentless, answeredWithin: 1_000 } }],
    ])

    expect(diagramOf(saga)).toBe(`flowchart LR
  begin(["contact Create"])
  do0["<b>a</b><br/>partner-a: do"]
  do1["<b>b1</b><br/>partner-b1: do"]
  do2["<b>b2</b><br/>partner-b2: do<br/>only when needed"]
  do3{{"<b>p</b><br/>partner-p: do<br/>no way back from here"}}
  do4["<b>z</b><br/>partner-z: do<br/>answered later"]
  done(["completed"])
  begin --> do0
  do0 --> do1 & do2
  do1 & do2 --> do3
  do3 --> do4
  do4 --> done
  undo1["undo b1"]
  undo2["undo b2"]
  undo0["undo a"]
  undone(["compensated"])
  undo1 & undo2 --> undo0
  undo0 --> undone
  do1 -.- undo1
  do2 -.- undo2
  do0 -.- undo0
  class undo1,undo2,undo0,undone back
  classDef back stroke-dasharray: 4 3
  class do3 pivot
  classDef pivot stroke-width:3px
`)
  })

  it('shows no way back where nothing can be undone, and words of the definition as words', () => {
    const saga = aSaga([[{ name: 'a "<b>"', shape: { back: 'irreversible' } }]])

    const drawing = diagramOf(saga)

    expect(drawing).not.toContain('compensated')
    expect(drawing).toContain(
      'do0["<b>a #quot;#lt;b#gt;#quot;</b><br/>partner-a #quot;#lt;b#gt;#quot;: do<br/>stays: it is sent"]',
    )
  })
})

describe('docs/sagas.md', () => {
  it('is what npm run diagrams writes today', () => {
    expect(readFileSync('docs/sagas.md', 'utf8')).toBe(diagramsOf(sagas))
  })
})
