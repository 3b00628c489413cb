// The sandbox's promises, on which every judgement of the end-to-end tests rests.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let data: string
let sandbox: ChildProcess
let at: { dataverse: string; masterData: string; erp: string }

async function start(): Promise<void> {
  const ports = ['--dataverse-port', '0', '--master-data-port', '0', '--erp-port', '0']
  sandbox = fork('dist/sandbox/main.js', ['--data', data, ...ports], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [addresses] = await once(sandbox, 'message')
  at = addresses
}
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'sandbox-'))
  await start()
})
afterEach(async () => {
  sandbox.kill('SIGKILL')
  await once(sandbox, 'exit')
  rmSync(data, { recursive: true, force: true })
})

const row = 'c0ffee00-0000-4000-8000-000000000001'

async function ask(method: string, url: string, body?: unknown, headers: Record<string, string> = {}) {
  const init = { method, headers: { 'content-type': 'application/json', ...headers } }
  const response = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

const register = (key: string, name = 'Ada') =>
  ask('POST', `${at.masterData}/records`, { rowId: row, name }, { 'idempotency-key': key })
const effects = async (url: string) =>
  (await ask('GET', `${url}/_ledger`)).body.entries.map(({ effect }: { effect: string }) => effect)

describe('a partner that honours keys', () => {
  it('gives the same answer to the same key, without a second effect', async () => {
    const first = await register('k1')
    const again = await register('k1')

    expect([first.status, first.body]).toEqual([201, { id: 'MD-000001' }])
    expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([201, first.body, 'true'])
    expect(await effects(at.masterData)).toEqual(['register'])
  })

  it('does it again under another key, so that doubling shows', async () => {
    await register('k1')
    await register('k2')

    expect(await effects(at.masterData)).toEqual(['register', 'register'])
  })

  it('refuses another request under a key that was used', async () => {
    await register('k1')

    expect((await register('k1', 'Grace')).status).toBe(409)
  })

  it('remembers all of that when it was killed', async () => {
    await register('k1')
    sandbox.kill('SIGKILL')
    await once(sandbox, 'exit')

    await start()

    expect((await register('k1')).headers.get('idempotent-replayed')).toBe('true')
    expect((await register('k2')).body).toEqual({ id: 'MD-000002' })
  })

  it('tells what was done under a key', async () => {
    await register('k1')

    expect((await ask('GET', `${at.masterData}/keys/k1`)).body).toEqual({ id: 'MD-000001' })
    expect((await ask('GET', `${at.masterData}/keys/k2`)).status).toBe(404)
  })
})

describe('the ERP', () => {
  it('refuses a contact without an e-mail address', async () => {
    const customer = { rowId: row, masterId: 'MD-1', name: 'Ada', email: null }

    expect(await ask('POST', `${at.erp}/customers`, customer, { 'idempotency-key': 'k' })).toMatchObject({
      status: 422,
      body: { error: { code: 'EMAIL_MISSING' } },
    })
    expect(await effects(at.erp)).toEqual([])
  })
})

describe('the Web API of Dataverse', () => {
  const contacts = () => `${at.dataverse}/api/data/v9.2/contacts`

  it('creates, reads, changes and deletes rows', async () => {
    const created = await ask('POST', contacts(), { contactid: row, firstname: 'Ada', lastname: 'Berg' })
    expect([created.status, created.headers.get('odata-entityid')]).toEqual([
      204,
      expect.stringContaining(`contacts(${row})`),
    ])

    await ask('PATCH', `${contacts()}(${row})`, { dvs_masterdataid: 'MD-1' }, { 'if-match': '*' })
    expect((await ask('GET', `${contacts()}(${row})?$select=fullname,dvs_masterdataid`)).body).toMatchObject({
      fullname: 'Ada Berg',
      dvs_masterdataid: 'MD-1',
    })

    expect((await ask('DELETE', `${contacts()}(${row})`)).status).toBe(204)
    expect(await ask('GET', `${contacts()}(${row})`)).toMatchObject({
      status: 404,
      body: { error: { code: '0x80040217' } },
    })
  })

  it('refuses to change a row that is gone or has another version, and columns that do not exist', async () => {
    const gone = await ask('PATCH', `${contacts()}(${row})`, { firstname: 'x' }, { 'if-match': '*' })
    await ask('POST', contacts(), { contactid: row, firstname: 'Ada' })
    const stale = await ask('PATCH', `${contacts()}(${row})`, { firstname: 'x' }, { 'if-match': 'W/"0"' })
    const unknown = await ask('PATCH', `${contacts()}(${row})`, { nope: 'x' })

    expect([gone.status, stale.status, unknown.status]).toEqual([404, 412, 400])
  })
})

describe('a fault', () => {
  const inject = (fault: object) => ask('PUT', `${at.masterData}/_faults`, [fault])

  it('meets as many requests as it says', async () => {
    await inject({ times: 1, do: { status: 503, retryAfter: 7 } })
    const [first, second] = [await register('k1'), await register('k1')]

    expect([first.status, first.headers.get('retry-after'), second.status]).toEqual([503, '7', 201])
    expect((await ask('GET', `${at.masterData}/_faults`)).body).toEqual([])
  })

  it('can cut the connection before or after the effect', async () => {
    await inject({ times: 1, do: { drop: 'before' } })
    await expect(register('k1')).rejects.toThrow('fetch failed')
    expect(await effects(at.masterData)).toEqual([])

    await inject({ times: 1, do: { drop: 'after' } })
    await expect(register('k1')).rejects.toThrow('fetch failed')
    expect(await effects(at.masterData)).toEqual(['register'])
  })

  it('can be for one path, or for requests that contain a text', async () => {
    await inject({ when: { method: 'POST', path: '/records', contains: row }, do: { status: 500 } })

    expect((await register('k1')).status).toBe(500)
    expect((await ask('GET', `${at.masterData}/records/MD-000001`)).status).toBe(404)
  })

  it('that can not be read is refused, by name', async () => {
    expect(await inject({ do: { explode: true } })).toMatchObject({ status: 400 })
  })
})
