// Any Durable Functions app on the embedded runtime: the real SDKs in an app that knows nothing of it, asked over HTTP.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Host } from '../../embedded/host.js'
import { until } from '../../local/installation.js'
import { hostOf } from './app-host.js'

let data: string
let runtime: Host
let url: string

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'runtime-'))
  const app = resolve('test/embedded/apps/durable')
  runtime = await hostOf(app, data)
  url = `http://127.0.0.1:${runtime.port}`
})
afterAll(async () => {
  await runtime.close()
  rmSync(data, { recursive: true, force: true })
})

const management = (path: string, init?: RequestInit) => fetch(`${url}/runtime/webhooks/durabletask/${path}`, init)
const json = { 'content-type': 'application/json' }

async function start(name: string, input: unknown = null): Promise<string> {
  const response = await management(`orchestrators/${name}`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify(input),
  })
  return JSON.parse(await response.text()).id
}

const statusOf = async (id: string, query = '') =>
  JSON.parse(await (await management(`instances/${id}?${query}`)).text())

const reach = (id: string, ...statuses: string[]) =>
  until(`${id} is ${statuses.join(' or ')}`, async () => {
    const status = await statusOf(id)
    return statuses.includes(status.runtimeStatus) && status
  })

const run = async (name: string, input?: unknown) => reach(await start(name, input), 'Completed', 'Failed')

const raise = (id: string, name: string, value: unknown) =>
  management(`instances/${id}/raiseEvent/${name}`, { method: 'POST', headers: json, body: JSON.stringify(value) })

const startAs = async (id: string) => {
  await management(`orchestrators/waits/${id}`, { method: 'POST', headers: json, body: 'null' })
  return id
}

async function listAll(query: string): Promise<string[]> {
  const ids: string[] = []
  let token: string | null = ''
  do {
    const response: Response = await management(
      `instances?${query}`,
      token ? { headers: { 'x-ms-continuation-token': token } } : {},
    )
    for (const { instanceId } of JSON.parse(await response.text())) ids.push(instanceId)
    token = response.headers.get('x-ms-continuation-token')
  } while (token)
  return ids
}

