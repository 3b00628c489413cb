// What was told and not sent yet, on disk: a killed process leaves it behind, and the next one sends it.
//
// Promises: what `append` was given is in a file when it returns, so that SIGKILL does not lose it (a power failure may). It is given out by `take`, again and
// again until its batch is `done`. Never throws: a full disk costs telemetry, not sagas.

import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface Batch<Entry> {
  readonly entries: readonly Entry[]
  /** It was sent, or is given up. */
  done(): void
}

interface Open<Entry> {
  readonly path: string
  readonly file: number | undefined
  readonly entries: Entry[]
}

export class Journal<Entry> {
  readonly #folder: string
  readonly #read: (value: unknown) => Entry | undefined
  #open: Open<Entry> | undefined

  /** @param read tells what a line of an earlier process holds; undefined for one that nobody understands any more */
  constructor(folder: string, read: (value: unknown) => Entry | undefined) {
    this.#folder = folder
    this.#read = read
  }

  /** Entries that no batch has yet. */
  get size(): number {
    return this.#open?.entries.length ?? 0
  }

  append(entry: Entry): void {
    this.#open ??= this.#begin()
    this.#open.entries.push(entry)
    const { file } = this.#open
    if (file === undefined) return
    quietly(() => writeSync(file, `${JSON.stringify(entry)}\n`))
  }

  /** All since the last time; undefined if there is nothing. */
  take(): Batch<Entry> | undefined {
    const open = this.#open
    if (!open) return undefined
    this.#open = undefined
    const { file } = open
    if (file !== undefined) quietly(() => closeSync(file))
    return { entries: open.entries, done: () => quietly(() => rmSync(open.path, { force: true })) }
  }

  /** What processes that have ended left behind. */
  leftBehind(): readonly Batch<Entry>[] {
    const names = quietly(() => readdirSync(this.#folder)) ?? []
    return names.filter(isLeftBehind).map((name) => {
      const path = join(this.#folder, name)
      const lines = (quietly(() => readFileSync(path, 'utf8')) ?? '').split('\n')
      const entries = lines.flatMap((line) => {
        const entry = this.#read(parsed(line))
        return entry === undefined ? [] : [entry]
      })
      return { entries, done: () => quietly(() => rmSync(path, { force: true })) }
    })
  }

  #begin(): Open<Entry> {
    const path = join(this.#folder, `${process.pid}-${randomUUID()}.jsonl`)
    const file = quietly(() => {
      mkdirSync(this.#folder, { recursive: true })
      return openSync(path, 'a')
    })
    return { path, file, entries: [] }
  }
}

/** Before this process has written any, one under its own id is of an earlier one. */
function isLeftBehind(name: string): boolean {
  const pid = Number(/^(\d+)-[\w-]+\.jsonl$/.exec(name)?.[1] ?? Number.NaN)
  return pid === process.pid || (!Number.isNaN(pid) && !isAlive(pid))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The last line of a killed process may be torn. */
function parsed(line: string): unknown {
  return quietly(() => JSON.parse(line))
}

function quietly<Result>(work: () => Result): Result | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
