// What each feature leaves in the recorded history, event by event: the SDK replays it, so it must be what the platform's own task hub would have written.
//
// `TaskScheduled #0 shout` has the sequence number 0, `TaskCompleted of #0` answers it.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../embedded/clock.js'
import { carryOn } from '../../embedded/crash-points.js'
import { type DurableCode, durableCodeOf } from '../../embedded/functions/durable-code.js'
import { loadApp } from '../../embedded/functions/load-app.js'
import { openStore, type Store } from '../../embedded/store/store.js'
import { type HistoryEvent, nameOf } from '../../embedded/taskhub/history.js'
import { TaskHub } from '../../embedded/taskhub/hub.js'
import { readHubSettings } from '../../embedded/taskhub/settings.js'
import { until } from '../../local/installation.js'

let code: DurableCode
let data: string
let store: Store
let hub: TaskHub
/** Says 202 once, then 200. */
let job: Server
let jobUrl: string

let asked = 0

beforeAll(async () => {
  job = createServer((_, response) => {
    asked += 1
    response.writeHead(asked === 1 ? 202 : 200, { location: '/job', 'retry-after': '1' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(job, 'listening')
  const address = job.address()
  jobUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/job`
  code = durableCodeOf(await loadApp({ folder: resolve('test/embedded/apps/durable'), hostname: '127.0.0.1:1', log }))
})
afterAll(() => void job.close())

const log = () => undefined

function openHub(extendedSessionsEnabled: boolean): void {
  data = mkdtempSync(join(tmpdir(), 'conformance-'))
  store = openStore(data)
  asked = 0
  Object.assign(globalThis, { mended: false })
  const tokenFor = () => Promise.reject(new Error('There is no identity here.'))
  const settings = readHubSettings({ extendedSessionsEnabled }, log)
  hub = new TaskHub({ store, clock: systemClock, reach: carryOn, log, code, settings, tokenFor })
}

async function closeHub(): Promise<void> {
  await hub.close()
  await store.close()
  rmSync(data, { recursive: true, force: true })
}

const hasEnded = (id: string) => /Completed|Failed|Terminated/.test(hub.find(id)?.status ?? '')

async function run(name: string, input: unknown, meanwhile: (id: string) => Promise<void>): Promise<string> {
  const id = await hub.start(name, JSON.stringify(input))
  await meanwhile(id)
  await until(`${name} has ended`, async () => hasEnded(id), { everyMs: 5 })
  return id
}

/** One line for each turn, from OrchestratorStarted to OrchestratorCompleted; and one for what stands outside. */
function told(id: string): string[] {
  const lines: string[] = []
  let turn: string[] | undefined
  for (const event of hub.historyOf(id)) {
    const name = nameOf(event)
    const answers = event.TaskScheduledId ?? event.TimerId
    const words = [name, numberOf(event), answers === undefined ? '' : `of #${answers}`, detailOf(event, id)]
    if (name === 'OrchestratorStarted') turn = []
    else if (name === 'OrchestratorCompleted') {
      lines.push(`turn: ${turn?.join(', ')}`)
      turn = undefined
    } else (turn ?? lines).push(words.filter(Boolean).join(' '))
  }
  return turn ? [...lines, `turn, not ended: ${turn.join(', ')}`] : lines
}

const numberOf = ({ EventId }: HistoryEvent) => (EventId >= 0 ? `#${EventId}` : '')

function detailOf({ Name, InstanceId, OrchestrationStatus }: HistoryEvent, id: string): string {
  const details = [Name, InstanceId?.startsWith('@') ? InstanceId : '', OrchestrationStatus]
  return details.filter(Boolean).join(' ').replaceAll(id, 'ID')
}

const nothing = () => Promise.resolve()
const itWaits = (id: string) => until('it waits', async () => told(id).length > 0, { everyMs: 5 })

async function twoWords(id: string): Promise<void> {
  await itWaits(id)
  await hub.raise(id, 'Word', '1')
  await until('the first is heard', async () => told(id).length > 1, { everyMs: 5 })
  await hub.raise(id, 'Word', '2')
}

async function suspension(id: string): Promise<void> {
  await itWaits(id)
  await hub.command(id, 'suspend', 'lunch')
  await until('it is suspended', async () => hub.find(id)?.status === 'Suspended', { everyMs: 5 })
  await hub.raise(id, 'Word', '1')
  await hub.command(id, 'resume', 'back')
}

async function termination(id: string): Promise<void> {
  await itWaits(id)
  await hub.command(id, 'terminate', 'enough')
}

describe.each([
  { mode: 'replayed in every turn', extendedSessions: false },
  { mode: 'kept in memory between turns', extendedSessions: true },
])('$mode: the history of', ({ extendedSessions }) => {
  beforeAll(() => openHub(extendedSessions))
  afterAll(closeHub)

  it.each<readonly [string, string, unknown, (id: string) => Promise<void>, readonly string[]]>([
    [
      'activities in a row',
      'sequence',
      null,
      nothing,
      [
        'turn: ExecutionStarted sequence, TaskScheduled #0 shout',
        'turn: TaskCompleted of #0, TaskScheduled #1 shout',
        'turn: TaskCompleted of #1',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'retries that succeed',
      'retries',
      null,
      nothing,
      [
        'turn: ExecutionStarted retries, TaskScheduled #0 flaky',
        'turn: TaskFailed of #0, TimerCreated #1',
        'turn: TimerFired of #1, TaskScheduled #2 flaky',
        'turn: TaskFailed of #2, TimerCreated #3',
        'turn: TimerFired of #3, TaskScheduled #4 flaky',
        'turn: TaskCompleted of #4',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'retries that are exhausted: a last timer, due at once',
      'givesUp',
      null,
      nothing,
      [
        'turn: ExecutionStarted givesUp, TaskScheduled #0 hopeless',
        'turn: TaskFailed of #0, TimerCreated #1',
        'turn: TimerFired of #1, TaskScheduled #2 hopeless',
        'turn: TaskFailed of #2, TimerCreated #3',
        'turn: TimerFired of #3',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'a failure',
      'fails',
      null,
      nothing,
      [
        'turn: ExecutionStarted fails, TaskScheduled #0 hopeless',
        'turn: TaskFailed of #0',
        'ExecutionCompleted Failed',
      ],
    ],
    [
      'a timer',
      'timer',
      null,
      nothing,
      ['turn: ExecutionStarted timer, TimerCreated #0', 'turn: TimerFired of #0', 'ExecutionCompleted Completed'],
    ],
    [
      'all of two timers',
      'waitsForBoth',
      null,
      nothing,
      [
        'turn: ExecutionStarted waitsForBoth, TimerCreated #0, TimerCreated #1',
        'turn: TimerFired of #0',
        'turn: TimerFired of #1',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'any of two timers: it ends when the other has fired too',
      'waitsForEither',
      null,
      nothing,
      [
        'turn: ExecutionStarted waitsForEither, TimerCreated #0, TimerCreated #1',
        'turn: TimerFired of #0',
        'turn: TimerFired of #1',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'a sub-orchestration',
      'asksOne',
      null,
      nothing,
      [
        'turn: ExecutionStarted asksOne, SubOrchestrationInstanceCreated #0 child',
        'turn: SubOrchestrationInstanceCompleted of #0',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'sub-orchestrations that fail, and one that nobody knows',
      'patientParent',
      null,
      nothing,
      [
        'turn: ExecutionStarted patientParent, SubOrchestrationInstanceCreated #0 child',
        'turn: SubOrchestrationInstanceFailed of #0, TimerCreated #1',
        'turn: TimerFired of #1, SubOrchestrationInstanceCreated #2 child',
        'turn: SubOrchestrationInstanceFailed of #2, TimerCreated #3',
        'turn: TimerFired of #3, SubOrchestrationInstanceCreated #4 child',
        'turn: SubOrchestrationInstanceFailed of #4, TimerCreated #5',
        'turn: TimerFired of #5, SubOrchestrationInstanceCreated #6 nobody',
        'turn: SubOrchestrationInstanceFailed of #6',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'continue as new: that of the last execution alone',
      'countsDown',
      1,
      nothing,
      [
        'turn: ExecutionStarted countsDown, TaskScheduled #0 echo',
        'turn: TaskCompleted of #0',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'events and a timer that is taken back',
      'twoEvents',
      null,
      twoWords,
      [
        'turn: ExecutionStarted twoEvents, TimerCreated #0',
        'turn: EventRaised Word',
        'turn: EventRaised Word',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'signals and calls of an entity',
      'counts',
      'c1',
      nothing,
      [
        'turn: ExecutionStarted counts, EventSent #0 op @counter@c1, EventSent #1 op @counter@c1',
        'turn: EventRaised entity-1, EventSent #2 op @counter@c1',
        'turn: EventRaised entity-2, EventSent #3 op @counter@c1',
        'turn: EventRaised entity-3, TaskScheduled #4 shout',
        'turn: TaskCompleted of #4',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'a lock of two entities',
      'transfers',
      { from: 'x', to: 'y', amount: 0 },
      nothing,
      [
        'turn: ExecutionStarted transfers, EventSent #0 op @counter@x',
        'turn: EventRaised entity-0, EventSent #1 op @counter@x',
        'turn: EventRaised entity-1, EventSent #2 op @counter@x',
        'turn: EventRaised entity-2, TaskScheduled #3 shout',
        'turn: TaskCompleted of #3, EventSent #4 op @counter@y',
        'turn: EventRaised entity-4, EventSent #5 release @counter@x, EventSent #6 release @counter@y',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'a suspension',
      'waits',
      null,
      suspension,
      [
        'turn: ExecutionStarted waits',
        'ExecutionSuspended',
        'turn: ExecutionResumed, EventRaised Word',
        'ExecutionCompleted Completed',
      ],
    ],
    [
      'a termination',
      'waits',
      null,
      termination,
      ['turn: ExecutionStarted waits', 'turn, not ended: ExecutionTerminated'],
    ],
  ])('%s', async (_, name, input, meanwhile, events) => {
    expect(told(await run(name, input, meanwhile))).toEqual(events)
  })

  it('a call of HTTP that is told to come back', async () => {
    expect(told(await run('callsHttp', { url: jobUrl, asks: true }, nothing))).toEqual([
      'turn: ExecutionStarted callsHttp, TaskScheduled #0 BuiltIn::HttpActivity',
      'turn: TaskCompleted of #0, TimerCreated #1',
      'turn: TimerFired of #1, TaskScheduled #2 BuiltIn::HttpActivity',
      'turn: TaskCompleted of #2, TaskScheduled #3 shout',
      'turn: TaskCompleted of #3',
      'ExecutionCompleted Completed',
    ])
  })

  it('a rewind: what failed is gone, and what is told in its place', async () => {
    const id = await run('rewindable', null, nothing)
    Object.assign(globalThis, { mended: true })
    await hub.rewind(id, 'mended')
    await until('it has ended', async () => hasEnded(id))

    expect(told(id)).toEqual([
      'turn: ExecutionStarted rewindable, TaskScheduled #0 shout',
      'turn: TaskCompleted of #0',
      'turn: ',
      'turn: GenericEvent Rewound, TaskScheduled #1 breakable',
      'turn: TaskCompleted of #1',
      'ExecutionCompleted Completed',
    ])
  })

  it('many activities at once: all are scheduled in one turn, by their numbers', async () => {
    const events = hub.historyOf(await run('fanOut', null, nothing))

    const scheduled = events.filter((event) => nameOf(event) === 'TaskScheduled')
    expect(scheduled.map(({ EventId }) => EventId)).toEqual(Array.from({ length: 50 }, (_, number) => number))
    expect(new Set(scheduled.map(({ Timestamp }) => Timestamp)).size).toBe(1)
    expect(events.filter((event) => nameOf(event) === 'TaskCompleted')).toHaveLength(50)
  })

  it('whatever comes: a turn is never before what fires in it, nor before the turn before', async () => {
    const events = hub.historyOf(await run('waitsForBoth', null, nothing))

    const begun = events.filter((event) => nameOf(event) === 'OrchestratorStarted').map(({ Timestamp }) => Timestamp)
    const fired = events.flatMap(({ TimerId, FireAt }) => (TimerId === undefined ? [] : [FireAt ?? '']))
    expect(begun).toEqual(begun.toSorted())
    expect(fired.map((due, index) => due <= (begun[index + 1] ?? ''))).toEqual([true, true])
  })

  it('entities: what they are sent tells who sends, and what is locked', async () => {
    const id = await run('transfers', { from: 'x', to: 'y', amount: 0 }, nothing)
    const parent = { parent: id, parentExecution: hub.find(id)?.executionId }
    const [lock, get, , , release] = hub
      .historyOf(id)
      .flatMap((event) => (nameOf(event) === 'EventSent' ? [JSON.parse(event.Input ?? '')] : []))

    expect(lock).toEqual({
      id: 'entity-0',
      lockset: [
        { name: 'counter', key: 'x' },
        { name: 'counter', key: 'y' },
      ],
      pos: 0,
      ...parent,
    })
    expect(get).toEqual({ op: 'get', id: 'entity-1', ...parent })
    expect(release).toEqual({ parent: id, id: 'entity-5' })
  })
})
