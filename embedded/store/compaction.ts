// Gives back the disk that deleted data once took. The store's file only grows while it is open: free pages are used again, not returned.
//
// Promises: a process killed at any moment leaves either the old file or the new one, whole.

import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'

/** Bytes below which nobody minds. */
const worthIt = 64 * 2 ** 20
/** Compacted when less than this share of the file is in use. */
const leastShare = 1 / 3

/** To be called before the store is opened. Resolves with the bytes that were given back. */
export async function compactStore(folder: string, smallest = worthIt): Promise<number> {
  const file = join(folder, 'data.mdb')
  const workshop = join(folder, 'compacting')
  // Of a compaction that did not come to its end; the old file is still in its place.
  rmSync(workshop, { recursive: true, force: true })
  if (!existsSync(file) || statSync(file).size < smallest) return 0
  const before = statSync(file).size
  const root = open({ path: folder, overlappingSync: false, maxDbs: 64 })
  let inUse = 0
  for (const key of root.getKeys()) inUse += bytesIn(root.openDB({ name: String(key) }).getStats())
  if (inUse > before * leastShare) {
    await root.close()
    return 0
  }
  mkdirSync(workshop)
  await root.backup(workshop, true)
  await root.close()
  const compacted = join(workshop, 'data.mdb')
  const handle = openSync(compacted, 'r+')
  fdatasyncSync(handle)
  closeSync(handle)
  renameSync(compacted, file)
  rmSync(workshop, { recursive: true, force: true })
  return before - statSync(file).size
}

function bytesIn(stats: object): number {
  const pages = ['treeBranchPageCount', 'treeLeafPageCount', 'overflowPages'].map((name) =>
    Number(Reflect.get(stats, name)),
  )
  return pages.reduce((sum, count) => sum + count, 0) * Number(Reflect.get(stats, 'pageSize'))
}
