// Secrets that settings refer to, read by the real client from a vault that speaks its protocol.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { LaterAnswers } from '../../sandbox/later.js'
import { Ledger } from '../../sandbox/ledger.js'
import { type PartnerServer, startPartner } from '../../sandbox/partner-server.js'
import { Vault } from '../../sandbox/vault.js'
import { readSecret, readVersions } from '../../src/secrets.js'

const minute = 60_000
const vault = new Vault()
let folder: string
let ledger: Ledger
let server: PartnerServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vault-'))
  ledger = new Ledger(folder, 'vault', { last: 0 })
  server = await startPartner({ port: 0, ledger, answer: vault.answer(ledger), later: new LaterAnswers(undefined) })
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

let counter = 0
/** A name that no other test has used: what was read is kept for the life of the process. */
let name: string
const timesRead = () => ledger.entries.filter(({ subject }) => subject === name).length
const switchFault = (status: number) =>
  fetch(`${server.url}/_faults`, { method: 'PUT', body: JSON.stringify([{ do: { status } }]) })
const clearFaults = () => fetch(`${server.url}/_faults`, { method: 'DELETE' })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
  name = `secret-${++counter}`
  vault.set(name, 'first')
  vi.stubEnv('KEY_VAULT_URL', server.url)
  vi.stubEnv('KEY', `vault:${name}`)
})
afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  await clearFaults()
})
const later = (ms: number) => vi.setSystemTime(Date.now() + ms)

describe('a secret', () => {
  it('that the setting holds is itself', async () => {
    vi.stubEnv('KEY', 'itself')

    expect(await readSecret('KEY')).toBe('itself')
  })

  it('of the vault is fetched once for all who ask, and kept', async () => {
    const told = await Promise.all([readSecret('KEY'), readSecret('KEY'), readSecret('KEY')])
    later(9 * minute)

    expect([...told, await readSecret('KEY')]).toEqual(['first', 'first', 'first', 'first'])
    expect(timesRead()).toBe(1)
  })

  it('of the vault is fetched again after ten minutes', async () => {
    await readSecret('KEY')
    vault.set(name, 'second')
    later(9 * minute)
    expect(await readSecret('KEY')).toBe('first')
    later(minute)

    expect(await readSecret('KEY')).toBe('second')
  })

  it('that was refused is fetched again, once for all who were', async () => {
    await readSecret('KEY')
    vault.set(name, 'second')
    later(minute)
    const refusedAt = Date.now()

    const told = await Promise.all([1, 2, 3].map(() => readSecret('KEY', refusedAt)))
    const afterwards = await readSecret('KEY', refusedAt)

    expect([...told, afterwards]).toEqual(['second', 'second', 'second', 'second'])
    expect(timesRead()).toBe(2)
  })

  it('that is refused again and again does not trouble the vault more than once in a second', async () => {
    await readSecret('KEY')
    for (let refusal = 0; refusal < 100; refusal++) {
      later(100)
      await readSecret('KEY', Date.now())
    }

    expect(timesRead()).toBe(11)
  })

  it('is used on while the vault does not answer, which is asked again after a minute', {
    timeout: 20_000,
  }, async () => {
    await readSecret('KEY')
    vault.set(name, 'second')
    later(10 * minute)
    await switchFault(503)
    expect(await readSecret('KEY')).toBe('first')

    await clearFaults()
    expect(await readSecret('KEY')).toBe('first')
    later(minute)
    expect(await readSecret('KEY')).toBe('second')
  })

  it('that the vault does not give any more is not used on', async () => {
    await readSecret('KEY')
    later(10 * minute)
    await switchFault(403)

    await expect(readSecret('KEY')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
  })

  it('is known in all its versions, looked up once in a second', async () => {
    later(minute)
    vault.set(name, 'second')

    expect(await readVersions('KEY')).toEqual(['second', 'first'])
    vault.set(name, 'third')
    expect(await readVersions('KEY')).toEqual(['second', 'first'])
    later(1_000)
    expect((await readVersions('KEY'))[0]).toBe('third')
    vi.stubEnv('KEY', 'itself')
    expect(await readVersions('KEY')).toEqual(['itself'])
  })

  it('that is not there is an error that says so, and is there as soon as it is set', async () => {
    vi.stubEnv('KEY', `vault:other-${name}`)
    await expect(readSecret('KEY')).rejects.toThrow(
      `The vault does not tell secret 'other-${name}': SecretNotFound. Let the vault have it`,
    )

    vault.set(`other-${name}`, 'now')
    expect(await readSecret('KEY')).toBe('now')
  })
})
