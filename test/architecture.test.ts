// Who may import whom: the code held against the table in ARCHITECTURE.md.

import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type SourceFile, sourceFiles } from './source-files.js'

interface Row {
  /** A folder, or a file without its extension. */
  readonly place: string
  readonly allowed: readonly string[]
}

const rows: Row[] = [...readFileSync('ARCHITECTURE.md', 'utf8').matchAll(/^\| `([\w/-]+)` \| [^|]*\|([^|]*)\|$/gm)].map(
  ([, place = '', allowed = '']) => ({
    place,
    allowed: [...allowed.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  }),
)

/** The row that speaks of a path: the most precise one. */
const rowOf = (path: string) =>
  rows
    .filter(({ place }) => path === place || path.startsWith(`${place}/`))
    .toSorted((a, b) => b.place.length - a.place.length)[0]

const files = sourceFiles('src', 'testkit', 'embedded', 'sandbox', 'local', 'cli', 'bench')
const withoutExtension = (path: string) => path.replace(/\.m?[jt]s$/, '')

/** What a file imports: places of the table, and packages by name. */
function importsOf({ path, text }: SourceFile): string[] {
  const specifiers = [...text.matchAll(/(?:from |import\(|\bload\(|^import )'([^']+)'/gm)].map(
    ([, specifier = '']) => specifier,
  )
  return specifiers.map((specifier) => {
    if (specifier.startsWith('.')) {
      const target = withoutExtension(posix.join(posix.dirname(path), specifier))
      return rowOf(target)?.place ?? target
    }
    if (specifier.startsWith('node:')) return 'node:*'
    return specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
  })
}

describe('the import table of ARCHITECTURE.md', () => {
  it('has a row for every file', () => {
    expect(rows.length).toBeGreaterThan(10)
    expect(files.map(({ path }) => path).filter((path) => !rowOf(withoutExtension(path)))).toEqual([])
  })

  it('has no row without files and allows nothing that is not used', () => {
    const used = new Map(rows.map(({ place }) => [place, new Set<string>()]))
    for (const file of files)
      for (const name of importsOf(file)) used.get(rowOf(withoutExtension(file.path))?.place ?? '')?.add(name)

    const idle = rows.flatMap(({ place, allowed }) =>
      allowed.filter((name) => !used.get(place)?.has(name)).map((name) => `${place} → ${name}`),
    )
    expect(idle).toEqual([])
  })

  it('is kept by every import', () => {
    const forbidden = files.flatMap((file) => {
      const row = rowOf(withoutExtension(file.path))
      return importsOf(file)
        .filter((name) => name !== row?.place && !row?.allowed.includes(name))
        .map((name) => `${file.path} → ${name}`)
    })

    expect(forbidden).toEqual([])
  })
})
