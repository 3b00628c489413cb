// A host whose Service Bus is not its own: the setting names another broker, and its triggers receive through the client.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Host } from '../../embedded/host.js'
import { until } from '../../local/installation.js'
import { hostOf } from './app-host.js'
import { aQueue, aSubscription, aTopic, TestNamespace } from './servicebus/namespace.js'

let data: string
let elsewhere: TestNamespace
let host: Host

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'elsewhere-'))
  const queues = [aQueue('mixed'), aQueue('many'), aQueue('ordered', { requiresSession: true }), aQueue('out')]
  elsewhere = await new TestNamespace([...queues, aTopic('news'), aSubscription('news', 'mine')]).open()
  vi.stubEnv(
    'ServiceBusConnection',
    `Endpoint=sb://127.0.0.1:${elsewhere.broker.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`,
  )
  host = await hostOf(resolve('test/embedded/apps/triggers'), data)
})
afterAll(async () => {
  await host.close()
  await elsewhere.end()
  vi.unstubAllEnvs()
  rmSync(data, { recursive: true, force: true })
})

const calls = z.array(
  z.object({ name: z.string(), input: z.unknown(), metadata: z.record(z.string(), z.unknown()).optional() }),
)
const seen = async (name: string) => {
  const response = await fetch(`http://127.0.0.1:${host.port}/api/seen`)
  return calls.parse(await response.json()).filter((call) => call.name === name)
}

it('a subscription of a topic: tried again until it succeeds', async () => {
  await elsewhere.client.createSender('news').sendMessages([{ body: 'fails' }, { body: { a: 1 }, subject: 'x' }])

  const got = await until('all have come', async () => {
    const all = await seen('topic')
    return all.length >= 4 && all
  })
  const failed = got.filter(({ input }) => input === 'fails')
  expect(failed.map(({ metadata }) => metadata?.['deliveryCount'])).toEqual([1, 2, 3])
  expect(got.find(({ input }) => input !== 'fails')).toMatchObject({ input: { a: 1 }, metadata: { label: 'x' } })
})

it('a queue: of calls that end together, those that fail come again and the others do not', async () => {
  const sender = elsewhere.client.createSender('mixed')
  for (let pair = 0; pair < 10; pair++) await sender.sendMessages([{ body: 'fails' }, { body: 'succeeds' }])

  const got = await until('all have come', async () => {
    const all = await seen('mixed')
    return all.length >= 30 && all
  })
  expect(got.filter(({ input }) => input === 'fails')).toHaveLength(20)
  expect(got.filter(({ input }) => input === 'succeeds')).toHaveLength(10)
})
