// The host as a process with orchestrations of every kind, killed again and again: each ends right, and no state counts anything twice.
//
// SURVIVAL=full makes it 2,000 orchestrations and 50 kills; without it a tenth of that, to be quick.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/installation.js'
import { freePort } from '../../local/processes.js'

const isFull = process.env['SURVIVAL'] === 'full'
const orchestrations = isFull ? 2_000 : 200
const kills = isFull ? 50 : 5

const status = z.object({ instanceId: z.string(), runtimeStatus: z.string(), output: z.unknown() })

let data: string
let port: number
let host: ChildProcess

function start(): void {
  const args = ['--app', 'test/embedded/apps/durable', '--port', String(port), '--amqp-port', '0', '--data', data]
  host = spawn('node', ['dist/embedded/main.js', ...args], { stdio: 'ignore' })
}

async function kill(): Promise<void> {
  host.kill('SIGKILL')
  await once(host, 'exit')
}

const management = (path: string) => `http://127.0.0.1:${port}/runtime/webhooks/durabletask/${path}`

/** Asks until there is an answer: the host may be away. */
async function stubbornly(path: string, init?: RequestInit): Promise<Response> {
  for (;;)
    try {
      const response = await fetch(management(path), init)
      if (response.status < 500) return response
    } catch {
      await setTimeout(20)
    }
}

const post = (path: string, body: unknown) =>
  stubbornly(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

async function all(query: string): Promise<z.infer<typeof status>[]> {
  const response = await stubbornly(`instances?instanceIdPrefix=run-&top=10000&showInput=false&${query}`)
  return z
    .array(status)
    .parse(JSON.parse(await response.text()))
    .filter(({ instanceId }) => !instanceId.endsWith('-child'))
}

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'hub-survival-'))
  port = await freePort()
  start()
})
afterAll(async () => {
  await kill()
  rmSync(data, { recursive: true, force: true })
})

describe('under SIGKILL', () => {
  it(`${orchestrations} orchestrations with timers, events, others and entities, ${kills} kills: all end right, nothing counts twice`, {
    timeout: 900_000,
  }, async () => {
    let next = 0
    const drive = async () => {
      while (next < orchestrations) {
        const key = `k${next++}`
        // A start whose answer was lost is repeated: the second is told that there is one already.
        await post(`orchestrators/survives/run-${key}`, { key })
        await post(`instances/run-${key}/raiseEvent/go`, key)
      }
    }
    const driving = Array.from({ length: 20 }, drive)
    for (let count = 1; count <= kills; count++) {
      await until('there is something to lose', async () => next >= (count * orchestrations) / (kills + 1))
      await kill()
      start()
    }
    await Promise.all(driving)
    const ended = await until(
      'all have ended',
      async () => {
        const found = await all('runtimeStatus=Completed,Failed')
        return found.length === orchestrations && found
      },
      { seconds: 300, everyMs: 200 },
    )

    const wrong = ended.filter(({ instanceId, runtimeStatus, output }) => {
      const key = instanceId.slice('run-'.length)
      const right = [key.toUpperCase(), key.toUpperCase(), 1, key]
      return runtimeStatus !== 'Completed' || JSON.stringify(output) !== JSON.stringify(right)
    })
    const survivors = await until('the signals have all come', async () => {
      const count = Number(await (await stubbornly('entities/counter/survivors')).text())
      return count >= orchestrations && count
    })
    process.stdout.write(
      `${ended.length} orchestrations over ${kills} kills: ${wrong.length} wrong, entity counted ${survivors}\n`,
    )
    expect(wrong).toEqual([])
    expect(survivors).toBe(orchestrations)
  })
})
