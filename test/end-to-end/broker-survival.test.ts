// The broker as a process under 32 senders, killed again and again: what was acknowledged stays, what was settled stays settled.
//
// SURVIVAL=full makes it 50,000 messages and 30 kills; without it a tenth of that, to be quick.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ServiceBusClient, type ServiceBusReceivedMessage } from '@azure/service-bus'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../local/installation.js'
import { freePort } from '../../local/processes.js'

const isFull = process.env['SURVIVAL'] === 'full'
const messages = isFull ? 50_000 : 5_000
const kills = isFull ? 30 : 6
const senders = 32

const configuration = {
  UserConfig: {
    Namespaces: [
      {
        Name: 'local',
        Queues: [
          { Name: 'load', Properties: { MaxDeliveryCount: 1_000 } },
          { Name: 'kept', Properties: { RequiresDuplicateDetection: true } },
          { Name: 'sessions', Properties: { RequiresSession: true } },
        ],
      },
    ],
  },
}

let folder: string
let port: number
let broker: ChildProcess

function start(): void {
  const args = [
    '--port',
    String(port),
    '--control-port',
    '0',
    '--data',
    join(folder, 'data'),
    '--config',
    join(folder, 'Config.json'),
  ]
  broker = spawn('node', ['dist/embedded/broker-main.js', ...args], { stdio: 'ignore' })
}

async function kill(): Promise<void> {
  broker.kill('SIGKILL')
  await once(broker, 'exit')
}

const connect = (timeoutInMs: number) =>
  new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`,
    { retryOptions: { maxRetries: 0, retryDelayInMs: 50, timeoutInMs } },
  )

/** Does it until it is done: the broker may be away. */
async function stubbornly<Result>(work: (client: ServiceBusClient) => Promise<Result>): Promise<Result> {
  for (;;) {
    const client = connect(1_000)
    try {
      return await work(client)
    } catch {
      await setTimeout(50)
    } finally {
      // Not waited for: it does not end when the broker dies meanwhile.
      void client.close().catch(() => undefined)
    }
  }
}

/** Does it once, when the broker is there and nobody kills it: what fails then is a failure. */
async function calmly<Result>(work: (client: ServiceBusClient) => Promise<Result>): Promise<Result> {
  await stubbornly((client) => client.createReceiver('load').peekMessages(1))
  const client = connect(30_000)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'broker-survival-'))
  port = await freePort()
  writeFileSync(join(folder, 'Config.json'), JSON.stringify(configuration))
  start()
})
afterAll(async () => {
  await kill()
  rmSync(folder, { recursive: true, force: true })
})

describe('under SIGKILL', () => {
  it(`${messages} messages of ${senders} senders, ${kills} kills: nothing acknowledged is lost, nothing settled comes again`, {
    timeout: 600_000,
  }, async () => {
    const due = new Date(Date.now() + 3_600_000)
    const scheduled = await calmly((client) => prepare(client, due))

    const acknowledged = new Set<string>()
    const delivered = new Map<string, string>()
    const settled = new Set<string>()
    const broken: string[] = []
    const progress = { isOver: false }
    const consume = async () => {
      while (!progress.isOver)
        await stubbornly(async (client) => {
          const receiver = client.createReceiver('load', { maxAutoLockRenewalDurationInMs: 0 })
          while (!progress.isOver) {
            const some = await receiver.receiveMessages(50, { maxWaitTimeInMs: 1_000 })
            await Promise.all(
              some.map(async (message) => {
                broken.push(...flawsOf(message, delivered, settled))
                await receiver.completeMessage(message)
                settled.add(String(message.sequenceNumber))
              }),
            )
          }
        })
    }
    const consumers = [consume(), consume()]
    let next = 0
    const sending = Array.from({ length: senders }, async () => {
      let messageId = String(next++)
      await stubbornly(async (client) => {
        const sender = client.createSender('load')
        for (; Number(messageId) < messages; messageId = String(next++)) {
          await sender.sendMessages({ body: messageId, messageId })
          acknowledged.add(messageId)
        }
      })
    })
    for (let count = 1; count <= kills; count++) {
      await until('there is something to lose', async () => next >= (count * messages) / (kills + 1))
      await kill()
      start()
    }
    await Promise.all(sending)
    await until('all that was acknowledged has come', async () => [...acknowledged].every((id) => delivered.has(id)), {
      seconds: 120,
    })
    progress.isOver = true
    await Promise.all(consumers)

    process.stdout.write(
      `${acknowledged.size} acknowledged sends over ${kills} kills: 0 lost, ${broken.length} settled that came again or numbers given twice\n`,
    )
    expect(broken).toEqual([])
    expect(acknowledged.size).toBe(messages)
    await calmly((client) => checkKept(client, scheduled, due))
  })
})

/** A number is one message for ever, and what was settled does not come again. */
function flawsOf(
  { sequenceNumber, messageId }: ServiceBusReceivedMessage,
  delivered: Map<string, string>,
  settled: ReadonlySet<string>,
): string[] {
  const number = String(sequenceNumber)
  const id = String(messageId)
  const before = numbers.get(number)
  numbers.set(number, id)
  delivered.set(id, number)
  return [
    ...(before !== undefined && before !== id ? [`${number} is ${before} and ${id}`] : []),
    ...(settled.has(number) ? [`${number} came again`] : []),
  ]
}
const numbers = new Map<string, string>()

/** What lies there while the broker dies: scheduled, deferred, dead-lettered, remembered, and a session's state. */
async function prepare(client: ServiceBusClient, due: Date): Promise<string> {
  const sender = client.createSender('kept')
  await sender.sendMessages([
    { body: 'deferred', messageId: 'd' },
    { body: 'dead', messageId: 'x' },
  ])
  const receiver = client.createReceiver('kept')
  const [deferred, dead] = await receiver.receiveMessages(2)
  if (deferred) await receiver.deferMessage(deferred)
  if (dead) await receiver.deadLetterMessage(dead, { deadLetterReason: 'no', deadLetterErrorDescription: 'really' })
  const [scheduled] = await sender.scheduleMessages({ body: 'scheduled', messageId: 's' }, due)
  const session = await client.acceptSession('sessions', 'one')
  await session.setSessionState('remembered')
  return String(scheduled)
}

async function checkKept(client: ServiceBusClient, scheduled: string, due: Date): Promise<void> {
  await client.createSender('kept').sendMessages([
    { body: 'again', messageId: 'd' },
    { body: 'new', messageId: 'n' },
  ])
  const peeked = await client.createReceiver('kept').peekMessages(10)
  expect(peeked.map(({ body, state }) => [body, state])).toEqual([
    ['deferred', 'deferred'],
    ['scheduled', 'scheduled'],
    ['new', 'active'],
  ])
  expect(peeked[1]).toMatchObject({ scheduledEnqueueTimeUtc: due })
  expect(String(peeked[1]?.sequenceNumber)).toBe(scheduled)
  const [dead] = await client.createReceiver('kept', { subQueueType: 'deadLetter' }).peekMessages(10)
  expect(dead).toMatchObject({ body: 'dead', deadLetterReason: 'no' })
  const session = await client.acceptSession('sessions', 'one')
  expect(await session.getSessionState()).toBe('remembered')
}
