// The watchdog on the real SDK and the embedded task hub, in virtual time, with timers and messages lost on purpose.
//
// WATCHDOG=full makes it 300 losses among 10,000 healthy slow sagas; without it a tenth of the losses and fewer healthy ones, to be quick.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Losable } from '../../../embedded/losses.js'
import { isRunning, tellLane } from '../../../src/activities/lane.js'
import { names } from '../../../src/names.js'
import { lane } from '../../../src/orchestrators/lane.js'
import { notify } from '../../../src/orchestrators/notify.js'
import { sagaOrchestrator } from '../../../src/orchestrators/saga.js'
import { watch } from '../../../src/orchestrators/watch.js'
import type { Saga } from '../../../src/saga/define.js'
import { instanceIdOf } from '../../../src/saga/ids.js'
import { markOf } from '../../../src/saga/mark.js'
import type { Ask } from '../../../src/saga/next.js'
import type { Delivery, Notice } from '../../../src/saga/notices.js'
import type { Outcome } from '../../../src/saga/outcome.js'
import type { SagaStatus } from '../../../src/saga/status.js'
import { anew, slack } from '../../../src/saga/watch.js'
import { postNotices } from '../../../src/triggers/out/notices.js'
import { watchdog } from '../../../src/triggers/out/watchdog.js'
import { anEvent, beginning } from '../../../testkit/event.js'
import { aSaga, threeSteps } from '../../saga/three-steps.js'
import { startVirtualHub, VirtualClock, type VirtualHub } from '../../virtual-hub.js'

const isFull = process.env['WATCHDOG'] === 'full'
const lossesOfEach = isFull ? 30 : 3
const healthyOfEach = isFull ? 2_000 : 40

const minute = 60_000
const hour = 60 * minute
/** A value that nobody may be told. */
const canary = 'Ann Canary 4711'

const hourly = { firstRetryIntervalInMilliseconds: hour, maxNumberOfAttempts: 9, maxRetryIntervalInMilliseconds: hour }
const waiting = aSaga([[{ name: 'a' }], [{ name: 'b', shape: { retry: hourly } }], [{ name: 'c' }]])

/** Named for how their partners behave. */
const definitions = {
  plain: threeSteps(),
  'keys-ignored': threeSteps({ keys: 'ignored', probed: true }),
  'at-once': aSaga([[{ name: 'a' }], [{ name: 'b1' }, { name: 'b2', shape: { keys: 'ignored', probed: true } }]]),
  refusing: threeSteps(),
  'deferred-once': waiting,
  'in-line': { ...threeSteps(), lane: 'row' },
  'deferred-often': waiting,
  answered: aSaga([[{ name: 'a', shape: { answeredWithin: 72 * hour } }], [{ name: 'b' }]]),
  'in-doubt': threeSteps({ keys: 'ignored' }),
  slow: threeSteps(),
  'slow-once': aSaga([[{ name: 'a' }]]),
  'long-line': { ...aSaga([[{ name: 'a', shape: { answeredWithin: 72 * hour } }]]), lane: 'row' },
} as const satisfies Record<string, Saga>
type Name = keyof typeof definitions

const sagaNamed = (name: string): Saga => {
  const found = Object.entries(definitions).find(([known]) => known === name)
  if (!found) throw new Error(`There is no saga '${name}'.`)
  return { ...found[1], name }
}
vi.mock('../../../src/app/index.js', () => ({ sagas: [], sagaNamed: (name: string) => sagaNamed(name) }))

let clock: VirtualClock
let virtual: VirtualHub
let partners: Partners
let delivered: { readonly notice: Notice; readonly at: number }[]
/** What is to be lost of an instance. */
let plan: Map<string, Loss[]>
let lost: Map<string, number>
let signalled: Set<string>

interface Loss {
  readonly what: Losable
  readonly name: string
  /** Counts from 1. */
  readonly nth?: number
}

/** They hold what was done; those that ignore keys do it as often as they are asked. */
class Partners {
  /** By instance and step, what was done. */
  readonly effects = new Map<string, string[]>()
  readonly undone = new Map<string, Set<string>>()
  readonly #asked = new Map<string, number>()