describe('an orchestration', () => {
  it('calls activities one after the other', async () => {
    expect(await run('sequence', { n: 1 })).toMatchObject({ output: { second: 'AB', input: { n: 1 } } })
  })

  it('calls many at once', async () => {
    const { output } = await run('fanOut')

    expect(output).toEqual(Array.from({ length: 50 }, (_, index) => `N${index}`))
  })

  it('hands values of all types to activities and back', async () => {
    expect((await run('types')).output).toEqual([1.5, true, null, 'text', '"quoted"', { deep: [1] }])
  })

  it('has activities that are durable clients themselves', async () => {
    expect((await run('seesItself')).output).toBe('seesItself')
  })

  it('retries a failing activity until it succeeds', async () => {
    expect((await run('retries')).output).toBe('at last')
  })

  it('catches the failure of an activity whose retries are exhausted', async () => {
    expect((await run('givesUp')).output).toBe("caught: Activity function 'hopeless' failed: never")
  })

  it('fails with what was thrown', async () => {
    expect(await run('fails')).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringMatching(
        /^Orchestrator function 'fails' failed: .*Activity function 'hopeless' failed: never/,
      ),
    })
  })

  it('fails loudly when it throws a text of no length, where the platform would wait for ever', async () => {
    expect(await run('throwsNothing')).toMatchObject({ runtimeStatus: 'Failed' })
  })

  it('sleeps at least as long as it wants to', async () => {
    expect((await run('timer')).output).toBeGreaterThanOrEqual(50)
  })

  it('hears events that come early and late, and cancels the timer that it waited beside', async () => {
    const id = await start('twoEvents')
    await raise(id, 'Word', 'one')
    await until(
      'the first word is heard',
      async () => (await statusOf(id, 'showHistory=true')).historyEvents?.length > 2,
    )
    await raise(id, 'Word', { two: 2 })

    expect((await reach(id, 'Completed')).output).toEqual(['one', { two: 2 }])
    const { historyEvents } = await statusOf(id, 'showHistory=true')
    expect(historyEvents.filter(({ EventType }: { EventType: string }) => EventType === 'TimerCreated')).toHaveLength(1)
  })

  it('calls HTTP, and asks again as long as it is told to', async () => {
    const patient = await run('callsHttp', { url: `${url}/job`, asks: true })
    const hasty = await run('callsHttp', { url: `${url}/job`, asks: false })
    const lost = await run('callsHttp', { url: 'http://127.0.0.1:1/nobody', asks: true })

    expect(patient.output).toEqual({ status: 200, content: '{"done":true,"polls":3}', after: 'AFTER' })
    expect(hasty.output).toMatchObject({ status: 202, after: 'AFTER' })
    expect(lost).toMatchObject({ runtimeStatus: 'Failed', output: expect.stringContaining('BuiltIn::HttpActivity') })
    const { historyEvents } = await statusOf(patient.instanceId, 'showHistory=true')
    expect(
      historyEvents.map(({ EventType, FunctionName }: { EventType: string; FunctionName?: string }) =>
        FunctionName ? `${EventType} ${FunctionName}` : EventType,
      ),
    ).toEqual([
      'ExecutionStarted callsHttp',
      'TaskCompleted BuiltIn::HttpActivity',
      'TimerCreated',
      'TimerFired',
      'TaskCompleted BuiltIn::HttpActivity',
      'TimerCreated',
      'TimerFired',
      'TaskCompleted BuiltIn::HttpActivity',
      'TaskCompleted shout',
      'ExecutionCompleted',
    ])
  })

  it('that has failed can be rewound, with all that it called, and does not do again what it has done', async () => {
    const plain = await run('rewindable')
    const parent = await run('rewindableParent')
    expect([plain.runtimeStatus, parent.runtimeStatus]).toEqual(['Failed', 'Failed'])
    const command = (id: string, what: string) => management(`instances/${id}/${what}`, { method: 'POST' })
    await fetch(`${url}/mend`, { method: 'POST' })

    expect((await command(plain.instanceId, 'rewind?reason=mended')).status).toBe(202)
    expect((await command(parent.instanceId, 'rewind?reason=mended')).status).toBe(202)

    expect((await reach(plain.instanceId, 'Completed')).output).toEqual(['BEFORE', 'after'])
    expect((await reach(parent.instanceId, 'Completed')).output).toEqual(['child'])
    expect((await command(plain.instanceId, 'rewind')).status).toBe(412)
    const { historyEvents } = await statusOf(plain.instanceId, 'showHistory=true')
    expect(
      historyEvents.filter(({ FunctionName }: { FunctionName?: string }) => FunctionName === 'shout'),
    ).toHaveLength(1)
  })

  it('can be restarted, under a new id or its own', async () => {
    const first = await run('sequence', 7)
    const restart = async (query: string) => {
      const response = await management(`instances/${first.instanceId}/restart?${query}`, { method: 'POST' })
      return { status: response.status, id: JSON.parse(await response.text()).id }
    }

    const other = await restart('')
    const same = await restart('restartWithNewInstanceId=false')

    expect([other.status, same]).toEqual([202, { status: 202, id: first.instanceId }])
    expect(other.id).not.toBe(first.instanceId)
    expect((await reach(other.id, 'Completed')).output).toEqual(first.output)
    expect((await management('instances/nobody/restart', { method: 'POST' })).status).toBe(400)
  })

  it('calls others, one after the other and at the same time, with ids of their own', async () => {
    const parent = await run('parent')
    const id = parent.instanceId

    expect(parent.output).toEqual([
      { text: 'A', parent: id },
      { text: 'B', parent: id },
      { text: 'C', parent: id },
    ])
    expect(await statusOf(`${id}-b`)).toMatchObject({ name: 'child', runtimeStatus: 'Completed' })
    const { historyEvents } = await statusOf(id, 'showHistory=true&showHistoryOutput=true')
    expect(historyEvents.map(({ EventType }: { EventType: string }) => EventType)).toEqual([
      'ExecutionStarted',
      'SubOrchestrationInstanceCompleted',
      'SubOrchestrationInstanceCompleted',
      'SubOrchestrationInstanceCompleted',
      'ExecutionCompleted',
    ])
    expect(historyEvents[1]).toMatchObject({ FunctionName: 'child', Result: { text: 'A', parent: id } })
  })

  it('tries others again as often as it said, and hears why they failed', async () => {
    const { output, instanceId } = await run('patientParent')

    expect(output).toMatchObject([/never/, /nobody/].map((words) => expect.stringMatching(words)))
    const { historyEvents } = await statusOf(instanceId, 'showHistory=true')
    const failed = historyEvents.filter(
      ({ EventType }: { EventType: string }) => EventType === 'SubOrchestrationInstanceFailed',
    )
    expect(failed).toHaveLength(4)
  })

  it('begins anew as often as it wants, under one id', async () => {
    expect(await run('countsDown', 5)).toMatchObject({ output: 'lift off' })
  })

  it('fails when its custom status is too large, and when its code has changed', async () => {
    expect((await run('tooMuchStatus')).output).toMatch(/16 KB/)
    const id = await start('changes')
    await until('the activity has run', async () => (await statusOf(id, 'showHistory=true')).historyEvents?.length > 1)

    await fetch(`${url}/change`, { method: 'POST' })
    await raise(id, 'Word', null)

    expect((await reach(id, 'Failed')).output).toMatch(
      /Non-Deterministic workflow detected: as number 0 the history has activity 'shout', the code asks for activity 'echo'/,
    )
  })
})

