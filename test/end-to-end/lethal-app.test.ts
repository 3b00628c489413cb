// The host as a process, with an app whose code ends the process or holds it: its own instance fails, and nothing else.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/installation.js'
import { freePort } from '../../local/processes.js'

const status = z.object({ runtimeStatus: z.string(), output: z.unknown() })

let data: string
let port: number
let host: ChildProcess

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'lethal-'))
  port = await freePort()
  const args = ['--app', 'test/embedded/apps/durable', '--port', String(port), '--amqp-port', '0', '--data', data]
  host = spawn('node', ['dist/embedded/main.js', ...args], { stdio: 'ignore' })
})
afterAll(async () => {
  host.kill()
  await once(host, 'exit')
  rmSync(data, { recursive: true, force: true })
})

/** Undefined while the host is away. */
async function ask(path: string, init?: RequestInit): Promise<Response | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/runtime/webhooks/durabletask/${path}`, init)
    return response.status < 500 ? response : undefined
  } catch {
    return undefined
  }
}

/** Once: the host may die before it answers. */
async function start(id: string, name: string, input: string): Promise<void> {
  await until('the host is there', () => ask('instances?top=1'))
  await ask(`orchestrators/${name}/${id}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  })
}

const endOf = (id: string) =>
  until(
    `${id} has ended`,
    async () => {
      const response = await ask(`instances/${id}`)
      const told = response?.ok ? status.parse(await response.json()) : undefined
      return told && /Completed|Failed/.test(told.runtimeStatus) && told
    },
    { seconds: 90 },
  )

describe('an app that ends its process', () => {
  it.each([
    ['by an exit in an activity', 'calls', 'exits', /Activity function 'exits' failed: the process died/],
    ['by an error that nobody catches', 'calls', 'throwsLater', /'throwsLater' failed: the process died/],
    ['by an exit in an entity', 'callsLethalEntity', '', /the process died whenever it ran/],
    ['by an abort in an orchestrator', 'exitsItself', '', /'exitsItself' failed: the process died/],
    ['or holds it for ever', 'neverEnds', '', /'neverEnds' failed: the process died/],
  ])('%s fails that instance, and no other', { timeout: 120_000 }, async (_, name, input, words) => {
    await start(`bystander-${name}-${input}`, 'waits', '')
    await start(`lethal-${name}-${input}`, name, input)

    const lethal = await endOf(`lethal-${name}-${input}`)
    expect(lethal.runtimeStatus).toBe('Failed')
    expect(lethal.output).toMatch(words)

    await until('the event is taken', () =>
      ask(`instances/bystander-${name}-${input}/raiseEvent/Word`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '"heard"',
      }),
    )
    expect(await endOf(`bystander-${name}-${input}`)).toMatchObject({ runtimeStatus: 'Completed', output: 'heard' })
  })
})
