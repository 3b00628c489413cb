// The console's files as they are served: the page, and under an address that changes with them all its modules, styles and pictures.
//
// Promises: nothing but these files is ever read; the page holds no data, and its policy lets nothing in from outside.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

const folder = join(__dirname, 'page')

const types: Readonly<Record<string, string>> = {
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface ConsoleFile {
  readonly type: string
  readonly text: string
}

interface Files {
  readonly page: string
  /** Of all files together. */
  readonly version: string
  /** By path from the folder, with slashes. */
  readonly files: ReadonlyMap<string, ConsoleFile>
}

let read: Files | undefined

/** Read once, when somebody first asks. */
export function consoleFiles(): Files {
  read ??= readFiles()
  return read
}

function readFiles(): Files {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => extname(name) in types)
    .toSorted()
  const files = new Map(
    names.map((name) => [name, { type: types[extname(name)] ?? '', text: readFileSync(join(folder, name), 'utf8') }]),
  )
  const template = readFileSync(join(folder, 'index.html'), 'utf8')
  const digest = createHash('sha256').update(template)
  for (const [name, { text }] of files) digest.update(`${name}\0${text}\0`)
  const version = digest.digest('hex').slice(0, 12)
  // All modules are asked for at once, instead of one level of imports after the other.
  const preloads = names
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => `<link rel="modulepreload" href="{{files}}/${name}" />`)
  const page = template.replace('{{preloads}}', preloads.join('\n    ')).replaceAll('{{files}}', `console/${version}`)
  return { page, version, files }
}

/** For the page: scripts, styles, pictures and answers of its own origin only; no markup from text; in nobody's frame. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')
