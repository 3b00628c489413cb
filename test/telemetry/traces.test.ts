// What the real SDK sends, taken by a pretend Application Insights that outlives the app: each saga is one connected trace, with every attempt once.

import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasEnded, type Saga, until } from '../../local/installation.js'
import { freePort, type Started, startInstallation } from '../../local/processes.js'
import { telemetryTo } from '../../local/telemetry-settings.js'
import type { Span } from '../../sandbox/application-insights.js'

const contacts = 12
const kills = 2

let data: string
let sandbox: ChildProcess
let telemetry: string
let started: Started
let ended: Saga[]

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'telemetry-'))
  const ports = ['dataverse', 'master-data', 'erp', 'telemetry'].flatMap((name) => [`--${name}-port`, '0'])
  sandbox = fork('dist/sandbox/main.js', ['--data', join(data, 'sandbox'), ...ports], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [at] = await once(sandbox, 'message')
  telemetry = at.telemetry
  const environment = {
    DATAVERSE_URL: at.dataverse,
    MASTER_DATA_URL: at.masterData,
    ERP_URL: at.erp,
    PORT: String(await freePort()),
    AMQP_PORT: String(await freePort()),
    ...telemetryTo(telemetry, data),
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  }
  const start = () => startInstallation(join(data, 'runtime'), environment)

  started = await start()
  const since = new Date().toISOString()
  await started.installation.addFaults('masterData', [
    { when: { method: 'POST', path: '/records' }, times: 4, do: { status: 503 } },
    { when: { method: 'POST', path: '/records' }, times: 2, do: { drop: 'after' } },
  ])
  await started.installation.addFaults('dataverse', [
    { when: { method: 'PATCH' }, times: 3, do: { status: 429, retryAfter: 1 } },
  ])
  const rows = Array.from({ length: contacts }, (_, index) => ({
    rowId: randomUUID(),
    firstName: 'Ada',
    lastName: `Berg ${index}`,
    // The ERP refuses who has none: then all is undone.
    email: index % 3 === 0 ? undefined : 'ada@example.org',
  }))
  for (const row of rows) await started.installation.send(await started.installation.createContact(row))
  for (let kill = 0; kill < kills; kill++) {
    const before = spansOnDisk()
    await until('more spans have come', () => Promise.resolve(spansOnDisk() > before + 10), { everyMs: 5 })
    started.child.kill('SIGKILL')
    await once(started.child, 'exit')
    void started.installation.close().catch(() => undefined)
    started = await start()
  }
  ended = await until('all sagas have ended', async () => {
    const all = await started.installation.sagas(since)
    return all.length === contacts && all.every(hasEnded) && all
  })
}, 90_000)
afterAll(async () => {
  await started.stop()
  sandbox.disconnect()
  await once(sandbox, 'exit')
  rmSync(data, { recursive: true, force: true })
})

const folder = () => join(data, 'sandbox', 'telemetry')
const lines = () =>
  readdirSync(folder()).flatMap((file) => readFileSync(join(folder(), file), 'utf8').split('\n').filter(Boolean))
const spansOnDisk = () => lines().filter((line) => line.includes('RemoteDependencyData')).length

/** The trace of a saga, once its end is told. */
const traceOf = ({ id }: Saga): Promise<readonly Span[]> =>
  until(
    `the trace of ${id}`,
    async () => {
      const response = await fetch(`${telemetry}/traces/${encodeURIComponent(id)}`)
      const { spans }: { spans?: Span[] } = JSON.parse(await response.text())
      return spans?.some(({ name }) => name.startsWith('saga ')) && spans
    },
    { seconds: 20 },
  )

/** What a saga's own books say of attempts: `do register 1`, `do register 2`, `undo register 1`. */
function attemptsOf({ steps }: Saga): string[] {
  return steps.flatMap(({ name, attempts, undo }) => [
    ...numbered(`do ${name}`, attempts),
    ...numbered(`undo ${name}`, countIn(undo)),
  ])
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name} ${index + 1}`)

const countIn = (undo: unknown) =>
  typeof undo === 'object' && undo !== null && 'attempts' in undo ? Number(undo.attempts) : 0

const isAttempt = ({ name }: Span) => /^(do|undo) /.test(name)

describe('after retries, undo and a kill -9 in the midst of it', () => {
  it('the trace of each saga holds every attempt once, as the saga itself counts them', async () => {
    const all = await Promise.all(ended.map(async (saga) => ({ saga, spans: await traceOf(saga) })))

    for (const { saga, spans } of all) {
      const told = spans.filter(isAttempt).map(({ name, attributes }) => `${name} ${attributes['attempt']}`)
      expect(told.toSorted()).toEqual(attemptsOf(saga).toSorted())
    }
    expect(all.some(({ saga }) => saga.steps.some(({ attempts }) => attempts > 1))).toBe(true)
    expect(all.some(({ saga }) => saga.phase === 'compensated')).toBe(true)
  })

  it('each is connected: message, saga, attempts, calls', async () => {
    for (const saga of ended) {
      const spans = await traceOf(saga)
      const [message, ...others] = spans.filter(({ name }) => name === 'receive dataverse-events')
      const whole = spans.filter(({ name }) => name === 'saga contact-onboarding')

      expect(others).toEqual([])
      expect(message?.parent).toBeUndefined()
      expect(whole.map(({ parent, attributes }) => [parent, attributes['outcome']])).toEqual([
        [message?.id, saga.phase],
      ])
      const attempts = spans.filter(isAttempt)
      expect(attempts.filter(({ parent }) => parent !== whole[0]?.id)).toEqual([])
      const calls = spans.filter(({ target }) => target !== undefined)
      expect(calls.length).toBeGreaterThanOrEqual(attempts.length)
      expect(spans).toHaveLength(2 + attempts.length + calls.length)
    }
  })

  it('whoever was asked, and what came of it, is told by outcome and status', async () => {
    const refused = ended.find(({ phase }) => phase === 'compensated')
    const spans = refused ? await traceOf(refused) : []

    expect(spans.find(({ name }) => name === 'do create-customer')).toMatchObject({
      isSuccess: false,
      attributes: { outcome: 'refused', partner: 'erp', version: '1', table: 'contact' },
    })
    expect(spans.find(({ name }) => name === 'erp.create-customer')).toMatchObject({ target: 'erp', status: '422' })
  })

  it('says only what is on the list', async () => {
    const allowed = /^(saga|version|step|attempt|outcome|partner|table|row)$/
    const names = new Set(
      (await Promise.all(ended.map(traceOf))).flat().flatMap((span) => Object.keys(span.attributes)),
    )

    expect([...names].filter((name) => !allowed.test(name))).toEqual([])
  })

  it('metrics tell outcomes, attempts, durations, the lag of the queue and the breakers', async () => {
    // What a killed process has added up since it last sent is lost: this one lives.
    const last = { rowId: randomUUID(), firstName: 'Ada', lastName: 'Last', email: 'ada@example.org' }
    await started.installation.send(await started.installation.createContact(last))
    const wanted = ['saga.outcomes', 'saga.step.attempts', 'saga.duration', 'queue.lag', 'partner.breaker']

    const told = () => {
      const all = lines().filter((line) => line.includes('MetricData'))
      return wanted.filter((name) => all.some((line) => line.includes(`"name":"${name}"`)))
    }
    await until('all metrics have come', async () => told().length === wanted.length, { seconds: 25 }).catch(() => 0)

    expect(told()).toEqual(wanted)
  })
})
