// npm run bench -- cold: what a new worker pays before its first function can run: the compiled app with its dependencies, and the same as one file.
//
// Files are in the system's cache, as on a worker that has unpacked them; the clients of Azure's services are loaded when they are first needed, not here.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { type Figures, table } from './figures.js'

const rounds = 15
const loaded = z.object({ functions: z.number(), figures: z.record(z.string(), z.number()) })

export async function benchCold(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cold-'))
  execFileSync(process.execPath, ['infra/bundle.mjs', folder], { stdio: 'inherit' })
  const files = { compiled: resolve('dist/src/main.js'), bundle: join(folder, 'main.js') }
  const all: Record<string, Figures[]> = {}
  const functions = new Set<number>()
  // By turns, so that whatever else the machine does meets both.
  for (let round = 0; round < rounds; round++)
    for (const [name, file] of Object.entries(files)) {
      const one = load(file)
      functions.add(one.functions)
      all[name] = [...(all[name] ?? []), one.figures]
    }
  console.log(`${[...functions].join(' and ')} functions, ${rounds} rounds; medians\n${table(all)}`)
  console.log(`the bundle has ${(statSync(files.bundle).size / 2 ** 20).toFixed(1)} MB`)
  rmSync(folder, { recursive: true, force: true })
}

/** Settings that let the app start; nobody is called. */
const settings = {
  ServiceBusConnection__fullyQualifiedNamespace: 'localhost',
  DATAVERSE_URL: 'https://localhost',
  MASTER_DATA_URL: 'https://localhost',
  ERP_URL: 'https://localhost',
}

function load(file: string): z.infer<typeof loaded> {
  const options = { env: { ...process.env, ...settings }, encoding: 'utf8' } as const
  return loaded.parse(JSON.parse(execFileSync(process.execPath, ['dist/bench/load.js', file], options)))
}
