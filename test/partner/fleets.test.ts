// Hundreds of sagas and one partner in trouble: the machine and the gateway that run in production, on virtual time.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { outcomeOf } from '../../src/partner/classify.js'
import { Gateway } from '../../src/partner/gateway.js'
import { send } from '../../src/partner/http.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import { begin, turn } from '../../src/saga/machine.js'
import { type Ask, nextOf } from '../../src/saga/next.js'
import type { Partner } from '../../src/saga/partner.js'
import type { SagaState } from '../../src/saga/state.js'
import { statusOf } from '../../src/saga/status.js'
import { anEvent } from '../../testkit/event.js'
import { threeSteps } from '../saga/three-steps.js'

vi.mock('../../src/partner/http.js', () => ({ send: vi.fn<typeof send>() }))

const start = Date.UTC(2026, 0, 1)
const at = () => new Date().toISOString()
const sleep = (ms: number) => new Promise((resolve) => void setTimeout(resolve, ms))

/** When the partner was called, in milliseconds after the start. */
let calls: number[]
let isDown: (ms: number) => boolean

beforeEach(() => {
  vi.useFakeTimers({
    now: start,
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  })
  calls = []
  isDown = () => false
  vi.mocked(send).mockImplementation(async () => {
    const ms = Date.now() - start
    calls.push(ms)
    await sleep(20)
    return isDown(ms) ? { failed: 'ECONNREFUSED', sent: false } : { status: 200, body: {} }
  })
})
afterEach(() => vi.useRealTimers())

const erp = (limits: NonNullable<Partner['limits']>) =>
  new Gateway(
    { name: 'erp', addressSetting: 'ERP_URL', actions: [], limits },
    'https://erp.example.org',
    async () => '',
  )

const saga = threeSteps()

/** What the orchestrator and the activity do, without a task hub. */
async function run(number: number, gateway: Gateway, watch: (state: SagaState) => void = () => {}): Promise<SagaState> {
  const event = anEvent({ id: String(number).padStart(20, '0') })
  let state = begin(saga, { instance: instanceIdOf(saga.name, event), event, at: at() })
  for (;;) {
    const next = nextOf(saga, state)
    watch(state)
    if (next.kind === 'end') return state
    if (next.kind === 'wait') {
      await sleep(Math.max(0, Date.parse(next.until ?? '') - Date.now()))
      state = turn(saga, state, { kind: 'woken', at: at() })
      continue
    }
    const answers = await Promise.all(next.asks.map(async (ask) => ({ ask, outcome: await answerTo(ask, gateway) })))
    for (const { ask, outcome } of answers)
      state = turn(saga, state, { kind: 'answered', at: at(), step: ask.step, what: ask.what, outcome })
  }
}

const answerTo = async ({ what, step, key }: Ask, gateway: Gateway) =>
  outcomeOf(
    await gateway.ask({ method: 'POST', path: `/${what}/${step}` }, { 'idempotency-key': key }),
    {},
    (body) => body,
  )

/** Moves the clock until all have ended. */
async function finish<Result>(work: Promise<Result>, everyMs = 100): Promise<Result> {
  const progress = { isDone: false }
  const watched = work.finally(() => (progress.isDone = true))
  while (!progress.isDone) await vi.advanceTimersByTimeAsync(everyMs)
  return watched
}

const callsBetween = (from: number, to: number) => calls.filter((ms) => ms >= from && ms < to).length

describe('a partner that is down for a minute under 500 sagas', () => {
  const perSecond = 40

  it('is spared while it is down, gets no more than its limit afterwards, and no saga fails', async () => {
    // Down from the 5th second to the 65th; 500 sagas of three calls begin within 20 seconds.
    isDown = (ms) => ms >= 5_000 && ms < 65_000
    const gateway = erp({ perSecond, concurrency: 10 })

    const ended = await finish(
      Promise.all(Array.from({ length: 500 }, (_, n) => sleep(n * 40).then(() => run(n, gateway)))),
    )

    const during = callsBetween(6_000, 65_000)
    const busiest = Math.max(...calls.map((from) => callsBetween(from, from + 1_000)))
    process.stdout.write(
      `outage of 60 s under 500 sagas: ${calls.length} calls, ${during} of them in the outage's last 59 s, at most ${busiest} in a second\n`,
    )
    expect(ended.map(({ end }) => end)).toEqual(ended.map(() => 'completed'))
    expect(during).toBeLessThan(30)
    expect(busiest).toBeLessThanOrEqual(perSecond)
    expect(calls.length - callsBetween(5_000, 65_000)).toBe(1_500)
  })

  it('costs no attempts while it is known to be down', async () => {
    isDown = (ms) => ms < 60_000
    const gateway = erp({ perSecond, concurrency: 10 })

    const ended = await finish(Promise.all(Array.from({ length: 500 }, (_, n) => run(n, gateway))))

    const attempts = ended.map((state) => statusOf(saga, state).steps[0]?.attempts ?? 0)
    expect(attempts.filter((count) => count > 1).length).toBeLessThan(50)
    expect(Math.max(...attempts)).toBeLessThanOrEqual(3)
  })
})