  async answer(ask: Ask): Promise<Outcome> {
    const instance = ask.key.split(':').slice(0, 4).join(':')
    const name = instance.split(':')[0] as Name
    const place = `${instance} ${ask.step}`
    const count = (this.#asked.get(`${place} ${ask.what}`) ?? 0) + 1
    this.#asked.set(`${place} ${ask.what}`, count)
    const done = this.effects.get(place) ?? []
    if (name === 'slow' || name === 'slow-once') await virtual.sleep(9 * minute)
    if (name === 'in-line' && ask.step === 'a') await virtual.sleep(5 * minute)
    if (ask.what === 'probe')
      return done.length > 0 ? { kind: 'applied', output: canary } : { kind: 'refused', reason: `HTTP 404 ${canary}` }
    if (ask.what === 'undo') {
      this.undone.set(place, (this.undone.get(place) ?? new Set<string>()).add(ask.key))
      return { kind: 'applied', output: undefined }
    }
    if (name === 'refusing' && ask.step === 'c') return { kind: 'refused', reason: `HTTP 422 NAME: ${canary}` }
    const patience = name === 'deferred-once' ? 1 : name === 'deferred-often' ? 99 : 0
    if (ask.step === 'b' && count <= patience) return { kind: 'deferred', reason: canary }
    const isIgnored = name === 'keys-ignored' || name === 'in-doubt' || ask.step === 'b2'
    if (isIgnored || !done.includes(ask.key)) this.effects.set(place, [...done, ask.key])
    return name === 'in-doubt' && ask.step === 'b'
      ? { kind: 'inDoubt', reason: canary }
      : { kind: 'applied', output: canary }
  }
}

const { beginWatch, findLate, stillLate, rouse } = watchdog(() => clock.now())
const handedOver = {
  orchestrations: { [names.saga]: sagaOrchestrator(sagaNamed), [names.watch]: watch, [names.notify]: notify },
  activities: {
    [names.askPartner]: async (ask: Ask) => ({ ...(await partners.answer(ask)), of: markOf(ask) }),
    [names.tellLane]: tellLane,
    [names.isRunning]: isRunning,
    [names.findLate]: findLate,
    [names.stillLate]: stillLate,
    [names.rouse]: rouse,
    [names.postNotices]: postNotices,
    [names.sendNotice]: ({ notice }: Delivery) => void delivered.push({ notice, at: clock.now() }),
  },
  entities: { [names.lane]: lane },
  timers: { watchdog: { schedule: '0 */5 * * * *', handler: beginWatch } },
}

function lose(what: Losable, instance: string, name: string): boolean {
  if (what === 'hub:event' && name === names.signal) signalled.add(instance)
  const losses = plan.get(instance) ?? []
  const index = losses.findIndex((loss) => loss.what === what && loss.name === name)
  const loss = losses[index]
  if (!loss) return false
  const { nth = 1 } = loss
  losses.splice(index, 1, ...(nth > 1 ? [{ ...loss, nth: nth - 1 }] : []))
  if (nth === 1) lost.set(instance, clock.now())
  return nth === 1
}

let count = 0

/** Starts one, with what it will lose. */
async function start(name: Name, losses: readonly Loss[] = [], rowId = rowOf(++count)): Promise<string> {
  const event = anEvent({ id: String(++count).padStart(20, '0'), rowId })
  const id = instanceIdOf(name, event)
  plan.set(id, [...losses])
  await virtual.hub.start(names.saga, JSON.stringify({ saga: name, version: 1, event, notices: true }), { id })
  return id
}

const rowOf = (number: number) => `c0ffee00-0000-4000-8000-${String(number).padStart(12, '0')}`

async function startMany(number: number, one: () => Promise<string | readonly string[]>): Promise<string[]> {
  return (await Promise.all(Array.from({ length: number }, one))).flat()
}

const statusOf = (id: string): Partial<SagaStatus> => JSON.parse(virtual.hub.find(id)?.customStatus ?? '{}')
const phaseOf = (id: string) => statusOf(id).phase
const stuck = () => delivered.filter(({ notice }) => notice.kind === 'stuck')

async function open(concurrentActivities: number): Promise<void> {
  virtual = await startVirtualHub({
    clock,
    handedOver,
    lose,
    log: () => undefined,
    concurrentActivities,
  })
}

beforeEach(() => {
  vi.stubEnv('NOTICE_WEBHOOK_URL', 'http://127.0.0.1:9/')
  clock = new VirtualClock(beginning)
  partners = new Partners()
  delivered = []
  plan = new Map()
  lost = new Map()
  signalled = new Set()
})
afterEach(async () => {
  await virtual.close()
  vi.unstubAllEnvs()
})

describe('the watchdog', () => {
  it('finds what has lost a timer or a message within twice the declared time, revives all of it, doubles nothing, and leaves healthy slow sagas alone', {
    timeout: 3_600_000,
  }, async () => {
    await open(3_000)
    const asks = names.askPartner
    const ways: (() => Promise<string>)[] = [
      () => start('plain', [{ what: 'hub:start', name: names.saga }]),
      () => start('deferred-once', [{ what: 'hub:timer', name: 'timer' }]),
      () => start('plain', [{ what: 'hub:activity', name: asks, nth: 2 }]),
      () => start('plain', [{ what: 'hub:answer', name: asks, nth: 2 }]),
      () => start('keys-ignored', [{ what: 'hub:activity', name: asks, nth: 2 }]),
      () => start('keys-ignored', [{ what: 'hub:answer', name: asks, nth: 2 }]),
      () => start('at-once', [{ what: 'hub:answer', name: asks, nth: 3 }]),
      () => start('refusing', [{ what: 'hub:answer', name: asks, nth: 4 }]),
      () => start('plain', [{ what: 'hub:activity', name: names.postNotices }]),
      async () => {
        const rowId = rowOf(++count)
        await start('in-line', [], rowId)
        return start(
          'in-line',
          [
            { what: 'hub:timer', name: 'timer' },
            { what: 'hub:event', name: names.laneWord },
          ],
          rowId,
        )
      },
    ]
    const unlucky = (await Promise.all(ways.map((way) => startMany(lossesOfEach, way)))).flat()
    const healthy = [
      ...(await startMany(healthyOfEach, () => start('deferred-often'))),
      ...(await startMany(healthyOfEach, () => start('answered'))),
      ...(await startMany(healthyOfEach, () => start('in-doubt'))),
      ...(await startMany(healthyOfEach, () => start('slow'))),
      ...(await startMany(healthyOfEach / 2, async () => {
        const rowId = rowOf(++count)
        return [await start('long-line', [], rowId), await start('long-line', [], rowId)]
      })),
    ]
    const executions = new Map(healthy.map((id) => [id, virtual.hub.find(id)?.executionId]))

    await virtual.pass(2.5 * hour)

    const found = new Map(stuck().map((one) => [one.notice.instance, one]))
    const ratios = [...found.values()].map(({ notice, at }) => {
      const movedAt = lost.get(notice.instance) ?? Number.NaN
      return (at - movedAt) / (Date.parse(notice.at) + slack - movedAt)
    })
    const doubled = [...partners.effects].filter(([, keys]) => keys.length > 1)
    const revivedHealthy = healthy.filter(
      (id) => signalled.has(id) || found.has(id) || virtual.hub.find(id)?.executionId !== executions.get(id),
    )
    process.stdout.write(
      `watchdog: ${lost.size} lost, ${found.size} found after at most ${Math.max(...ratios).toFixed(2)} times the declared time, ${unlucky.filter((id) => virtual.hub.find(id)?.status === 'Completed').length} revived, ${doubled.length} doubled; ${revivedHealthy.length} of ${healthy.length} healthy slow ones touched\n`,
    )
    expect(new Set(lost.keys())).toEqual(new Set(unlucky))
    expect(new Set(found.keys())).toEqual(new Set(unlucky))
    expect(Math.max(...ratios)).toBeLessThanOrEqual(2)
    expect(unlucky.map((id) => [id, phaseOf(id)]).filter(([id, phase]) => phase !== endOf(String(id)))).toEqual([])
    expect(doubled).toEqual([])
    expect([...partners.undone.values()].filter((keys) => keys.size > 1)).toEqual([])
    expect(revivedHealthy).toEqual([])
    expect(stuck()).toHaveLength(unlucky.length)
    expect(JSON.stringify(delivered)).not.toContain('Canary')
  })

  it('leaves those alone that stand in line for hours', async () => {
    await open(3)
    const inLine = await startMany(30, () => start('slow'))

    await virtual.pass(10 * hour)

    expect(stuck()).toEqual([])
    expect(inLine.map(phaseOf)).toEqual(inLine.map(() => 'completed'))
    expect([...partners.effects.values()].filter((keys) => keys.length > 1)).toEqual([])
  })

  it('leaves those alone whose turn has just come when it looks for them', async () => {
    await open(2)
    const before = await startMany(8, () => start('slow-once'))
    await virtual.pass(6 * minute)
    // The first look is in line by now, and looks when all of these are late.
    const behind = await startMany(5, () => start('slow-once'))

    await virtual.pass(3 * hour)

    expect(stuck()).toEqual([])
    expect([...before, ...behind].map(phaseOf)).toEqual([...before, ...behind].map(() => 'completed'))
  })

  it('leaves those alone whose timers are late because everything was away, even if it is the first to be back', async () => {
    await open(50)
    const late = await startMany(30, () => start('deferred-once'))
    await virtual.pass(5 * minute)

    clock.skip(5 * hour)
    await virtual.fire('watchdog')
    await virtual.settled()
    await virtual.pass(hour)

    expect(stuck()).toEqual([])
    expect([...signalled]).toEqual([])
    expect(late.map(phaseOf)).toEqual(late.map(() => 'completed'))
  })

  it('begins anew what was ended for it and never begun, and gives nobody else its turn meanwhile', async () => {
    await open(50)
    const rowId = rowOf(++count)
    const first = await start('in-line', [{ what: 'hub:answer', name: names.askPartner }], rowId)
    const second = await start('in-line', [], rowId)
    await virtual.pass(10 * minute)
    await virtual.hub.command(first, 'terminate', anew)

    await virtual.pass(15 * minute)
    const phaseMeanwhile = phaseOf(second)
    await virtual.pass(hour)

    expect(phaseMeanwhile).toBe('pending')
    expect([first, second].map(phaseOf)).toEqual(['completed', 'completed'])
  })

  it('hands on what a saga was told and has not heard', async () => {
    await open(50)
    const id = await start('plain', [{ what: 'hub:answer', name: names.askPartner, nth: 2 }])
    await virtual.pass(minute)
    const command = { id: 'word', kind: 'hold', actor: 'ops', reason: 'wait for the audit' }
    await virtual.hub.raise(id, names.signal, JSON.stringify({ kind: 'command', command }))

    await virtual.pass(hour)

    expect(statusOf(id)).toMatchObject({ phase: 'held', log: [{ id: 'word', command: 'hold' }] })
  })

  it('tells of those that the platform has stopped, once, and leaves them to whoever mends them', async () => {
    await open(50)
    const id = await start('answered')
    await virtual.pass(minute)
    await virtual.hub.command(id, 'terminate', 'by force')

    await virtual.pass(hour)

    expect(stuck().map(({ notice }) => notice)).toMatchObject([{ instance: id, kind: 'stuck', phase: 'held' }])
    expect(virtual.hub.find(id)?.status).toBe('Terminated')
  })

  it('goes on when a watch of its own is lost', async () => {
    await open(50)
    for (const slot of [1, 2, 3])
      plan.set(`watchdog:${slot}`, [
        { what: 'hub:timer', name: 'timer' },
        { what: 'hub:activity', name: names.rouse },
      ])
    const id = await start('plain', [{ what: 'hub:activity', name: names.askPartner }])

    await virtual.pass(4 * hour)

    expect(phaseOf(id)).toBe('completed')
  })
})

const endOf = (id: string) => (id.startsWith('refusing') ? 'compensated' : 'completed')
