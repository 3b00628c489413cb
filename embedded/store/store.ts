// Durable ordered tables, on lmdb. It knows neither messages nor histories.
//
// Promises
//   S1  A commit is atomic over all tables, and on disk (fdatasync) before its promise resolves.
//   S2  Commits end in the order in which they were called; those called while one is being written share the next sync. Who commits soon ends with the
//       commit that comes next.
//   S3  A process killed at any moment leaves a store that opens: copy-on-write pages, so there is no torn tail to repair.
// Never: shows an uncommitted change to a reader. Whoever must see its own change at once keeps it in memory.

import { type Database, open, type RootDatabase } from 'lmdb'

/** Compared element by element: numbers before strings, numbers by value, strings by code unit. */
export type Key = readonly (string | number)[]

export interface Range {
  /** Only keys that begin with these elements. */
  readonly prefix?: Key
  /** Only keys at or after this one. */
  readonly from?: Key
  /** Only keys before this one. */
  readonly before?: Key
  /** From the last to the first. */
  readonly backwards?: boolean
  readonly limit?: number
}

export interface Entry<Value> {
  readonly key: Key
  readonly value: Value
}

/** One ordered map. Values are plain data: null, boolean, number, bigint, string, Buffer, Date, arrays and objects of these. */
export interface Table<Value> {
  readonly name: string
  get(key: Key): Value | undefined
  entries(range?: Range): Iterable<Entry<Value>>
}

/** Collects the changes of one commit; the last change of a key wins. */
export interface Changes {
  put<Value>(table: Table<Value>, key: Key, value: Value): void
  remove(table: Table<unknown>, key: Key): void
}

export interface Store {
  /** Opens or creates a table. What stands in it was written by this program or an older version of it: `Value` is the caller's promise. */
  table<Value>(name: string): Table<Value>
  /** Writes all changes or none; resolves when they are on disk. */
  commit(write: (changes: Changes) => void): Promise<void>
  /** The same for what nobody stands in line for: it goes along with the next commit, or by itself if none comes within a moment. */
  commitSoon(write: (changes: Changes) => void): Promise<void>
  /** Waits for the commits under way, then closes the files. */
  close(): Promise<void>
}

/** Milliseconds. */
const aMoment = 2

/**
 * Objects are written as maps. As records they would begin with a list of their members' names, which saves something only where many alike stand in one
 * value; building it takes longer than writing the map.
 */
const asMaps = { encoder: { useRecords: false } }

interface Change {
  readonly database: Database<unknown, (string | number)[]>
  readonly key: Key
  /** Absent when the key is removed. */
  readonly value?: unknown
}

/** Bytes of a key: lmdb takes 1,978, and writes numbers, separators and escapes besides the texts. */
const longestKey = 1_900

const fits = (key: Key) =>
  key.reduce<number>((sum, one) => sum + (typeof one === 'string' ? Buffer.byteLength(one) + 2 : 9), 0) <= longestKey

/** Within a commit, whose promise tells of it. */
function make(change: Change): void {
  if ('value' in change) void change.database.put([...change.key], change.value)
  else void change.database.remove([...change.key])
}

/** Changes that can wait, and who waits for them. */
interface Ride {
  readonly changes: Change[]
  readonly passengers: ((writing: Promise<unknown>) => void)[]
  /** For when no other commit comes. */
  readonly alarm: NodeJS.Timeout
}

/** @param options `isDurable: false` does not wait for the disk: what the operating system has then outlives the process, but not a power cut. */
export function openStore(folder: string, { isDurable = true } = {}): Store {
  const root: RootDatabase = open({ path: folder, overlappingSync: false, maxDbs: 64, noSync: !isDurable })
  const databases = new Map<string, Database<unknown, (string | number)[]>>()

  function databaseOf({ name }: Table<unknown>): Database<unknown, (string | number)[]> {
    const database = databases.get(name)
    if (!database) throw new Error(`Table '${name}' belongs to another store.`)
    return database
  }

  /** Those that go along with the next commit. */
  let waiting: Ride | undefined

  function collect(write: (changes: Changes) => void): readonly Change[] {
    const collected: Change[] = []
    write({
      put(table, key, value) {
        // lmdb would notice in the middle of the commit, and write what stands before it.
        if (!fits(key)) throw new Error(`A key of table '${table.name}' is too long.`)
        collected.push({ database: databaseOf(table), key, value })
      },
      remove: (table, key) => void collected.push({ database: databaseOf(table), key }),
    })
    return collected
  }

  async function commit(write: (changes: Changes) => void): Promise<void> {
    const changes = collect(write)
    const ride = waiting
    waiting = undefined
    const writing = root.batch(() => {
      for (const change of ride?.changes ?? []) make(change)
      for (const change of changes) make(change)
    })
    clearTimeout(ride?.alarm)
    for (const take of ride?.passengers ?? []) take(writing)
    await writing
  }

  // A failure is told to the passengers.
  const leave = () => void commit(() => undefined).catch(() => undefined)
  const newRide = (): Ride => ({ changes: [], passengers: [], alarm: setTimeout(leave, aMoment) })

  return {
    table<Value>(name: string): Table<Value> {
      const database = root.openDB<Value, (string | number)[]>({ name, ...asMaps })
      databases.set(name, database)
      return {
        name,
        get: (key) => database.get([...key]),
        // lmdb-js orders strings by their bytes, and no key element of ours begins with this one.
        *entries({ prefix = [], from = prefix, before = [...prefix, '\uffff'], backwards = false, limit } = {}) {
          const range = database.getRange({
            start: backwards ? [...before] : [...from],
            end: backwards ? [...from] : [...before],
            reverse: backwards,
            exclusiveStart: backwards,
            inclusiveEnd: backwards,
            ...(limit === undefined ? {} : { limit }),
          })
          // A key of one element comes back as that element.
          for (const { key, value } of range) yield { key: Array.isArray(key) ? key : [key], value }
        },
      }
    },

    commit,

    async commitSoon(write) {
      const changes = collect(write)
      waiting ??= newRide()
      const { changes: all, passengers } = waiting
      all.push(...changes)
      await new Promise((resolve) => passengers.push(resolve))
    },

    async close() {
      if (waiting) await commit(() => undefined)
      await root.close()
    },
  }
}
