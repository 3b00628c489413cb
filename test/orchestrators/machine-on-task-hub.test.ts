// The durable driver on the real SDK and the embedded task hub, held against the simulator: whatever happens, both tell the same story.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Clock } from '../../embedded/clock.js'
import { carryOn } from '../../embedded/crash-points.js'
import { durableCodeOf } from '../../embedded/functions/durable-code.js'
import { loadApp } from '../../embedded/functions/load-app.js'
import { openStore, type Store } from '../../embedded/store/store.js'
import { eventType } from '../../embedded/taskhub/history.js'
import { TaskHub } from '../../embedded/taskhub/hub.js'
import { readHubSettings } from '../../embedded/taskhub/settings.js'
import { until } from '../../local/installation.js'
import { names } from '../../src/names.js'
import { lane } from '../../src/orchestrators/lane.js'
import { sagaOrchestrator } from '../../src/orchestrators/saga.js'
import type { Saga } from '../../src/saga/define.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import type { LaneWord } from '../../src/saga/lane.js'
import type { Ask } from '../../src/saga/next.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { relentless } from '../../src/saga/policy.js'
import type { SagaStatus } from '../../src/saga/status.js'
import { anEvent, beginning } from '../../testkit/event.js'
import { type SagaWord, simulate } from '../../testkit/simulate.js'
import { Partners, runs } from '../saga/random-saga.js'
import { answering, applied, aSaga, by, deferred, inDoubt, refused, threeSteps } from '../saga/three-steps.js'

/** Time jumps to whatever is waited for, a moment after it began to be waited for, and not while the hub is at work: a word from outside can come before. */
let now = beginning
let atWork = 0
/** Partners may take long, so they are no work. */
let asking = 0
const counted = <Result>(work: Promise<Result>): Promise<Result> => {
  atWork += 1
  return work.finally(() => (atWork -= 1))
}
const armed = new Set<NodeJS.Timeout>()
const jumpingClock: Clock = {
  now: () => now,
  after(ms, task) {
    const due = now + ms
    const timeout = setTimeout(() => {
      if (atWork > 0) {
        timeout.refresh()
        return
      }
      armed.delete(timeout)
      now = Math.max(now, due)
      task()
    }, 15)
    armed.add(timeout)
    return () => {
      armed.delete(timeout)
      clearTimeout(timeout)
    }
  },
}

let saga: Saga
let answer: (ask: Ask) => Outcome | Promise<Outcome>
let data: string
let store: Store
let hub: TaskHub

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'orchestrator-'))
  const opened = openStore(data)
  store = { ...opened, commit: (write) => counted(opened.commit(write)) }
  const log = () => undefined
  Object.assign(globalThis, {
    underTest: {
      orchestrator: sagaOrchestrator(() => saga),
      askPartner: (ask: Ask) => answer(ask),
      lane,
      async tellLane(words: Record<string, LaneWord>) {
        for (const [id, word] of Object.entries(words)) await hub.raise(id, names.laneWord, JSON.stringify(word))
      },
      isRunning: (id: string) => hub.find(id)?.status === 'Running',
    },
  })
  const app = await loadApp({ folder: resolve('test/orchestrators/app'), hostname: '127.0.0.1:1', log })
  const settings = readHubSettings(undefined, log)
  const tokenFor = () => Promise.reject(new Error('There is no identity here.'))
  const code = durableCodeOf(app)
  const runActivity: typeof code.runActivity = (...all) => {
    asking += 1
    return code.runActivity(...all).finally(() => (asking -= 1))
  }
  const runOrchestrator: typeof code.runOrchestrator = (...all) => counted(code.runOrchestrator(...all))
  hub = new TaskHub({
    store,
    clock: jumpingClock,
    reach: carryOn,
    log,
    code: { ...code, runOrchestrator, runActivity },
    settings,
    tokenFor,
  })
})
afterAll(async () => {
  await hub.close()
  await store.close()
  rmSync(data, { recursive: true, force: true })
})

let count = 0