describe('an instance', () => {
  it('can be suspended, resumed and terminated', async () => {
    const id = await start('waits')
    await reach(id, 'Running')
    await management(`instances/${id}/suspend?reason=lunch`, { method: 'POST' })
    await reach(id, 'Suspended')
    await raise(id, 'Word', 'heard')
    expect((await statusOf(id)).runtimeStatus).toBe('Suspended')

    await management(`instances/${id}/resume?reason=back`, { method: 'POST' })
    expect((await reach(id, 'Completed')).output).toBe('heard')

    const other = await start('waits')
    await reach(other, 'Running')
    await management(`instances/${other}/terminate?reason=enough`, { method: 'POST' })
    expect((await reach(other, 'Terminated')).output).toBe('enough')
    expect((await raise(other, 'Word', 1)).status).toBe(410)
  })

  it('is refused under an id that runs, and replaced under one that has ended', async () => {
    const once = () => management('orchestrators/waits/my-id', { method: 'POST', headers: json, body: 'null' })
    expect((await once()).status).toBe(202)
    await reach('my-id', 'Running')

    const again = await once()
    expect([again.status, await again.json()]).toEqual([
      409,
      { Message: 'An Orchestration instance with the status Running already exists.' },
    ])

    await management('instances/my-id/terminate', { method: 'POST' })
    await reach('my-id', 'Terminated')
    expect((await once()).status).toBe(202)
    await reach('my-id', 'Running')
  })

  it('of two starts at once under one id is started once', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const response = await management('orchestrators/waits/contended', {
          method: 'POST',
          headers: json,
          body: 'null',
        })
        return response.status
      }),
    )

    expect(statuses.toSorted((a, b) => a - b)).toEqual([202, 409, 409, 409, 409])
  })

  it('can be purged when it has ended, not before', async () => {
    const id = await start('waits')
    await reach(id, 'Running')
    expect((await management(`instances/${id}`, { method: 'DELETE' })).status).toBe(412)
    await raise(id, 'Word', 1)
    await reach(id, 'Completed')

    expect(await (await management(`instances/${id}`, { method: 'DELETE' })).json()).toEqual({ instancesDeleted: 1 })
    expect((await management(`instances/${id}`)).status).toBe(404)
  })

  it('shows its history with names, and outputs only when they are asked for', async () => {
    const { instanceId } = await run('sequence', 'in')

    const { historyEvents } = await statusOf(instanceId, 'showHistory=true&showHistoryOutput=true')

    expect(historyEvents).toMatchObject([
      { EventType: 'ExecutionStarted', FunctionName: 'sequence', Input: 'in' },
      { EventType: 'TaskCompleted', FunctionName: 'shout', Result: 'A' },
      { EventType: 'TaskCompleted', FunctionName: 'shout', Result: 'AB' },
      { EventType: 'ExecutionCompleted', OrchestrationStatus: 'Completed', Result: { second: 'AB', input: 'in' } },
    ])
    expect(JSON.stringify(await statusOf(instanceId, 'showHistory=true'))).not.toContain('"Result"')
  })
})

describe('the list of instances', () => {
  it('can be filtered, and paged to its end', async () => {
    const before = new Date().toISOString()
    const ids = await Promise.all(['p-1', 'p-2', 'p-3', 'q-1'].map((id) => startAs(id)))
    await Promise.all(ids.map((id) => reach(id, 'Running')))

    const listed = await listAll(`instanceIdPrefix=p-&top=2`)
    expect(listed).toEqual(['p-1', 'p-2', 'p-3'])
    expect((await listAll(`createdTimeFrom=${before}&top=3`)).toSorted()).toEqual(['p-1', 'p-2', 'p-3', 'q-1'])
    expect(await listAll(`createdTimeFrom=${before}&runtimeStatus=Completed,Failed`)).toEqual([])
  })
})

