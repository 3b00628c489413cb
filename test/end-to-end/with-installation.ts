// For a test file that wants `npm start` to itself: a process of its own before the tests, gone with its data after them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Installation } from '../../local/installation.js'
import { type Started, startInstallation } from '../../local/processes.js'

/** @param take is handed the doors of it and the folder of its data, before the first test */
export function withInstallation(
  environment: Readonly<Record<string, string>>,
  take: (installation: Installation, data: string) => void,
): void {
  let data: string
  let started: Started

  beforeAll(async () => {
    data = mkdtempSync(join(tmpdir(), 'installation-'))
    started = await startInstallation(data, environment)
    take(started.installation, data)
  })
  afterAll(async () => {
    await started.stop()
    rmSync(data, { recursive: true, force: true })
  })
}
