// The code in README and guides is the code of the repository, and their commands are scripts that exist.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sourceFiles } from './source-files.js'

const readme = readFileSync('README.md', 'utf8')
const documents = [readme, readFileSync('docs/testing.md', 'utf8')]
const unindented = (text: string) => text.replaceAll(/^ +/gm, '')
const sources = sourceFiles('src', 'test').map(({ text }) => unindented(text))

describe('README and guides', () => {
  const quotes = documents.flatMap((text) => [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code))

  it.each(quotes)('quote %s', (code) => {
    expect(sources.filter((source) => source.includes(unindented(code))).length).toBeGreaterThan(0)
  })

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    const named = [...documents.join('\n').matchAll(/npm (?:run ([\w-]+)|(start|test))/g)].map(
      ([, run, short]) => run ?? short,
    )

    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'demo', 'host']))
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named))
  })

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path)

    expect(links.length).toBeGreaterThan(5)
    expect(links.filter((path) => !existsSync(path))).toEqual([])
  })
})
