// Where orchestrations are kept is written into host.json before anything is provisioned.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'backend-'))
  copyFileSync('host.json', join(folder, 'host.json'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const choose = (backend: string) =>
  execFileSync(process.execPath, [resolve('infra/durable-backend.mjs')], {
    cwd: folder,
    encoding: 'utf8',
    stdio: 'pipe',
    env: { ...process.env, DURABLE_BACKEND: backend },
  })
const hostJson = () => readFileSync(join(folder, 'host.json'), 'utf8')

describe('DURABLE_BACKEND', () => {
  it('leaves host.json as it is when it says the same', () => {
    expect(choose('')).toBe('')
    expect(choose('azureManaged')).toBe('')
    expect(hostJson()).toBe(readFileSync('host.json', 'utf8'))
  })

  it('changes the backend and nothing else, and back', () => {
    const { extensions, ...others } = JSON.parse(hostJson())

    expect(choose('azureStorage')).toContain('Commit it.')
    const changed = JSON.parse(hostJson())
    expect(changed).toMatchObject(others)
    expect(changed.extensions.durableTask).toEqual({
      ...extensions.durableTask,
      storageProvider: { type: 'AzureStorage', maxQueuePollingInterval: '00:00:10' },
    })

    choose('azureManaged')
    expect(hostJson()).toBe(readFileSync('host.json', 'utf8'))
  })

  it('of another name stops, and names those that there are', () => {
    expect(() => choose('netherite')).toThrow(/must be one of azureManaged, azureStorage/)
  })
})
