// npm start with secrets in its vault that are rotated while sagas run. Nothing is lost by that, and nobody finds a secret afterwards.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { disagreements } from '../../local/compare-ledgers.js'
import { hasEnded, type Installation, type Saga, until } from '../../local/installation.js'
import { type Started, startInstallation } from '../../local/processes.js'
import type { NewContact } from '../../sandbox/dataverse-message.js'

const canary = (name: string) => `canary-${name}-${randomUUID()}`
const keys = ['first', 'second', 'third'].map(canary)
const callbackSecret = canary('callback')

let folder: string
let started: Started
let installation: Installation
let since: string

/** As anybody does who rotates a secret. */
const rotate = (name: string, value = '') =>
  fetch(`${installation.at.vault}/secrets/${name}?api-version=2025-07-01`, {
    method: 'PUT',
    headers: { authorization: 'Bearer any', 'content-type': 'application/json' },
    body: JSON.stringify({ value }),
  })

const ledger = z.object({
  entries: z.array(z.object({ subject: z.string(), detail: z.object({ version: z.string() }) })),
})
/** Which versions of the ERP's key the vault has told, in order. */
async function versionsTold(): Promise<string[]> {
  const { entries } = ledger.parse(await (await fetch(`${installation.at.vault}/_ledger`)).json())
  return entries.filter(({ subject }) => subject === 'erp-api-key').map(({ detail }) => detail.version)
}

const customers = async () =>
  (await installation.ledgers()).erp.filter(({ effect }) => effect === 'create-customer').length

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
  const environment = { CALLBACK_SECRET: 'vault:callback-secret', LOG_LEVEL: 'debug', LOG_FILE: join(folder, 'log') }
  started = await startInstallation(join(folder, 'data'), environment, 'test/secrets/logged-start.cjs')
  installation = started.installation
  since = new Date().toISOString()
  await rotate('erp-api-key', keys[0])
  await rotate('callback-secret', callbackSecret)
})
afterAll(async () => {
  await started.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function send(some: readonly NewContact[]): Promise<void> {
  await Promise.all(some.map(async (contact) => installation.send(await installation.createContact(contact))))
}

const endOf = (count: number): Promise<Saga[]> =>
  until('all sagas have ended', async () => {
    const all = await installation.sagas(since)
    return all.length === count && all.every(hasEnded) && all
  })

/** Of an account whose name says which fault its call to the ERP meets. */
async function sagaOfAccount(name: string, fault: object): Promise<Saga> {
  const rowId = randomUUID()
  await installation.addFaults('erp', [{ when: { contains: name }, times: 1, do: fault }])
  await installation.send(await installation.createAccount(rowId, { name }))
  return until('the saga has ended', async () =>
    (await installation.sagas(since)).find((saga) => saga.rowId === rowId && hasEnded(saga)),
  )
}

describe('keys that are rotated while sagas run', () => {
  const contacts = Array.from({ length: 48 }, (_, index) => ({
    rowId: randomUUID(),
    firstName: 'Ada',
    lastName: `Berg ${index}`,
    email: index % 4 === 0 ? undefined : 'ada@example.org',
  }))
  let ended: Saga[]

  it('lose none of them', async () => {
    await send(contacts.slice(0, 16))
    await until('the first key is in use', async () => (await customers()) >= 3, { everyMs: 5 })
    await rotate('erp-api-key', keys[1])
    await send(contacts.slice(16, 32))
    await endOf(32)
    // The other way round: the ERP takes the old one no more, and nobody has told the vault yet.
    await installation.addFaults('erp', [{ times: 12, do: { status: 401, code: 'KEY_EXPIRED' } }])
    await send(contacts.slice(32))
    await until('the ERP has refused', async () => (await versionsTold()).length >= 3, { everyMs: 5 })
    await rotate('erp-api-key', keys[2])
    ended = await endOf(contacts.length)

    const rows = contacts.map(({ rowId }) => rowId)
    expect(disagreements(rows, ended, await installation.ledgers())).toEqual([])
    expect(ended.filter(({ phase }) => phase === 'compensated')).toHaveLength(contacts.length / 4)
    expect(new Set(await versionsTold()).size).toBe(3)
  })

  it('cost no attempt of those whose key the vault had already', () => {
    const ofTwoKeys = ended.filter(({ rowId }) => contacts.slice(0, 32).some((contact) => contact.rowId === rowId))

    expect(ofTwoKeys.flatMap(({ steps }) => steps.map(({ attempts }) => attempts)).filter((one) => one > 1)).toEqual([])
  })
})

describe('a secret of the vault', () => {
  const text = async (path: string) => (await fetch(`${installation.at.app}/api${path}`)).text()

  it('signs what partners answer to, and knows it again after a rotation', async () => {
    const answered = sagaOfAccount('answered later', { later: 2_000 })
    await until('the ERP has taken the call', async () =>
      (await installation.ledgers()).erp.some(({ effect }) => effect === 'sync-account'),
    )
    await rotate('callback-secret', canary('callback'))
    // A token that nobody has signed is held against all versions: from then on the app signs with the newest.
    await fetch(`${installation.at.app}/api/callbacks/unknown.unknown`, { method: 'POST' })

    expect((await answered).phase).toBe('completed')
  })

  it('that the vault does not tell any more holds its sagas up, and they say why', async () => {
    const faults = [{ when: { path: '/secrets/erp-api-key' }, times: 2, do: { status: 403, code: 'Forbidden' } }]
    await fetch(`${installation.at.vault}/_faults`, { method: 'POST', body: JSON.stringify(faults) })

    const { id, phase } = await sagaOfAccount('refused', { status: 401 })

    expect(phase).toBe('completed')
    expect(await text(`/sagas/${id}/history`)).toMatch(/The vault does not tell secret .*: Forbidden\./)
  })

  it('is found nowhere: in no file, log, status or history', async () => {
    const sagas = await installation.sagas(since)
    const told = await Promise.all(
      sagas.flatMap(({ id }) => [text(`/sagas/${id}`), text(`/sagas/${id}/history?reveal=secrets`)]),
    )
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => ({ name: entry.name, bytes: readFileSync(join(entry.parentPath, entry.name)) }))
    const everything = [...files, { name: 'status and history', bytes: Buffer.from(told.join('\n')) }]
    const found = everything.flatMap(({ name, bytes }) =>
      [...keys, callbackSecret]
        .flatMap(disguises)
        .flatMap((secret) => (bytes.includes(secret) ? [`${secret} in ${name}`] : [])),
    )

    expect(found).toEqual([])
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['log', 'erp.jsonl', 'data.mdb']))
    expect(told.join('')).toContain('ada@example.org')
    // What is looked for would be found: what is no secret is.
    expect(everything.filter(({ bytes }) => bytes.includes(contactOf(sagas))).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['log', 'data.mdb', 'status and history']),
    )
  })

  const contactOf = ([saga]: readonly Saga[]) => saga?.rowId ?? 'none'
  const disguises = (secret: string) => [secret, Buffer.from(secret).toString('base64')]
})
