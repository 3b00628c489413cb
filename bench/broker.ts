// npm run bench -- broker: the broker as a process, and the unmodified client beside it, on the same cores.
//
// Each case runs several rounds; the median and the spread are told. CPU of broker and client is told apart, so that the client's own cost shows.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceBusClient } from '@azure/service-bus'
import { collectWell } from '../embedded/garbage.js'
import { type Figures, percentile, table } from './figures.js'
import { cpuOf, diskOf, mega, memoryOf, stolenFromHere } from './process.js'

const filling = 'x'.repeat(180)
const body = { text: filling }
const rounds = 3

interface Running {
  readonly client: ServiceBusClient
  readonly control: string
  readonly folder: string
  /** Milliseconds of CPU since its start. */
  cpu(): number
  /** Bytes. */
  memory(): { readonly own: number; readonly mapped: number }
  stop(keepsData?: boolean): Promise<void>
}

async function start(isDurable: boolean, folder = mkdtempSync(join(tmpdir(), 'bench-broker-'))): Promise<Running> {
  const args = ['dist/embedded/broker-main.js', '--port', '0', '--control-port', '0', '--data', folder]
  const broker = spawn('node', [...args, ...(isDurable ? [] : ['--no-sync'])], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [connection, control] = await addressesOf(broker)
  const client = new ServiceBusClient(connection)
  await fetch(`${control}/queues/bench`, { method: 'PUT' })
  return {
    client,
    control,
    folder,
    cpu: () => cpuOf(broker.pid ?? 0),
    memory: () => memoryOf(broker.pid ?? 0),
    async stop(keepsData = false) {
      await client.close()
      broker.kill()
      await once(broker, 'exit')
      if (!keepsData) rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function addressesOf({ stdout }: ChildProcess): Promise<[string, string]> {
  let text = ''
  for await (const part of stdout ?? []) {
    text += String(part)
    const found = /AMQP +(\S+)\nControl +(http:\/\/[^/]+)/.exec(text)
    if (found) return [found[1] ?? '', found[2] ?? '']
  }
  throw new Error('The broker did not start.')
}

/** Messages per second, milliseconds from send to handler, CPU milliseconds per 1,000 messages. */
async function measured(bus: Running, count: number, work: () => Promise<readonly number[]>): Promise<Figures> {
  const stolen = stolenFromHere()
  const before = { broker: bus.cpu(), client: process.cpuUsage(), at: performance.now() }
  const latencies = await work()
  const seconds = (performance.now() - before.at) / 1_000
  const client = process.cpuUsage(before.client)
  return {
    'messages/s': count / seconds,
    'p50 ms': percentile(latencies, 0.5),
    'p95 ms': percentile(latencies, 0.95),
    'p99 ms': percentile(latencies, 0.99),
    'broker CPU ms/1000': ((bus.cpu() - before.broker) / count) * 1_000,
    'client CPU ms/1000': ((client.user + client.system) / 1_000 / count) * 1_000,
    'stolen %': stolen(),
  }
}

type SendAll = (count: number, send: (id: string) => Promise<void>) => Promise<void>

/** A message that tells when it was sent: nothing is kept meanwhile, for what a client keeps its garbage collector has to pass. */
const timed = (messageId: string) => ({ body: { text: filling, sentAt: performance.now() }, messageId })

/** Sends as it is told to, and a subscription that completes. */
function endToEnd(bus: Running, count: number, sendAll: SendAll): () => Promise<readonly number[]> {
  return async () => {
    const sender = bus.client.createSender('bench')
    const receiver = bus.client.createReceiver('bench', { maxAutoLockRenewalDurationInMs: 0 })
    const latencies: number[] = []
    await new Promise<void>((finish, fail) => {
      receiver.subscribe(
        {
          processMessage: async (message) => {
            latencies.push(performance.now() - Number(message.body.sentAt))
            if (latencies.length === count) finish()
          },
          processError: async ({ error }) => fail(error),
        },
        { maxConcurrentCalls: 100 },
      )
      void sendAll(count, (messageId) => sender.sendMessages(timed(messageId))).catch(fail)
    })
    await receiver.close()
    await sender.close()
    return latencies
  }
}

/** So many at a time, each waiting for its answer. */
const inFlight =
  (most: number): SendAll =>
  async (count, send) => {
    let next = 0
    await Promise.all(
      Array.from({ length: most }, async () => {
        while (next < count) await send(String(next++))
      }),
    )
  }

/** So many in a second, whatever the answers do: what latency is when nothing is overloaded. */
const paced =
  (perSecond: number): SendAll =>
  (count, send) =>
    new Promise((finish, fail) => {
      const started = performance.now()
      let sent = 0
      let answered = 0
      const isAnswered = () => {
        answered += 1
        if (answered === count) finish()
      }
      const sendDue = () => {
        const due = Math.min(count, Math.floor(((performance.now() - started) / 1_000) * perSecond))
        for (; sent < due; sent++) send(String(sent)).then(isAnswered, fail)
        if (sent < count) setTimeout(sendDue, 1)
      }
      sendDue()
    })

const sendOnly = (bus: Running, count: number) => async () => {
  const sender = bus.client.createSender('bench')
  const latencies: number[] = []
  await inFlight(64)(count, async (messageId) => {
    const at = performance.now()
    await sender.sendMessages({ body, messageId })
    latencies.push(performance.now() - at)
  })
  await sender.close()
  return latencies
}

const consumeOnly = (bus: Running, count: number) => async () => {
  const receiver = bus.client.createReceiver('bench', { maxAutoLockRenewalDurationInMs: 0 })
  let seen = 0
  await new Promise<void>((finish, fail) => {
    receiver.subscribe(
      {
        processMessage: async () => {
          seen += 1
          if (seen === count) finish()
        },
        processError: async ({ error }) => fail(error),
      },
      { maxConcurrentCalls: 200 },
    )
  })
  await receiver.close()
  return []
}

/** A million through, a hundred thousand resident: what that costs in memory and on disk. */
async function depth(total: number, resident: number): Promise<void> {
  const bus = await start(true)
  const sender = bus.client.createSender('bench')
  const receiver = bus.client.createReceiver('bench', { receiveMode: 'receiveAndDelete' })
  const batch = Array.from({ length: 500 }, () => ({ body }))
  const send = async (count: number) => {
    for (let sent = 0; sent < count; sent += 4 * batch.length)
      await Promise.all(Array.from({ length: 4 }, () => sender.sendMessages(batch)))
  }
  const take = async (count: number) => {
    for (let taken = 0; taken < count; )
      taken += (await receiver.receiveMessages(Math.min(2_000, count - taken), { maxWaitTimeInMs: 5_000 })).length
  }
  await send(resident)
  await Promise.all([send(total - resident), take(total - resident)])
  const disk = diskOf(bus.folder)
  const { own, mapped } = bus.memory()
  console.log(
    `${total} messages through, ${resident} resident: ${mega(own)} MB of memory, ${mega(mapped)} MB of mapped file, ${mega(disk)} MB on disk`,
  )
  await send(total - resident)
  await bus.stop(true)
  const started = performance.now()
  const again = await start(true, bus.folder)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const { own: memory } = again.memory()
  console.log(`start-up with ${total} stored messages: ${seconds} s, ${mega(memory)} MB of memory`)
  await again.stop()
}

export async function benchBroker(): Promise<void> {
  // It shares the cores with the broker, and collects garbage as that does.
  collectWell()
  for (const isDurable of [true, false]) {
    const bus = await start(isDurable)
    // V8 goes on compiling for some thousand messages.
    for (const sendAll of [inFlight(64), paced(3_000)]) await endToEnd(bus, 10_000, sendAll)()
    const cases: Record<string, () => Promise<Figures>> = {
      'end to end, 64 in flight': () => measured(bus, 10_000, endToEnd(bus, 10_000, inFlight(64))),
      'end to end, 3,000 a second': () => measured(bus, 10_000, endToEnd(bus, 10_000, paced(3_000))),
      'end to end, one at a time': () => measured(bus, 500, endToEnd(bus, 500, inFlight(1))),
      'send, 64 in flight': () => measured(bus, 10_000, sendOnly(bus, 10_000)),
      consume: () => measured(bus, 10_000, consumeOnly(bus, 10_000)),
    }
    const all: Record<string, Figures[]> = {}
    for (let round = 0; round < rounds; round++)
      for (const [name, run] of Object.entries(cases)) all[name] = [...(all[name] ?? []), await run()]
    console.log(`\n${isDurable ? 'durable (group commit, fdatasync)' : 'without waiting for the disk'}\n${table(all)}`)
    await bus.stop()
  }
  await depth(1_000_000, 100_000)
}
