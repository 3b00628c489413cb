// What app settings say in place of host.json.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { readHostJson } from '../../embedded/functions/app-files.js'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'app-files-'))
  const extensions = { http: { routePrefix: 'v1' }, durableTask: { hubName: 'Hub' } }
  writeFileSync(join(folder, 'host.json'), JSON.stringify({ version: '2.0', functionTimeout: '00:05:00', extensions }))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => vi.unstubAllEnvs())

describe('host.json', () => {
  it('is what it says', () => {
    expect(readHostJson(folder)).toMatchObject({
      functionTimeout: 300_000,
      extensions: { http: { routePrefix: 'v1' } },
    })
  })

  it('gives way to settings that name a member, whatever their case', () => {
    vi.stubEnv('AzureFunctionsJobHost__functionTimeout', '00:01:00')
    vi.stubEnv('AZUREFUNCTIONSJOBHOST__EXTENSIONS__HTTP__ROUTEPREFIX', 'v2')
    vi.stubEnv('AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls', '7')
    vi.stubEnv('AzureFunctionsJobHost__extensions__durableTask__extendedSessionsEnabled', 'True')

    expect(readHostJson(folder)).toMatchObject({
      functionTimeout: 60_000,
      extensions: {
        http: { routePrefix: 'v2' },
        serviceBus: { maxConcurrentCalls: 7 },
        durableTask: { hubName: 'Hub', extendedSessionsEnabled: true },
      },
    })
  })

  it('says where a setting is wrong', () => {
    vi.stubEnv('AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentCalls', 'many')

    expect(() => readHostJson(folder)).toThrow('extensions.serviceBus.maxConcurrentCalls')
  })
})
