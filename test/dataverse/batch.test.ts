// Writes that wait for their turn go to Dataverse in batches: over real HTTP, to the sandbox.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { dataverse as partner } from '../../src/app/partners/dataverse.js'
import { odataBatch } from '../../src/dataverse/batch.js'
import { writeRow } from '../../src/dataverse/web-api.js'
import { Gateway } from '../../src/partner/gateway.js'
import { dataverse } from '../../sandbox/dataverse.js'
import { LaterAnswers } from '../../sandbox/later.js'
import { Ledger } from '../../sandbox/ledger.js'
import { type PartnerServer, startPartner } from '../../sandbox/partner-server.js'

const rows = Array.from({ length: 100 }, () => randomUUID())
let folder: string
let ledger: Ledger
let server: PartnerServer
let gateway: Gateway
/** Method and path of each HTTP request that came, and what stood in a batch with its keys. */
let came: { readonly what: string; readonly key: string | undefined }[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batch-'))
  ledger = new Ledger(folder, 'dataverse', { last: 0 })
  for (const subject of rows) ledger.add({ effect: 'create', subject, table: 'account', key: null, detail: {} })
  came = []
  const behave = dataverse(ledger)
  const answer: typeof behave = (asked) => {
    came.push({ what: `${asked.method} ${asked.url.search}`, key: asked.headers['idempotency-key'] })
    return behave(asked)
  }
  server = await startPartner({ port: 0, ledger, answer, later: new LaterAnswers(undefined) })
  gateway = new Gateway({ ...partner, limits: { concurrency: 2 } }, server.url, async () => '')
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const fault = (faults: readonly object[]) =>
  fetch(`${server.url}/_faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  })

const acknowledge = (rowId: string) =>
  gateway.ask(writeRow('accounts', rowId, { dvs_erpid: `é"\r\n--${rowId}` }), { 'idempotency-key': rowId })

const statusOf = async (rowId: string) => {
  const reply = await acknowledge(rowId)
  return 'status' in reply ? reply.status : reply
}

describe('a hundred acknowledgements, two requests at a time', () => {
  it('are each written once, under their own keys and with our mark', async () => {
    // One that is slow: what comes meanwhile waits.
    await fault([{ when: { method: 'PATCH' }, times: 2, do: { delayMs: 50 } }])

    const statuses = await Promise.all(rows.map(statusOf))

    expect([...new Set(statuses)]).toEqual([204])
    const written = ledger.entries.filter(({ effect }) => effect === 'update')
    expect(written.map(({ subject, key, detail }) => [subject, key, detail['dvs_erpid']])).toEqual(
      expect.arrayContaining(rows.map((rowId) => [rowId, rowId, `é"\r\n--${rowId}`])),
    )
    expect(written).toHaveLength(rows.length)
    expect([...new Set(came.map(({ what }) => what))]).toEqual(['PATCH ?tag=dataverse-saga'])
  })

  it('need far fewer requests than that', async () => {
    const paths: string[] = []
    const counting = new Gateway(
      {
        ...partner,
        limits: { concurrency: 2 },
        batch: {
          ...odataBatch,
          join: (all) => {
            paths.push(String(all.length))
            return odataBatch.join(all)
          },
        },
      },
      server.url,
      async () => '',
    )

    await Promise.all(rows.map((rowId) => counting.ask(writeRow('accounts', rowId, { name: 'x' }), {})))

    expect(paths).toEqual(['20', '20', '20', '20', '18'])
  })

  it('have each their own answer: one that is gone is refused, one that is limited comes back later, the others are done', async () => {
    const [gone = '', limited = ''] = [rows[50], rows[60]]
    ledger.add({ effect: 'delete', subject: gone, key: null, detail: {} })
    await fault([{ when: { contains: limited }, do: { status: 429, retryAfter: 3, code: '0x80072322' } }])

    const replies = await Promise.all(rows.map(acknowledge))

    expect(replies[50]).toMatchObject({ status: 404, body: { error: { code: '0x80040217' } } })
    expect(replies[60]).toMatchObject({ status: 429, retryAfterMs: 3_000 })
    expect(replies.filter((reply) => 'status' in reply && reply.status === 204).length).toBeGreaterThan(50)
    // Those that came after the limit was told are parked, not asked.
    const others = replies.filter((reply) => !('status' in reply))
    for (const reply of others) expect(reply).toHaveProperty('parked')
  })

  it('are written with their paths as they go out alone', () => {
    const path = "/api/data/v9.2/accounts(accountnumber='A 1 ü')"

    const { text } = odataBatch.join([{ method: 'PATCH', path, body: {} }])

    expect(text).toContain(`PATCH ${new URL(path, server.url).pathname} HTTP/1.1`)
  })

  it('do not go with a request that brings its own text', () => {
    const request = writeRow('accounts', rows[0] ?? '', {})

    expect(odataBatch.fits(request)).toBe(true)
    expect(odataBatch.fits({ method: request.method, path: request.path, text: '{"name":"x"}' })).toBe(false)
  })

  it('are done although one stands among them that can not be written down', async () => {
    const before = rows.slice(0, 5).map(statusOf)
    const unwritable = gateway.ask(writeRow('accounts', rows[5] ?? '', { name: 10n }), {})
    const after = rows.slice(6, 10).map(statusOf)

    expect(await unwritable).toMatchObject({ sent: false })
    expect([...new Set(await Promise.all([...before, ...after]))]).toEqual([204])
  })

  it('are read from the answer as the Web API writes it', () => {
    const part = ['Content-Type: application/http', 'Content-Transfer-Encoding: binary', '']
    const answer = [
      '--batchresponse_2f1d',
      ...part,
      'HTTP/1.1 204 No Content',
      'OData-Version: 4.0',
      '',
      '',
      '--batchresponse_2f1d',
      ...part,
      'HTTP/1.1 412 Precondition Failed',
      'REQ_ID: 5c1e',
      'Retry-After: 7',
      'Content-Type: application/json; odata.metadata=minimal',
      '',
      '{"error":{"code":"0x80060882",',
      '"message":"changed"}}',
      '--batchresponse_2f1d--',
      '',
    ]

    for (const end of ['\r\n', '\n'])
      expect(odataBatch.split(answer.join(end))).toEqual([
        { status: 204, body: undefined },
        { status: 412, body: { error: { code: '0x80060882', message: 'changed' } }, retryAfter: '7' },
      ])
    for (const text of [undefined, '', '<html>', '--x\r\nno http\r\n--x--'])
      expect(() => odataBatch.split(text)).toThrow('$batch')
  })

  it('are in doubt together when the answer is lost, and unharmed when the batch as such is refused', async () => {
    await fault([{ when: { path: '/api/data/v9.2/$batch' }, times: 1, do: { drop: 'after' } }])
    const lost = (await Promise.all(rows.slice(0, 22).map(acknowledge))).filter((reply) => 'failed' in reply)
    expect(lost).toHaveLength(20)
    expect(lost[0]).toMatchObject({ sent: true })

    await fault([{ when: { path: '/api/data/v9.2/$batch' }, times: 9, do: { status: 413 } }])
    expect([...new Set(await Promise.all(rows.slice(22).map(statusOf)))]).toEqual([204])
  })

  it('are all done, and of all or none the answer is lost, where a part of all answers is', async () => {
    let draws = 0
    vi.spyOn(Math, 'random').mockImplementation(() => (draws++ % 2 === 0 ? 0.9 : 0.1))
    await fault([{ when: { method: 'PATCH' }, share: 0.2, do: { drop: 'after' } }])
    const replies = await Promise.all(rows.map(acknowledge))
    vi.restoreAllMocks()

    const lost = replies.filter((reply) => 'failed' in reply).length
    expect(lost).toBeGreaterThanOrEqual(20)
    expect(rows.length - lost).toBeGreaterThanOrEqual(20)
    expect(new Set(came.map(({ key }) => key).filter(Boolean)).size).toBe(rows.length)
  })
})