/** Runs the saga on the hub; tells its last status, and what the hub had to do for it. */
async function drive(words: readonly SagaWord[] = []) {
  const event = anEvent({ id: String(++count).padStart(20, '0') })
  const id = instanceIdOf(saga.name, event)
  now = beginning
  const left = [...words]
  let seen = ''
  let quiet = 0
  await hub.start(names.saga, JSON.stringify({ saga: saga.name, version: saga.version, event }), { id })
  const statusNow = (): SagaStatus | undefined => JSON.parse(hub.find(id)?.customStatus ?? 'null') ?? undefined
  const status = await until(
    'the saga has ended or waits for nothing but a person',
    async () => {
      const told = statusNow()
      const kind = told?.waitsFor?.kind
      const said = told?.log.length ?? 0
      const word =
        (kind === 'operator' || kind === 'answer') && said === words.length - left.length ? left.shift() : undefined
      if (word) await hub.raise(id, names.signal, JSON.stringify(signalOf(word, `word-${said}`)))
      // Held, and nothing goes on any more: no timer runs, and the status has not changed for a while.
      const text = JSON.stringify(told)
      quiet = text === seen && armed.size === 0 && atWork + asking === 0 ? quiet + 1 : 0
      seen = text
      const isStuck = kind === 'operator' && left.length === 0 && quiet > 15
      return hub.find(id)?.status === 'Completed' || isStuck ? statusNow() : undefined
    },
    { everyMs: 1 },
  )
  const types = hub.historyOf(id).map(({ EventType }) => EventType)
  return {
    event,
    status,
    activities: types.filter((type) => type === 4).length,
    timers: types.filter((type) => type === 10).length,
    events: types.length,
  }
}

function signalOf(word: SagaWord, id: string) {
  return word.kind === 'reply' ? { edition: 1, ...word } : { kind: 'command', command: { ...word, id } }
}

/** Ids and words differ between the two; times do not. */
const comparable = (status: SagaStatus) => ({ ...status, id: '', log: status.log.map((word) => ({ ...word, id: '' })) })

const scenarios: readonly (readonly [string, Saga, Record<string, readonly Outcome[]>, readonly SagaWord[]])[] = [
  ['all agree', threeSteps(), {}, []],
  ['the last refuses', threeSteps(), { c: [refused] }, []],
  ['one is deferred', threeSteps(), { b: [deferred, deferred, applied] }, []],
  ['one is exhausted', threeSteps(), { b: [deferred] }, []],
  ['a doubt ends', threeSteps(), { b: [inDoubt, applied] }, []],
  ['a doubt is probed', threeSteps({ probed: true, keys: 'ignored' }), { b: [inDoubt], 'probe b': [refused] }, []],
  [
    'a doubt is held, and retried',
    threeSteps({ keys: 'ignored' }),
    { b: [inDoubt, applied] },
    [{ kind: 'retry', ...by }],
  ],
  [
    'a doubt is cancelled and written off',
    threeSteps({ keys: 'ignored' }),
    { b: [inDoubt] },
    [
      { kind: 'cancel', ...by },
      { kind: 'writeOff', step: 'b', ...by },
    ],
  ],
  ['a debt is paid', threeSteps(), { c: [refused], 'undo b': [deferred, deferred, deferred, applied] }, []],
  [
    'a block is refused',
    aSaga([[{ name: 'a' }], [{ name: 'b1' }, { name: 'b2' }], [{ name: 'c' }]]),
    { b1: [refused], b2: [deferred, applied] },
    [],
  ],
  ['a step is left out', aSaga([[{ name: 'a', when: () => false }], [{ name: 'b' }]]), {}, []],
  [
    'a pivot is passed',
    aSaga([[{ name: 'a' }], [{ name: 'p', kind: 'pivot' }], [{ name: 'z', shape: { retry: relentless } }]]),
    { z: [deferred, deferred, applied] },
    [],
  ],
  [
    'an answer comes later',
    aSaga([[{ name: 'a', shape: { answeredWithin: 60_000 } }], [{ name: 'b' }]]),
    {},
    [{ kind: 'reply', step: 'a', outcome: { kind: 'applied', output: 7 } }],
  ],
  ['a deadline passes', aSaga([[{ name: 'a' }], [{ name: 'b' }]], { deadline: 500 }), { b: [deferred] }, []],
  [
    'a refusal is held for a time',
    aSaga([[{ name: 'a' }], [{ name: 'b', holdRefusalFor: 60_000 }]]),
    { b: [refused] },
    [],
  ],
]

