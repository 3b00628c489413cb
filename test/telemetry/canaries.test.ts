// Names, addresses and secrets are planted wherever they could come from: none of them is in what telemetry sends, in logs, or in what waits to be sent.
// The same installation, that of `npm start` itself, hands its trace on to partners.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { hasEnded, Installation, type Saga, until } from '../../local/installation.js'
import { freePort } from '../../local/processes.js'
import type { Span } from '../../sandbox/application-insights.js'

const canaries = {
  firstName: 'Canaria',
  lastName: 'Zeisig-Fink',
  email: 'canaria.zeisig@vogel.example',
  callbackSecret: 'kanarienvogel-geheim-4711',
  partnersWords: 'Gelbspatz already has that address',
}

const [trace, sender] = ['1f'.repeat(16), '2e'.repeat(8)]
const sendersTrace = `00-${trace}-${sender}-01`

/** An ERP that takes the first, and refuses the second with words that quote what it was asked. */
const asked: { traceparent: string | undefined }[] = []
let erp: Server
let app: ChildProcess
let data: string
let log = ''
let traces: string
let sagas: Saga[]

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'canaries-'))
  erp = createServer((request, response) => {
    asked.push({ traceparent: request.headers['traceparent']?.toString() })
    request.resume().on('end', () => {
      const isFirst = asked.length === 1
      response.writeHead(isFirst ? 201 : 422, { 'content-type': 'application/json' })
      const error = { code: canaries.email, message: `${canaries.partnersWords}: ${canaries.lastName}` }
      response.end(JSON.stringify(isFirst ? { number: 'C-1' } : { error }))
    })
  }).listen(0, '127.0.0.1')
  await once(erp, 'listening')
  const { port: erpPort } = erp.address() as AddressInfo
  const ports = await Promise.all([1, 2, 3, 4, 5].map(freePort))
  const [http, amqp, dataverse, masterData, telemetry] = ports.map(String)
  traces = `http://127.0.0.1:${telemetry}/traces`
  const { APPLICATIONINSIGHTS_CONNECTION_STRING: _, ...environment } = process.env
  app = spawn(process.execPath, ['dist/local/start.js'], {
    env: {
      ...environment,
      PORT: http,
      AMQP_PORT: amqp,
      DATAVERSE_PORT: dataverse,
      MASTER_DATA_PORT: masterData,
      TELEMETRY_PORT: telemetry,
      ERP_URL: `http://127.0.0.1:${erpPort}`,
      CALLBACK_SECRET: canaries.callbackSecret,
      CALLBACK_URL: `http://127.0.0.1:${http}`,
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
      LOG_LEVEL: 'debug',
      DATA_DIR: data,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [app.stdout, app.stderr]) stream?.on('data', (text) => void (log += String(text)))
  const installation = new Installation({
    app: `http://127.0.0.1:${http}`,
    amqpPort: Number(amqp),
    dataverse: `http://127.0.0.1:${dataverse}`,
    masterData: `http://127.0.0.1:${masterData}`,
    erp: `http://127.0.0.1:${erpPort}`,
    vault: '',
  })
  await until('the app is healthy', () => installation.isHealthy())
  const since = new Date().toISOString()
  for (const count of [1, 2]) {
    const contact = {
      rowId: randomUUID(),
      firstName: canaries.firstName,
      lastName: canaries.lastName,
      email: canaries.email,
    }
    const message = await installation.createContact(contact)
    // The second comes from somebody who traces, too.
    const properties = { ...message.applicationProperties, ...(count === 2 && { 'Diagnostic-Id': sendersTrace }) }
    await installation.send({ ...message, applicationProperties: properties })
    sagas = await until('it has ended', async () => {
      const all = await installation.sagas(since)
      return all.length === count && all.every(hasEnded) && all
    })
  }
  // Unreadable, and full of what must not be told.
  await installation.send({ body: Buffer.from(`{"MessageName": "${canaries.lastName}", "x": "${canaries.email}"}`) })
  await until('it was dead-lettered', async () => log.includes('Dead-lettered'))
  await until('the ends are told', async () => {
    const both = await Promise.all(sagas.map(traceOf))
    return both.every(({ spans }) => spans?.some(({ name }) => name.startsWith('saga ')))
  })
  await installation.close()
}, 60_000)
afterAll(async () => {
  if (app.exitCode === null) {
    app.kill('SIGINT')
    await once(app, 'exit')
  }
  erp.close()
  rmSync(data, { recursive: true, force: true })
})

async function traceOf({ id }: Saga): Promise<{ readonly trace: string; readonly spans: readonly Span[] }> {
  return JSON.parse(await (await fetch(`${traces}/${encodeURIComponent(id)}`)).text())
}

it('partners are told where in the trace they are asked: the ids are those of the call', async () => {
  const spans = (await Promise.all(sagas.map(traceOf))).flatMap((one) => one.spans)
  const calls = spans.filter(({ target }) => target === 'erp')

  expect(asked.map(({ traceparent = '' }) => traceparent.split('-')[2] ?? '').toSorted()).toEqual(
    calls.map(({ id }) => id).toSorted(),
  )
})

it('a message that comes with a trace goes on in it; one without begins its own', async () => {
  const both = await Promise.all(sagas.map(traceOf))
  const found = both.find((one) => one.trace === trace)
  const receiptOf = (spans: readonly Span[] = []) => spans.find(({ name }) => name.startsWith('receive '))

  expect(both.filter((one) => one.trace === trace)).toHaveLength(1)
  expect(receiptOf(found?.spans)?.parent).toBe(sender)
  expect(receiptOf(both.find((one) => one !== found)?.spans)?.parent).toBeUndefined()
})

it('a browser is shown the trace as a page, each span once', async () => {
  const [saga] = sagas
  const headers = { accept: 'text/html' }
  const page = await (await fetch(`${traces}/${encodeURIComponent(saga?.id ?? '')}`, { headers })).text()

  expect(page.match(/<tr /g)).toHaveLength(saga ? (await traceOf(saga)).spans.length : 0)
  expect(page).toContain('do create-customer')
})

it('no canary is in what was sent, in what waits, or in the log', async () => {
  app.kill('SIGINT')
  await once(app, 'exit')
  const folders = [join(data, 'sandbox', 'telemetry'), join(data, 'unsent')]
  const sent = folders
    .flatMap((folder) => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')))
    .join('\n')

  expect(sent).toContain('do create-customer')
  expect(sent).toContain('deadLettered')
  expect(log).toContain('create-customer')
  for (const canary of Object.values(canaries)) {
    expect(sent).not.toContain(canary)
    expect(log).not.toContain(canary)
  }
  const rows = sagas.map(({ rowId }) => rowId)
  expect(rows.filter((rowId) => sent.includes(rowId))).toEqual([])
})