describe('a partner that is down for two hours while 200 sagas are undone', () => {
  it('owes 200 undos, which are collected when it is back, and no saga says that it is compensated before', async () => {
    const backAt = 7_200_000
    const held = new Set<string>()
    vi.mocked(send).mockImplementation(async (_, { path }, headers) => {
      const [, what, step] = path.split('/')
      const effect = headers['idempotency-key']?.replace(':undo', '') ?? ''
      await sleep(20)
      if (step === 'c') return { status: 422, body: {} }
      if (what === 'undo' && Date.now() - start < backAt) return { failed: 'ECONNREFUSED', sent: false }
      if (what === 'do') held.add(effect)
      else held.delete(effect)
      return { status: 200, body: {} }
    })
    const gateway = erp({ perSecond: 100 })
    const states = new Map<number, SagaState>()
    const watch = (n: number) => (state: SagaState) => void states.set(n, state)
    const all = Promise.all(Array.from({ length: 200 }, (_, n) => run(n, gateway, watch(n))))

    while (Date.now() - start < backAt - 60_000) await vi.advanceTimersByTimeAsync(60_000)
    const before = [...states.values()].map((state) => statusOf(saga, state))
    const heldBefore = held.size
    const ended = (await finish(all, 2_000)).map((state) => statusOf(saga, state))

    const debts = before.flatMap(({ owed }) => owed.filter(({ since }) => since !== undefined))
    const afterwards = Math.max(...ended.map(({ updatedAt }) => Date.parse(updatedAt))) - start - backAt
    process.stdout.write(
      `200 undos at a partner that is down: ${debts.length} debts listed, all collected ${afterwards / 1_000} s after it was back\n`,
    )
    expect(debts).toHaveLength(200)
    expect(before.map(({ phase }) => phase)).toEqual(before.map(() => 'compensating'))
    expect(heldBefore).toBe(400)
    expect(ended.map(({ phase }) => phase)).toEqual(ended.map(() => 'compensated'))
    expect(held.size).toBe(0)
    expect(ended.every(({ log }) => log.length === 0)).toBe(true)
  })
})

describe('a partner', () => {
  it('that asks one to wait is not asked by anybody until then', async () => {
    vi.mocked(send).mockResolvedValueOnce({ status: 429, body: {}, retryAfterMs: 10_000 })
    const gateway = erp({})
    const ask = () => gateway.ask({ method: 'GET', path: '/' }, {})

    await ask()
    const meanwhile = await ask()
    vi.setSystemTime(start + 10_000)
    const afterwards = await finish(ask())

    expect(meanwhile).toMatchObject({ parked: 'erp has asked everybody to wait', retryAfterMs: 10_000 })
    expect(afterwards).toMatchObject({ status: 200 })
  })

  it('that asks one to wait is not asked earlier because it asks another one to wait less', async () => {
    vi.mocked(send).mockResolvedValueOnce({ status: 429, body: {}, retryAfterMs: 10_000 })
    vi.mocked(send).mockResolvedValueOnce({ status: 429, body: {}, retryAfterMs: 0 })
    const gateway = erp({})
    const ask = () => gateway.ask({ method: 'GET', path: '/' }, {})

    await Promise.all([ask(), ask()])

    expect(await ask()).toMatchObject({ parked: 'erp has asked everybody to wait', retryAfterMs: 10_000 })
  })

  it('that loses every fifth answer is not taken to be down', async () => {
    let count = 0
    vi.mocked(send).mockImplementation(async () => {
      count += 1
      return count % 5 === 0 ? { failed: 'socket hang up', sent: true } : { status: 200, body: {} }
    })
    const gateway = erp({})

    for (let n = 0; n < 200; n++) await gateway.ask({ method: 'GET', path: '/' }, {})

    expect(count).toBe(200)
  })

  it('is never asked more at the same time than it bears', async () => {
    let now = 0
    let most = 0
    vi.mocked(send).mockImplementation(async () => {
      most = Math.max(most, ++now)
      await sleep(10)
      now -= 1
      return { status: 200, body: {} }
    })
    const gateway = erp({ concurrency: 3 })

    await finish(Promise.all(Array.from({ length: 50 }, () => gateway.ask({ method: 'GET', path: '/' }, {}))))

    expect(most).toBe(3)
  })
})
