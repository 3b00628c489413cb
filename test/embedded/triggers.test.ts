// Triggers that the product does not use itself, in an app that knows nothing of the host: topics, batches, sessions, timers.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ServiceBusClient } from '@azure/service-bus'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../embedded/clock.js'
import { readSchedule } from '../../embedded/functions/timer-schedule.js'
import type { Host } from '../../embedded/host.js'
import { openStore } from '../../embedded/store/store.js'
import { until } from '../../local/installation.js'
import { hostOf } from './app-host.js'
import { callsOf, takesSingleMessages } from './single-messages.js'

// The host makes the app's folder its own.
const app = resolve('test/embedded/apps/triggers')
const logged: string[] = []
let data: string
let runtime: Host
let client: ServiceBusClient

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'triggers-'))
  const store = openStore(data)
  const missed = { last: 1, next: systemClock.now() - 1 }
  await store.commit((changes) => changes.put(store.table('host.timers'), ['daily'], missed))
  await store.close()
  Reflect.deleteProperty(process.env, 'ServiceBusConnection')
  const log = (_: string, from: string, words: string) => void logged.push(`${from}: ${words}`)
  runtime = await hostOf(app, data, log)
  client = new ServiceBusClient(runtime.connectionString)
})
afterAll(async () => {
  await client.close()
  await runtime.close()
  rmSync(data, { recursive: true, force: true })
})

const seen = (name: string) => callsOf(name, runtime.port)

describe('Service Bus', () => {
  takesSingleMessages(() => ({ client, port: runtime.port }))

  it('many messages in one call, as arrays', async () => {
    await client
      .createSender('many')
      .sendMessages(Array.from({ length: 7 }, (_, n) => ({ body: { n }, messageId: `m${n}` })))

    const got = await until('all have come', async () => {
      const all = await seen('batch')
      return all.flatMap(({ input }) => input).length === 7 && all
    })

    expect(got.flatMap(({ input }) => input)).toEqual(Array.from({ length: 7 }, (_, n) => ({ n })))
    expect(got[0]?.metadata?.['messageIdArray']).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
    expect(got[0]?.metadata?.['deliveryCountArray']).toEqual([1, 1, 1, 1, 1])
  })

  it('sessions: each in its order, one call at a time', async () => {
    const sessions = ['a', 'b', 'c', 'a', 'b', 'c', 'a']
    await client
      .createSender('ordered')
      .sendMessages(sessions.map((sessionId, n) => ({ body: `${sessionId}${n}`, sessionId })))

    const got = await until('all have come', async () => {
      const all = await seen('sessions')
      return all.length === sessions.length && all
    })

    const of = (session: string) =>
      got.filter(({ metadata }) => metadata?.['sessionId'] === session).map(({ input }) => input)
    expect([of('a'), of('b'), of('c')]).toEqual([
      ['a0', 'a3', 'a6'],
      ['b1', 'b4'],
      ['c2', 'c5'],
    ])
  })
})

describe('outputs', () => {
  it('that a function sets or returns are sent before its call counts as done', async () => {
    const response = await fetch(`http://127.0.0.1:${runtime.port}/api/emit`, { method: 'POST' })

    expect(response.status).toBe(202)
    const got = await until('all have come', async () => {
      const all = await seen('out')
      return all.length === 3 && all
    })
    expect(got.map(({ input }) => input)).toEqual(expect.arrayContaining([{ n: 1 }, { n: 2 }, { from: 'timer' }]))
  })
})

describe('timers', () => {
  it('run when they are due, and at the start if they say so', async () => {
    const [atStart] = await until('it has run', async () => (await seen('atStart')).length > 0 && seen('atStart'))
    const every = await until(
      'it has run twice',
      async () => (await seen('everySecond')).length >= 2 && seen('everySecond'),
    )

    expect(atStart?.input).toMatchObject({ isPastDue: false, schedule: { adjustForDST: true } })
    expect(every[0]?.input).toMatchObject({ isPastDue: false })
    expect(await seen('hourly')).toEqual([])
  })

  it('that were due while the process was away run once, told as past due', async () => {
    const daily = await until('it has run', async () => (await seen('daily')).length > 0 && seen('daily'))

    expect(daily).toMatchObject([
      { input: { isPastDue: true, scheduleStatus: { last: '1970-01-01T00:00:00.001+00:00' } } },
    ])
  })

  it('that fail are called again as often as they ask for, and told so', async () => {
    const attempts = await until('it has given up', async () => {
      const all = await seen('stubborn')
      return all.length === 3 && all
    })

    expect(attempts.map(({ input }) => input)).toEqual([
      null,
      { retryCount: 1, maxRetryCount: 2 },
      { retryCount: 2, maxRetryCount: 2 },
    ])
  })

  it('that take longer than host.json allows have failed', async () => {
    const line = await until('it is told', async () => logged.find((one) => one.startsWith('hangs: ')))

    expect(line).toBe(
      "hangs: Function 'hangs' has taken longer than 3 seconds. functionTimeout in host.json says how long a call may take.",
    )
  })

  it.each([
    ['0 */5 * * * *', '2026-01-01T00:02:00Z', '2026-01-01T00:05:00.000Z'],
    ['*/5 * * * *', '2026-01-01T00:02:00Z', '2026-01-01T00:05:00.000Z'],
    ['30 0 12 * * 1-5', '2026-01-02T13:00:00Z', '2026-01-05T12:00:30.000Z'],
    ['01:30:00', '2026-01-01T00:00:00Z', '2026-01-01T01:30:00.000Z'],
  ])('%s after %s is due at %s', (text, after, due) => {
    expect(new Date(readSchedule('f', text)(Date.parse(after))).toISOString()).toBe(due)
  })

  it('in a time zone follow its summer time', () => {
    const schedule = readSchedule('f', '0 0 9 * * *', 'Europe/Berlin')

    expect(new Date(schedule(Date.parse('2026-01-15T00:00:00Z'))).toISOString()).toBe('2026-01-15T08:00:00.000Z')
    expect(new Date(schedule(Date.parse('2026-07-15T00:00:00Z'))).toISOString()).toBe('2026-07-15T07:00:00.000Z')
  })

  it('with a schedule that can not be read stop the start, by name', () => {
    expect(() => readSchedule('nightly', 'at midnight')).toThrow(
      "Function 'nightly' has the schedule 'at midnight', which can not be read",
    )
  })
})
