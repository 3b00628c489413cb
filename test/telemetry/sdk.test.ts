// The SDK as the app sets it up: with its defaults it would keep five traces a second. And that it is not there at all where nobody wants it.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { telemetryTo } from '../../local/telemetry-settings.js'
import { startApplicationInsights } from '../../sandbox/application-insights.js'
import { receiving } from '../../src/telemetry/saga-telemetry.js'
import { listening, startTelemetry, stopTelemetry } from '../../src/telemetry/telemetry.js'
import { newSpanId } from '../../src/telemetry/trace-ids.js'

let data: string

beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'sdk-'))
})
afterAll(() => rmSync(data, { recursive: true, force: true }))

describe('without a connection string', () => {
  it('the app loads nothing of the SDK', () => {
    const program = `
      process.env.ServiceBusConnection = 'Endpoint=sb://127.0.0.1'
      for (const name of ['DATAVERSE_URL', 'MASTER_DATA_URL', 'ERP_URL', 'CALLBACK_URL']) process.env[name] = 'http://127.0.0.1'
      process.env.CALLBACK_SECRET = 'x'
      process.env.APPLICATIONINSIGHTS_CONNECTION_STRING = process.argv[1]
      const { loadApp } = require('./dist/embedded/functions/load-app.js')
      loadApp({ folder: process.cwd(), hostname: '127.0.0.1:1', log: () => undefined }).then(() => {
        const loaded = Object.keys(require.cache)
        const count = (name) => loaded.filter((path) => path.includes('/node_modules/' + name + '/')).length
        process.stdout.write(JSON.stringify([count('applicationinsights'), count('@opentelemetry/sdk-node')]))
        process.exit(0)
      })`
    const loadedWith = (connection: string): number[] =>
      JSON.parse(execFileSync(process.execPath, ['-e', program, connection], { encoding: 'utf8' }))

    expect(loadedWith('')).toEqual([0, 0])
    expect(loadedWith('InstrumentationKey=00000000-0000-4000-8000-000000000000')[0]).toBeGreaterThan(0)
  })

  it('nothing is told, and sagas take no trace along', async () => {
    const trace = await receiving(
      { name: 'queue', traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01` },
      (receipt) => receipt.of([], (given) => Promise.resolve(given)),
    )

    expect(listening()).toBeUndefined()
    expect(trace).toBeUndefined()
  })
})

describe('with one', () => {
  it('every span that is told arrives, however many come at once', async () => {
    const { url } = await startApplicationInsights(0, join(data, 'captured'))
    Object.assign(process.env, telemetryTo(url, data))
    await startTelemetry()
    const spans = Array.from({ length: 5_000 }, () => newSpanId())
    for (const span of spans)
      listening()?.tell({
        trace: newSpanId() + newSpanId(),
        span,
        name: 'do something',
        kind: 'internal',
        from: Date.now(),
        to: Date.now(),
        isFailure: false,
        facts: {},
      })
    await stopTelemetry()

    const captured = readdirSync(join(data, 'captured'))
      .map((name) => readFileSync(join(data, 'captured', name), 'utf8'))
      .join('')
    const ids = [...captured.matchAll(/"id":"([0-9a-f]{16})"/g)].map(([, id = '']) => id)
    expect(ids.toSorted()).toEqual(spans.toSorted())
    expect(readdirSync(join(data, 'unsent'))).toEqual([])
  })
})
