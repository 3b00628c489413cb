// The SDK as the app sets it up: with its defaults it would keep five traces a second. And that it is not there at all where nobody wants it.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { context, propagation } from '@opentelemetry/api'
import { anEvent, applied, refused } from 'dataverse-saga/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { telemetryTo } from '../../local/telemetry-settings.js'
import { startApplicationInsights } from '../../sandbox/application-insights.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import { begin, turn } from '../../src/saga/machine.js'
import { nextOf } from '../../src/saga/next.js'
import { receiving, tellTurn } from '../../src/telemetry/saga-telemetry.js'
import { listening, startTelemetry, stopTelemetry } from '../../src/telemetry/telemetry.js'
import { newSpanId } from '../../src/telemetry/trace-ids.js'
import { threeSteps } from '../saga/three-steps.js'

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
  const captured = () =>
    readdirSync(join(data, 'captured'))
      .map((name) => readFileSync(join(data, 'captured', name), 'utf8'))
      .join('')

  beforeAll(async () => {
    const { url } = await startApplicationInsights(0, join(data, 'captured'))
    Object.assign(process.env, telemetryTo(url, data))
    await startTelemetry()
  })

  it('what an SDK starts within a receipt goes on in its trace', async () => {
    const headers: Record<string, string> = {}
    const [trace, span] = ['ab'.repeat(16), 'cd'.repeat(8)]

    await listening()?.within({ trace, span }, async () => propagation.inject(context.active(), headers))

    expect(headers).toEqual({ traceparent: `00-${trace}-${span}-01` })
  })

  it('every span that is told arrives, however many come at once; debts and waits for a person are counted', async () => {
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
    tellLife(['applied', 'refused', 'refused'])
    await stopTelemetry()

    const ids = [...captured().matchAll(/"id":"([0-9a-f]{16})"/g)].map(([, id = '']) => id)
    expect(ids.toSorted()).toEqual(spans.toSorted())
    expect(readdirSync(join(data, 'unsent'))).toEqual([])
    const counted = (name: string) =>
      [...captured().matchAll(new RegExp(`"name":"${name}","kind":"Aggregation","value":(\\d+)`, 'g'))].map(
        ([, value]) => Number(value),
      )
    expect([counted('saga.debts'), counted('saga.held')]).toEqual([[1], [1]])
  })
})

/** A saga whose partners answer so, told turn by turn. */
function tellLife(answers: readonly ('applied' | 'refused')[]): void {
  const saga = threeSteps()
  const event = anEvent()
  let state = begin(saga, { instance: instanceIdOf(saga.name, event), event, at: '2026-01-01T00:00:00.000Z' })
  for (const kind of answers) {
    const next = nextOf(saga, state)
    const [ask] = next.kind === 'ask' ? next.asks : []
    if (!ask) throw new Error('Nobody is asked.')
    const outcome = kind === 'applied' ? applied() : refused('NO')
    const after = turn(saga, state, { kind: 'answered', at: state.updatedAt, step: ask.step, what: ask.what, outcome })
    tellTurn(saga, { saga: saga.name, version: saga.version, event }, state, after)
    state = after
  }
}
