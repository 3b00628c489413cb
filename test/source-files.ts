// The repository's own TypeScript, for tests that hold it against the documents.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SourceFile {
  /** From the repository's root, with slashes. */
  readonly path: string
  readonly text: string
}

/** All `.ts` and `.mts` files of the given folders; a folder that does not exist has none. */
export function sourceFiles(...folders: string[]): SourceFile[] {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)))
    .filter((path) => /\.m?ts$/.test(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }))
}
