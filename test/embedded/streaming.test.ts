// An app that streams, with versions, keys, a function that is switched off, and outputs to services that are not here.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Host } from '../../embedded/host.js'
import { until } from '../../local/installation.js'
import { hostOf } from './app-host.js'

const status = z.object({ instanceId: z.string(), runtimeStatus: z.string(), output: z.unknown() })
const logged: string[] = []

let data: string
let runtime: Host
let url: string
/** What the platform has on a machine with an identity. */
let identity: Server

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'streaming-'))
  identity = createServer((_, response) => {
    const token = { access_token: 'token-of-mine', expires_on: Date.now() / 1_000 + 3_600, token_type: 'Bearer' }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token))
  }).listen(0, '127.0.0.1')
  await once(identity, 'listening')
  const address = identity.address()
  vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/token`)
  vi.stubEnv('IDENTITY_HEADER', 'secret')
  vi.stubEnv('AzureWebJobs.switchedOff.Disabled', 'true')
  vi.stubEnv('AzureWebJobs_never_Disabled', '1')
  vi.stubEnv('FUNCTIONS_HOST_KEY', 'host-key')
  vi.stubEnv('FUNCTIONS_MASTER_KEY', 'master-key')
  const log = (_: string, from: string, words: string) => void logged.push(`${from}: ${words}`)
  const app = resolve('test/embedded/apps/streaming')
  runtime = await hostOf(app, data, log)
  url = `http://127.0.0.1:${runtime.port}`
})
afterAll(async () => {
  await runtime.close()
  identity.close()
  vi.unstubAllEnvs()
  rmSync(data, { recursive: true, force: true })
})

const statusOf = async (uri: string) => status.parse(JSON.parse(await (await fetch(uri)).text()))

/** Runs an orchestration to its end. */
async function run(query: string) {
  const { statusQueryGetUri } = await start(query)
  return until('it has ended', async () => {
    const told = await statusOf(statusQueryGetUri)
    return /Completed|Failed|Terminated/.test(told.runtimeStatus) && told
  })
}

async function start(query: string) {
  const response = await fetch(`${url}/api/start?${query}`, { method: 'POST' })
  const urls = z.object({ id: z.string(), statusQueryGetUri: z.string(), terminatePostUri: z.string() })
  return urls.parse(JSON.parse(await response.text()))
}

describe('a streaming app', () => {
  it('gets path, query and body, and answers with status, headers, cookies and body', async () => {
    const response = await fetch(`${url}/api/echo/me?q=1`, { method: 'POST', body: 'x'.repeat(300_000) })

    expect(response.status).toBe(201)
    expect(Object.fromEntries(response.headers)).toMatchObject({ 'x-who': 'me', 'x-query': '1', 'x-also': '1' })
    expect(response.headers.get('set-cookie')).toBe('c=v')
    expect(await response.text()).toHaveLength(300_000)
  })

  it('sees the first part of a body before the last is sent, and answers as it comes', async () => {
    let goOn = () => undefined as void
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue('first')
        await new Promise<void>((resolveIt) => (goOn = resolveIt))
        controller.enqueue('last')
        controller.close()
      },
    }).pipeThrough(new TextEncoderStream())
    const asking: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
    const response = await fetch(`${url}/api/echo/me`, asking)
    const parts = response.body?.pipeThrough(new TextDecoderStream()).getReader()

    expect((await parts?.read())?.value).toBe('first')
    goOn()
    expect((await parts?.read())?.value).toBe('last')
  })

  it('tells one thing after the other; that nobody listens any more is no error', async () => {
    const response = await fetch(`${url}/api/ticking`)
    const parts = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let told = ''
    while (!/(tick ){3}/.test(told)) told += (await parts?.read())?.value ?? ''

    await parts?.cancel()

    expect((await fetch(`${url}/api/silent`)).status).toBe(204)
    expect(logged.filter((line) => line.startsWith('ticking'))).toEqual([])
  })

  it('that returns nothing is a 204, that throws a 500', async () => {
    expect((await fetch(`${url}/api/silent`)).status).toBe(204)
    expect((await fetch(`${url}/api/broken`)).status).toBe(500)
  })
})

describe('keys', () => {
  it.each([
    ['api/echo/me', '', 201],
    ['api/locked', '', 401],
    ['api/locked?code=wrong', '', 401],
    ['api/locked?code=host-key', '', 200],
    ['api/locked', 'master-key', 200],
    ['admin/functions?code=host-key', '', 401],
    ['admin/functions', 'master-key', 200],
    ['runtime/webhooks/durabletask/instances', '', 401],
    ['runtime/webhooks/durabletask/instances?code=host-key', '', 200],
  ])('%s with %j in the header: %i', async (path, header, expected) => {
    const { status: told } = await fetch(`${url}/${path}`, { headers: header ? { 'x-functions-key': header } : {} })

    expect(told).toBe(expected)
  })
})

