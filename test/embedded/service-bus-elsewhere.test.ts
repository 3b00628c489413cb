// A host whose Service Bus is not its own: the setting names another broker, and its triggers receive through the client.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, vi } from 'vitest'
import type { Host } from '../../embedded/host.js'
import { hostOf } from './app-host.js'
import { takesSingleMessages } from './single-messages.js'
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

takesSingleMessages(() => ({ client: elsewhere.client, port: host.port }))
