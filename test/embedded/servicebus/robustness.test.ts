// The broker among clients that misbehave, on a disk that fails, and what an operator does to it: configuration, control door, restarts.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceBusClient } from '@azure/service-bus'
import { afterEach, describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../embedded/servicebus/config-file.js'
import { startControl } from '../../../embedded/servicebus/control.js'
import { until } from '../../../local/installation.js'
import { aQueue, bodies, drain, TestNamespace } from './namespace.js'
import { arrival, bodyOf, StillNamespace, take } from './still-namespace.js'

let bus: TestNamespace | undefined
afterEach(async () => {
  await bus?.end()
  bus = undefined
})

const open = async () => (bus = await new TestNamespace([aQueue('orders')]).open())

/** A client that says nothing sensible, until the broker hangs up or it is closed. */
async function speak(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(bytes)
  await Promise.race([once(socket, 'close'), new Promise((resolve) => void setTimeout(resolve, 200))])
  socket.destroy()
}

const amqpHeader = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0])

describe('clients that misbehave harm nobody else', () => {
  it.each([
    ['no protocol at all', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['another version of the protocol', Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 9, 9, 9])],
    [
      'a frame that is longer than anything',
      Buffer.concat([amqpHeader, Buffer.from([0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0])]),
    ],
    [
      'a frame that is no frame',
      Buffer.concat([amqpHeader, Buffer.from([0, 0, 0, 12, 2, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef])]),
    ],
    ['half a frame', Buffer.concat([amqpHeader, Buffer.from([0, 0, 0, 200, 2, 0])])],
  ])('%s', async (_, bytes) => {
    const { broker, client } = await open()

    await speak(broker.port, bytes)
    await client.createSender('orders').sendMessages({ body: 1 })

    expect(bodies(await drain(client.createReceiver('orders')))).toEqual([1])
  })

  it('one that vanishes in the middle of a receive leaves its lock, and a session to the next', async () => {
    const own = await open()
    await own.broker.namespace.declare(aQueue('sessions', { requiresSession: true }))
    await own.client.createSender('sessions').sendMessages({ body: 1, sessionId: 'a' })
    const script = `
      const { ServiceBusClient } = require('@azure/service-bus')
      const client = new ServiceBusClient('Endpoint=sb://127.0.0.1:${own.broker.port};SharedAccessKeyName=a;SharedAccessKey=a;UseDevelopmentEmulator=true')
      client.acceptSession('sessions', 'a').then((session) => session.receiveMessages(1)).then(() => process.kill(process.pid, 'SIGKILL'))`
    await once(spawn('node', ['-e', script], { stdio: 'ignore' }), 'exit')

    const session = await until('the session is free again', () =>
      own.client.acceptSession('sessions', 'a').catch(() => undefined),
    )

    expect(await drain(session)).toMatchObject([{ body: 1, deliveryCount: 0 }])
  })

  it('one that connects and says nothing does not keep the broker from stopping', async () => {
    const { broker } = await open()
    const socket = connect(broker.port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    const hungUp = once(socket, 'close')

    await Promise.all([broker.close(), hungUp])

    expect(socket.destroyed).toBe(true)
  })

  it.each(['message_id', 'group_id'])('one that sends a %s that is too long for a key is refused', async (id) => {
    const own = await new StillNamespace(aQueue('orders', { duplicateWindow: 60_000 })).open()

    await expect(own.at('orders').enqueue([arrival('a', { [id]: 'x'.repeat(129) })])).rejects.toMatchObject({
      condition: 'com.microsoft:argument-error',
    })
    await own.at('orders').enqueue([arrival('a', { [id]: 'x'.repeat(128) })])

    expect(own.countsOf('orders')).toEqual({ active: 1 })
  })

  it('five hundred of them at a time are served', { timeout: 120_000 }, async () => {
    const own = await open()
    // They and the broker are one process: on a busy machine the last of them waits long for its turn.
    const clients = Array.from({ length: 500 }, () => own.connect({ patience: 60_000 }))

    await Promise.all(clients.map((client, body) => client.createSender('orders').sendMessages({ body })))

    expect(own.broker.namespace.counts()[0]?.active).toBe(500)
    await Promise.all(clients.map((client) => client.close()))
  })
})

describe('a disk that is full for a while', () => {
  it.each(['complete', 'abandon', 'defer', 'deadLetter'] as const)(
    'gives a message back whose settlement it refuses: %s',
    async (kind) => {
      const own = await new StillNamespace(aQueue('orders')).open()
      const orders = own.at('orders')
      await orders.enqueue([arrival('a')])
      const { token } = take(orders)
      await own.settled()

      own.disk.isFull = true
      await expect(orders.settle(token, { kind, properties: {} })).rejects.toThrow('The disk is full.')
      own.disk.isFull = false

      expect(bodyOf(take(orders))).toBe('a')
    },
  )

  it('does not make a duplicate of a message that it refused', async () => {
    const own = await new StillNamespace(aQueue('orders', { duplicateWindow: 60_000 })).open()
    const send = () => own.at('orders').enqueue([arrival('a', { message_id: 'a' })])

    own.disk.isFull = true
    await expect(send()).rejects.toThrow('The disk is full.')
    own.disk.isFull = false
    await send()

    expect(own.countsOf('orders')).toEqual({ active: 1 })
  })
})