describe('the durable client in the app', () => {
  it('starts orchestrations and hands out the URLs of the server that was asked', async () => {
    const response = await fetch(`${url}/start/sequence`, { method: 'POST', headers: json, body: '"x"' })
    const { id, statusQueryGetUri } = JSON.parse(await response.text())

    expect(response.status).toBe(202)
    expect(statusQueryGetUri).toContain(`${url}/runtime/webhooks/durabletask/instances/${id}`)
    await reach(id, 'Completed')
  })

  it('is refused an orchestrator that does not exist', async () => {
    expect((await fetch(`${url}/start/nope`, { method: 'POST', headers: json, body: '1' })).status).toBe(500)
    const response = await management('orchestrators/nope', { method: 'POST', headers: json, body: '1' })
    expect([response.status, await response.json()]).toEqual([
      400,
      { Message: expect.stringContaining("The function 'nope' doesn't exist") },
    ])
  })
})

describe('an HTTP function', () => {
  it('gets path, query, headers and body, and answers with status, headers, cookies and JSON', async () => {
    const response = await fetch(`${url}/MIRROR/a%20b/7?q=1`, {
      method: 'POST',
      headers: { 'x-sent': 'me' },
      body: 'text',
    })

    expect(response.status).toBe(201)
    expect(response.headers.get('x-seen')).toBe('me')
    expect(response.headers.get('set-cookie')).toBe('c=v; Max-Age=5')
    expect(await response.json()).toEqual({ params: { first: 'a b', number: '7' }, query: '1', text: 'text' })
  })

  it('need not have every parameter, but those it has must fit', async () => {
    expect((await fetch(`${url}/mirror/a`)).status).toBe(201)
    expect((await fetch(`${url}/mirror/a/x`)).status).toBe(404)
    expect((await fetch(`${url}/mirror/a`, { method: 'PUT' })).status).toBe(404)
  })

  it('that answers nothing is a 204, that throws a 500', async () => {
    expect((await fetch(`${url}/nothing`)).status).toBe(204)
    expect((await fetch(`${url}/broken`)).status).toBe(500)
  })
})

describe('code that goes wrong fails its own instance, and nothing else', () => {
  it.each([
    ['returnsNoJson', 'Failed', /BigInt/],
    ['isNoGenerator', 'Failed', /./],
    ['yieldsNonsense', 'Failed', /yielded data of type number/],
    ['throwsNothing', 'Failed', /./],
    ['neverYields', 'Completed', /at once/],
    ['getsCircular', 'Completed', /circular/],
  ])('%s: %s', async (name, status, words) => {
    const { runtimeStatus, output } = await run(name)

    expect(runtimeStatus).toBe(status)
    expect(JSON.stringify(output)).toMatch(words)
    expect((await run('sequence')).runtimeStatus).toBe('Completed')
  })

  it('ten megabytes are carried', async () => {
    expect(await run('carriesMuch', 10_000_000)).toMatchObject({ runtimeStatus: 'Completed', output: 10_000_000 })
  })
})

describe('entities', () => {
  const signal = (key: string, operation: string, input?: unknown) =>
    fetch(`${url}/signal/${key}`, { method: 'POST', headers: json, body: JSON.stringify({ operation, input }) })
  const read = async (key: string) => JSON.parse(await (await fetch(`${url}/read/${key}`)).text())
  const holds = (key: string, value: number) =>
    until(`${key} is ${value}`, async () => (await read(key)).entityState === value)

  it('are called and signalled by orchestrations, in the order of what was sent', async () => {
    const counted = await run('counts', 'one')

    expect(counted.output).toEqual({ value: 5, broke: true, after: 'AFTER' })
    expect(await read('one')).toEqual({ entityExists: true, entityState: 5 })
  })

  it('are signalled from outside and by each other, read, listed, and deleted', async () => {
    await signal('a', 'add', 4)
    await signal('a', 'pass', 'b')
    await holds('b', 4)

    const listed = JSON.parse(await (await management('entities/counter?fetchState=true')).text())
    await signal('b', 'delete')

    expect(listed).toContainEqual({
      entityId: { name: 'counter', key: 'b' },
      lastOperationTime: expect.any(String),
      state: 4,
    })
    await until('it is gone', async () => !(await read('b')).entityExists)
    expect((await management('entities/counter/b')).status).toBe(404)
  })

  it('are locked by one orchestration at a time: no money is made and none is lost', async () => {
    await signal('purse', 'add', 100)
    await holds('purse', 100)

    const transfers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        run(
          'transfers',
          n % 2 === 0 ? { from: 'purse', to: 'chest', amount: 30 } : { from: 'chest', to: 'purse', amount: 10 },
        ),
      ),
    )

    expect(transfers.every(({ runtimeStatus }) => runtimeStatus === 'Completed')).toBe(true)
    const [purse, chest] = [(await read('purse')).entityState ?? 0, (await read('chest')).entityState ?? 0]
    expect(purse + chest).toBe(100)
    expect(Math.min(purse, chest)).toBeGreaterThanOrEqual(0)
  })
})
