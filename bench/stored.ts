// What a saga costs when many are stored, and what of the disk comes back when they are gone.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillInstances } from './fill.js'
import type { Figures } from './figures.js'
import { cpuOf, diskOf, mega, peakOf } from './process.js'
import { inLanes, type Partner, rowIds, startApp } from './whole-way.js'

const sagas = 1_000

/** CPU and memory with 1,000 and with 1,000,000 stored sagas, and the disk before and after these are purged. */
export async function growth(partner: Partner): Promise<Record<string, Figures>> {
  await partner.delay(0)
  const few = await withStored(1_000, partner)
  const many = await withStored(1_000_000, partner)
  for (const [stored, figures] of [
    ['1,000', few],
    ['1,000,000', many],
  ] as const)
    console.log(
      `${stored} stored: ${figures['app CPU s/1000']?.toFixed(1)} s of the app's CPU for 1,000 sagas, at most ${figures['memory MB']} MB of memory; ` +
        `${figures['disk MB']} MB on disk, ${figures['disk MB after purge']} MB when they are purged and it has started again`,
    )
  return { few, many }
}

async function withStored(stored: number, partner: Partner): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-stored-'))
  await fillInstances(folder, stored)
  const app = await startApp(folder, partner)
  await inLanes(rowIds(300, false), app.run, 64)
  const before = cpuOf(app.pid)
  await inLanes(rowIds(sagas, false), app.run, 64)
  const cpu = (cpuOf(app.pid) - before) / sagas
  const disk = mega(diskOf(folder))
  await fetch(`${app.url}/runtime/webhooks/durabletask/instances?createdTimeFrom=2020-01-01T00:00:00Z`, {
    method: 'DELETE',
  })
  const memory = mega(peakOf(app.pid))
  await app.stop()
  const again = await startApp(folder, partner)
  const after = mega(diskOf(folder))
  await again.stop()
  rmSync(folder, { recursive: true, force: true })
  return { 'app CPU s/1000': cpu, 'memory MB': memory, 'disk MB': disk, 'disk MB after purge': after }
}
