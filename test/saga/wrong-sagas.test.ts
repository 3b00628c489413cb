// A wrong saga does not compile, and the compiler says why in words that one understands: the files in types/, given to the real compiler.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

interface Definition {
  readonly says: string
  readonly from: number
  readonly to: number
}

/** The definitions of a file: each begins with a comment and ends before the next. */
function definitionsIn(file: string, mark: 'accepted' | 'refused'): Definition[] {
  const lines = readFileSync(`test/saga/types/${file}`, 'utf8').split('\n')
  const begins = lines.flatMap((line, index) => (line.startsWith(`// ${mark}: `) ? [index] : []))
  return begins.map((from, index) => ({
    says: lines[from]?.slice(`// ${mark}: `.length) ?? '',
    from: from + 1,
    to: begins[index + 1] ?? lines.length,
  }))
}

const { stdout } = spawnSync('node_modules/.bin/tsc', ['--project', 'test/saga/types', '--pretty', 'false'], {
  encoding: 'utf8',
})

/** Each with the lines that explain it. */
const errors = stdout.split(/\n(?=\S)/).flatMap((text) => {
  const [, file, line] = /(good|bad|partners)\.ts\((\d+),\d+\): error/.exec(text) ?? []
  return file ? [{ file, line: Number(line), text }] : []
})

describe('the compiler', () => {
  const good = definitionsIn('good.ts', 'accepted')
  const bad = definitionsIn('bad.ts', 'refused')

  it('is asked about at least 25 definitions of each kind', () => {
    expect(good.length).toBeGreaterThanOrEqual(25)
    expect(bad.length).toBeGreaterThanOrEqual(25)
  })

  it('accepts every good one', () => {
    expect(errors.filter(({ file }) => file !== 'bad').map(({ text }) => text)).toEqual([])
  })

  it.each(bad)('refuses a bad one at line $from: $says', ({ says, from, to }) => {
    const own = errors.filter(({ file, line }) => file === 'bad' && line > from && line <= to)

    expect(own.map(({ text }) => text.replaceAll('\n', ' ')).join('\n')).toContain(says)
  })
})