describe('on the embedded task hub', () => {
  it.each(scenarios)('a saga in which %s ends as in the simulator', async (_, definition, deviations, words) => {
    saga = definition
    answer = answering(deviations)

    const { event, status } = await drive(words)

    const told = simulate(definition, event, { answers: answering(deviations), words })
    expect(comparable(status)).toEqual(comparable(told.status))
  })

  it('random sagas end as in the simulator, whatever the partners answer', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        saga = run.saga
        const partners = new Partners(run.script, run.lied)
        answer = (ask) => partners.answer(run.saga, ask)

        const { event, status } = await drive()

        const same = new Partners(run.script, run.lied)
        const told = simulate(run.saga, event, { answers: (ask) => same.answer(run.saga, ask) })
        expect(comparable(status)).toEqual(comparable(told.status))
      }),
      { numRuns: 150, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
    )
  })

  it('a happy saga of three steps costs three activities and no timer', async () => {
    saga = threeSteps()
    answer = () => applied

    const { activities, timers } = await drive()

    process.stdout.write(`happy saga of three steps without a snapshot: activities=${activities}, timers=${timers}\n`)
    expect({ activities, timers }).toEqual({ activities: 3, timers: 0 })
  })

  it('a saga that waits for weeks does not carry them all in its history', async () => {
    saga = aSaga([[{ name: 'a' }], [{ name: 'p', kind: 'pivot' }], [{ name: 'z', shape: { retry: relentless } }]])
    const script = { z: [...Array.from({ length: 120 }, () => deferred), applied] }
    answer = answering(script)

    const { events, status, event } = await drive()

    expect(comparable(status)).toEqual(comparable(simulate(saga, event, { answers: answering(script) }).status))
    expect(status.steps[2]?.attempts).toBe(121)
    expect(events).toBeLessThan(500)
  })

  it('a saga hears all that people say while it is busy, also when its history is cut meanwhile', async () => {
    saga = aSaga([[{ name: 'a' }], [{ name: 'p', kind: 'pivot' }], [{ name: 'z', shape: { retry: relentless } }]])
    const script = { z: [...Array.from({ length: 160 }, () => deferred), applied] }
    const plain = answering(script)
    let said = 0
    const raised: Promise<void>[] = []
    // Said while a partner is being asked: nobody listens then.
    answer = (ask) => {
      if (ask.step === 'z' && ask.attempt % 2 === 0) {
        const id = instanceIdOf(saga.name, anEvent({ id: String(count).padStart(20, '0') }))
        const word = { kind: 'skip', step: 'nowhere', actor: 'ops', reason: String(said) } as const
        raised.push(hub.raise(id, names.signal, JSON.stringify(signalOf(word, `busy-${said++}`))))
      }
      return plain(ask)
    }

    const { status, event } = await drive()
    await Promise.all(raised)

    const input = JSON.parse(hub.find(instanceIdOf(saga.name, event))?.input ?? '{}')
    const heard = new Set([
      ...input.state.log.map((entry: { command: { id: string } }) => entry.command.id),
      ...status.log.map(({ id }) => id),
    ])
    expect(said).toBe(80)
    expect(status.phase).toBe('completed')
    expect(heard.size).toBe(said)
  })

  it('a saga hears what is said while it is busy, also after a wait that a time has ended', async () => {
    saga = threeSteps()
    const plain = answering({ b: [deferred] })
    answer = async (ask) => {
      if (ask.step === 'b' && ask.attempt === 2) {
        const id = instanceIdOf(saga.name, anEvent({ id: String(count).padStart(20, '0') }))
        await hub.raise(id, names.signal, JSON.stringify(signalOf({ kind: 'cancel', ...by }, 'while-busy')))
        const isThere = async () => hub.historyOf(id).some(({ EventType }) => EventType === eventType.EventRaised)
        await until('the word is in the history', isThere, { everyMs: 1 })
      }
      return plain(ask)
    }

    const { status } = await drive()

    expect(status).toMatchObject({ phase: 'cancelled', log: [{ command: 'cancel' }] })
    expect(status.steps[1]?.attempts).toBe(2)
  })

  it('a saga in a lane waits for the one before it, also if that one was ended by force', async () => {
    saga = { ...threeSteps(), lane: 'row' }
    let goOn = () => undefined as void
    const begun: string[] = []
    answer = (ask) => {
      begun.push(ask.key)
      return begun.length === 1 ? new Promise<Outcome>((resolveIt) => (goOn = () => resolveIt(applied))) : applied
    }
    const ids = ['a', 'b', 'c', 'd'].map((digit) => instanceIdOf(saga.name, anEvent({ id: digit.repeat(20) })))
    const start = async (index: number) => {
      const event = anEvent({ id: 'abcd'.charAt(index).repeat(20) })
      await hub.start(names.saga, JSON.stringify({ saga: saga.name, version: saga.version, event }), {
        id: ids[index] ?? '',
      })
    }
    const phases = () => ids.map((id) => JSON.parse(hub.find(id)?.customStatus ?? '{}').phase)
    const waitsInLane = (id: string | undefined) =>
      JSON.parse(hub.find(id ?? '')?.customStatus ?? '{}').waitsFor?.kind === 'lane'

    await start(0)
    await until('the first asks', async () => begun.length === 1, { everyMs: 1 })
    for (const index of [1, 2, 3]) {
      await start(index)
      await until('it waits', async () => waitsInLane(ids[index]), { everyMs: 1 })
    }
    await hub.command(ids[0] ?? '', 'terminate', 'by force')
    await until(
      'all have ended',
      async () => ids.every((id) => /Completed|Terminated/.test(hub.find(id)?.status ?? '')),
      {
        everyMs: 5,
      },
    )
    goOn()

    const ended = phases().slice(1).map(String)
    expect(ended).toContain('completed')
    expect(ended.filter((phase) => phase !== 'completed' && phase !== 'merged')).toEqual([])
  })
})
