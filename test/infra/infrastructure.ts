// The folder infra/ and what belongs to it, read as text: the checks work on the text, so that a test can put a fault into it.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BicepFile, parseBicep } from './bicep.js'

/** Text by path, from the repository's root. */
export type Texts = Readonly<Record<string, string>>

export interface Infrastructure {
  readonly texts: Texts
  readonly bicep: readonly BicepFile[]
}

/** @returns one line for each thing that is wrong: where, and what */
export type Check = (infrastructure: Infrastructure) => string[]

const others = ['host.json', 'azure.yaml', 'local.settings.example.json', 'docs/runbook.md']

export function readTexts(): Texts {
  const files = readdirSync('infra', { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(bicep|json)$/.test(path))
    .map((path) => join('infra', path))
  return Object.fromEntries([...files, ...others].map((path) => [path, readFileSync(path, 'utf8')]))
}

export async function infrastructureOf(texts: Texts): Promise<Infrastructure> {
  const paths = Object.keys(texts).filter((path) => path.endsWith('.bicep'))
  const bicep = await Promise.all(paths.map((path) => parseBicep(path.slice('infra/'.length), texts[path] ?? '')))
  return { texts, bicep }
}

export function textOf({ texts }: Infrastructure, path: string): string {
  const text = texts[path]
  if (text === undefined) throw new Error(`${path} is missing`)
  return text
}