describe('versions', () => {
  it.each([
    ['name=versioned', 'Completed', /^version '2.0'$/],
    ['name=versioned&version=1.9.3', 'Completed', /^version '1.9.3'$/],
    ['name=versionedParent', 'Completed', /^version '1.0'$/],
    ['name=versioned&version=2.1', 'Failed', /its version '2.1' is not served by the code of version '2.0'/],
    ['name=versioned&version=10.0', 'Failed', /'10.0'/],
  ])('%s: %s', async (query, runtimeStatus, output) => {
    const ended = await run(query)

    expect(ended.runtimeStatus).toBe(runtimeStatus)
    expect(ended.output).toMatch(output)
  })
})

describe('an app that other people wrote', () => {
  it('learns the properties of its own errors', async () => {
    expect((await run('name=learnsWhy')).output).toEqual({
      errorType: 'RefusedError',
      errorMessage: 'not this one',
      properties: { reasons: ['too young', 3] },
    })
  })

  it('has a function that is switched off: it is not there', async () => {
    expect((await run('name=callsSwitchedOff')).output).toMatch(/Activity function 'switchedOff' failed/)
    expect((await fetch(`${url}/api/never`)).status).toBe(404)
  })

  it('writes to services that are not here: it is told at the start, and what it wrote is kept', async () => {
    expect((await run('name=sendsText')).output).toBe('sent')

    expect(logged).toContainEqual(expect.stringMatching(/^texts: Its output 'twilioSms' goes nowhere from here/))
    const folder = join(data, 'outputs/texts')
    const [file = ''] = readdirSync(folder)
    expect(JSON.parse(readFileSync(join(folder, file), 'utf8'))).toEqual({ body: 'hello' })
  })

  it('calls HTTP as its identity, and asks again after the time of host.json', async () => {
    const response = await fetch(
      `${url}/runtime/webhooks/durabletask/orchestrators/callsWithToken?code=host-key&timeout=10&pollingInterval=1`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(`${url}/api/job`) },
    )

    expect(JSON.parse(await response.text())).toBe('{"authorization":"Bearer token-of-mine"}')
  })

  it('ends with those that it called, if who terminates it says so', async () => {
    const { id, statusQueryGetUri, terminatePostUri } = await start('name=sleepingParent')
    const childUri = statusQueryGetUri.replace(id, `${id}-child`)
    await until(
      'the child runs',
      async () => (await fetch(childUri)).ok && (await statusOf(childUri)).runtimeStatus === 'Running',
    )

    await fetch(`${terminatePostUri.replace('{text}', 'enough')}&recursive=true`, { method: 'POST' })

    const outputs = await until('both have ended', async () => {
      const both = await Promise.all([statusOf(statusQueryGetUri), statusOf(childUri)])
      return both.every(({ runtimeStatus }) => runtimeStatus === 'Terminated') && both.map(({ output }) => output)
    })
    expect(outputs).toEqual(['enough', 'enough'])
  })
})

describe('by hand', () => {
  const admin = (path: string, init: RequestInit = {}) =>
    fetch(`${url}/admin/${path}`, { ...init, headers: { 'x-functions-key': 'master-key' } })

  it('functions are listed, and called without an address', async () => {
    const listed = z.array(z.object({ name: z.string() })).parse(await (await admin('functions')).json())
    expect(listed.map(({ name }) => name)).toContain('tick')
    expect(listed.map(({ name }) => name)).not.toContain('switchedOff')

    expect((await admin('functions/tick', { method: 'POST', body: '{}' })).status).toBe(202)
    const ticks = () => fetch(`${url}/api/ticks`).then(async (response) => JSON.stringify(await response.json()))
    await until('it has run', async () => (await ticks()) === '[false]')
  })

  it('an orchestrator is not: the log says how it is started', async () => {
    expect((await admin('functions/versioned', { method: 'POST', body: '{"input":""}' })).status).toBe(202)
    expect((await admin('functions/nobody', { method: 'POST', body: '{}' })).status).toBe(404)

    await until('it is told', async () => logged.some((line) => line.includes('start it with a durable client')))
  })

  it('a body that can not be read is refused', async () => {
    expect((await admin('functions/tick', { method: 'POST', body: '{' })).status).toBe(400)
  })
})
