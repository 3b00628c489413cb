// How much the kit finds: a hundred machines and some thirty definitions, each broken in one place on purpose. `npm run mutants` prints them.

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import PQueue from 'p-queue'
import { beforeAll, describe, expect, it } from 'vitest'
import { anEvent } from '../../testkit/event.js'
import { explore } from '../../testkit/explore.js'
import { definitionMutants } from './definition-mutants.js'
import { machineMutants, type MachineMutant } from './machine-mutants.js'

const folder = resolve('dist/mutants')
/** Needs what a test may not use, or nothing of the machine. */
const notOfTheHunt = new Set(['durable.ts', 'durable-functions-executor.d.ts', 'index.ts', 'replay.ts', 'vitest.ts'])

/** One tree for each mutant, and one without any, compiled in one go. */
function compile(): void {
  rmSync(folder, { recursive: true, force: true })
  writeTree('as-it-is', undefined)
  machineMutants.forEach((mutant, index) => writeTree(String(index), mutant))
  const options = { rootDir: 'ts', outDir: 'js', sourceMap: false }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: resolve('tsconfig.json'), compilerOptions: options, include: ['ts'], exclude: [] }),
  )
  const compiler = resolve('node_modules/.bin/tsc')
  const { status, stdout } = spawnSync(compiler, ['--project', folder, '--noCheck'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stdout)
}

function writeTree(name: string, mutant: MachineMutant | undefined): void {
  const root = join(folder, 'ts', name)
  cpSync('src/saga', join(root, 'src/saga'), { recursive: true })
  for (const file of readdirSync('testkit').filter((one) => !notOfTheHunt.has(one)))
    cpSync(join('testkit', file), join(root, 'testkit', file))
  mkdirSync(join(root, 'test/mutants'), { recursive: true })
  cpSync('test/mutants/hunt.ts', join(root, 'test/mutants/hunt.ts'))
  cpSync('test/saga/three-steps.ts', join(root, 'test/saga/three-steps.ts'))
  if (!mutant) return
  const path = join(root, 'src/saga', mutant.file)
  const source = readFileSync(path, 'utf8')
  if (source.split(mutant.find).length !== 2)
    throw new Error(`'${mutant.what}': its line is not once in ${mutant.file}: ${mutant.find}`)
  writeFileSync(
    path,
    source.replace(mutant.find, () => mutant.replace),
  )
}

/** The promise that it breaks, in a line; undefined if none was found. @param mostTime milliseconds after which it is taken to hang */
async function hunt(name: string, mostTime: number): Promise<string | undefined> {
  const worker = new Worker(join(folder, 'js', name, 'test/mutants/hunt.js'))
  const limit = AbortSignal.timeout(mostTime)
  const found = await new Promise<unknown>((tell, fail) => {
    worker.once('message', tell).once('error', fail)
    limit.addEventListener('abort', () => tell('It does not end.'))
  }).finally(() => worker.terminate())
  return typeof found === 'string' ? found : undefined
}

function huntDefinition({ saga, answers }: (typeof definitionMutants)[number]): string | undefined {
  try {
    explore(saga(), anEvent(), { answers, depth: 2 })
    return undefined
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n')[0]
  }
}

describe('the kit', () => {
  const results: { readonly what: string; readonly found: string | undefined }[] = []
  let ofTheSound: string | undefined

  beforeAll(async () => {
    compile()
    const queue = new PQueue({ concurrency: 2 })
    const started = performance.now()
    ofTheSound = await hunt('as-it-is', 300_000)
    // Whoever is still searching when the sound one would have been through four times goes round in circles.
    const mostTime = Math.ceil(4 * (performance.now() - started))
    await queue.addAll(
      machineMutants.map(
        ({ what }, index) =>
          async () =>
            results.push({ what, found: await hunt(String(index), mostTime) }),
      ),
    )
    for (const mutant of definitionMutants) results.push({ what: mutant.what, found: huntDefinition(mutant) })
  }, 900_000)

  it('finds nothing in the machine as it is', () => {
    expect(ofTheSound).toBeUndefined()
  })

  it('finds what is broken', () => {
    const survivors = results.filter(({ found }) => found === undefined)

    const lines = results.map(
      ({ what, found }) =>
        `  ${found === undefined ? 'SURVIVED' : 'caught'}  ${what}${found === undefined ? '' : `: ${found}`}`,
    )
    process.stdout.write(
      `${lines.join('\n')}\nmutants: ${results.length - survivors.length}/${results.length} caught\n`,
    )
    expect(results.length).toBeGreaterThanOrEqual(100)
    expect(survivors.length / results.length).toBeLessThanOrEqual(0.02)
  })
})