describe('the configuration of the official emulator', () => {
  it('declares queues, topics, subscriptions and rules', () => {
    const text = JSON.stringify({
      UserConfig: {
        Namespaces: [
          {
            Name: 'sbemulatorns',
            Queues: [
              {
                Name: 'q',
                Properties: {
                  DeadLetteringOnMessageExpiration: false,
                  DefaultMessageTimeToLive: 'P1DT2H',
                  DuplicateDetectionHistoryTimeWindow: 'PT20S',
                  ForwardDeadLetteredMessagesTo: '',
                  ForwardTo: '',
                  LockDuration: 'PT1M30.5S',
                  MaxDeliveryCount: 3,
                  RequiresDuplicateDetection: true,
                  RequiresSession: true,
                },
              },
            ],
            Topics: [
              {
                Name: 't',
                Subscriptions: [
                  { Name: 'all' },
                  {
                    Name: 'some',
                    Properties: {},
                    Rules: [
                      {
                        Name: 'one',
                        Properties: {
                          FilterType: 'Correlation',
                          CorrelationFilter: { Label: 'x', Properties: { a: 1 } },
                        },
                      },
                      {
                        Name: 'two',
                        Properties: {
                          FilterType: 'Sql',
                          SqlFilter: { SqlExpression: 'a = 1' },
                          Action: { SqlExpression: 'SET b = 2' },
                        },
                      },
                    ],
                  },
                ],
              },
            ],
          },
        ],
        Logging: { Type: 'File' },
      },
    })

    expect(readConfigFile(text)).toMatchObject([
      {
        kind: 'queue',
        name: 'q',
        settings: {
          lockDuration: 90_500,
          maxDeliveryCount: 3,
          timeToLive: 93_600_000,
          duplicateWindow: 20_000,
          requiresSession: true,
        },
      },
      { kind: 'topic', name: 't' },
      { kind: 'subscription', topic: 't', name: 'all', rules: [{ name: '$Default' }] },
      {
        kind: 'subscription',
        name: 'some',
        rules: [
          { name: 'one', filter: { kind: 'correlation', fields: { label: 'x' }, properties: { a: 1 } } },
          { name: 'two', filter: { kind: 'sql', expression: 'a = 1' }, action: 'SET b = 2' },
        ],
      },
    ])
  })

  it('says where it is wrong', () => {
    const wrong = {
      UserConfig: { Namespaces: [{ Queues: [{ Name: 'q', Properties: { LockDuration: 'a minute' } }] }] },
    }

    expect(() => readConfigFile(JSON.stringify(wrong))).toThrow(
      'UserConfig.Namespaces.0.Queues.0.Properties.LockDuration: is not an ISO 8601 duration such as PT1M',
    )
  })
})

describe('the control door', () => {
  it('declares, counts, purges and removes while the broker runs', async () => {
    const own = await open()
    const control = await startControl(own.broker.namespace, '127.0.0.1', 0)
    const ask = async (method: string, path: string, body?: unknown) => {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
      const response = await fetch(`http://127.0.0.1:${control.port}${path}`, init)
      return { status: response.status, body: JSON.parse(await response.text()) }
    }

    await ask('PUT', '/queues/made', { LockDuration: 'PT5S' })
    await ask('PUT', '/topics/news')
    await ask('PUT', '/topics/news/subscriptions/mine', {
      Rules: [{ Name: 'r', Properties: { SqlFilter: { SqlExpression: '1=1' } } }],
    })
    await own.client.createSender('made').sendMessages([{ body: 1 }, { body: 2 }])
    await own.client.createSender('news').sendMessages({ body: 3 })

    const { body: told } = await ask('GET', '/entities')
    expect(told.counts).toMatchObject([
      { name: 'orders' },
      { name: 'made', active: 2 },
      { name: 'news' },
      { name: 'news/subscriptions/mine', active: 1 },
    ])
    expect((await ask('POST', '/purge?entity=made')).body).toEqual({ purged: 2 })
    expect((await ask('DELETE', '/topics/news')).status).toBe(200)
    expect((await ask('DELETE', '/topics/news')).status).toBe(404)
    expect((await ask('PUT', '/queues/bad', { LockDuration: 'x' })).status).toBe(400)
    expect((await ask('GET', '/entities')).body.counts).toMatchObject([{ name: 'orders' }, { name: 'made', active: 0 }])
    await control.close()
  })
})

describe('npm run broker', () => {
  it('serves what its configuration declares, and stops on request', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'broker-main-'))
    writeFileSync(
      join(folder, 'Config.json'),
      JSON.stringify({ UserConfig: { Namespaces: [{ Queues: [{ Name: 'q' }] }] } }),
    )
    const args = [
      '--port',
      '0',
      '--control-port',
      '0',
      '--data',
      join(folder, 'data'),
      '--config',
      join(folder, 'Config.json'),
    ]
    const broker = spawn('node', ['dist/embedded/broker-main.js', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [text] = await once(broker.stdout, 'data')
    const client = new ServiceBusClient(/AMQP +(\S+)/.exec(String(text))?.[1] ?? '')

    await client.createSender('q').sendMessages({ body: 1 })
    expect(bodies(await drain(client.createReceiver('q')))).toEqual([1])

    await client.close()
    broker.kill('SIGTERM')
    expect(await once(broker, 'exit')).toEqual([0, null])
    rmSync(folder, { recursive: true, force: true })
  })
})
