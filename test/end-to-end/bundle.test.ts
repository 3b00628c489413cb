// npm run bundle: the app as one file, in a folder that is far from any node_modules, on the embedded host.

import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { report } from '../../embedded/supervisor.js'
import { hasEnded, Installation, until } from '../../local/installation.js'
import { telemetryTo } from '../../local/telemetry-settings.js'
import { contactCreated } from '../../sandbox/dataverse-message.js'

let folder: string
let bundle: string
const running: ChildProcess[] = []
const listening: Server[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'))
  bundle = join(folder, 'app')
  execFileSync(process.execPath, ['infra/bundle.mjs', bundle])
})
afterEach(async () => {
  for (const child of running.splice(0).toReversed()) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for (const server of listening.splice(0)) server.close()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const addresses = z.object({
  dataverse: z.string(),
  masterData: z.string(),
  erp: z.string(),
  vault: z.string(),
  telemetry: z.string(),
})

const trace = z.object({ spans: z.array(z.object({ name: z.string() })) })

async function startSandbox(): Promise<z.infer<typeof addresses>> {
  const ports = ['dataverse', 'master-data', 'erp', 'vault', 'telemetry'].flatMap((name) => [`--${name}-port`, '0'])
  const sandbox = fork('dist/sandbox/main.js', ['--data', join(folder, randomUUID()), ...ports], { silent: true })
  running.push(sandbox)
  const [told] = await once(sandbox, 'message')
  return addresses.parse(told)
}

async function startHost(env: Record<string, string>): Promise<{ readonly port: number; readonly amqpPort: number }> {
  const data = join(folder, randomUUID())
  const args = ['--app', bundle, '--port', '0', '--amqp-port', '0', '--data', data, '--quiet', '--supervised']
  const host = fork('dist/embedded/main.js', args, { env: { ...process.env, ...env } })
  running.push(host)
  for (;;) {
    const [message] = await Promise.race([once(host, 'message'), once(host, 'exit')])
    const told = report.parse(message)
    if (told !== 'alive') return told
  }
}

describe('the bundle', () => {
  it('is a Functions app of one file, telemetry, and the page of the console', () => {
    expect(readdirSync(bundle).toSorted()).toEqual(['azure-monitor.js', 'host.json', 'main.js', 'package.json', 'page'])
  })

  it('takes a contact to all partners, with a key from the vault, and tells of it', async () => {
    const at = await startSandbox()
    const { port, amqpPort } = await startHost({
      DATAVERSE_URL: at.dataverse,
      MASTER_DATA_URL: at.masterData,
      ERP_URL: at.erp,
      ERP_API_KEY: 'vault:erp-api-key',
      KEY_VAULT_URL: at.vault,
      ...telemetryTo(at.telemetry, folder),
    })
    const installation = new Installation({ ...at, app: `http://127.0.0.1:${port}`, amqpPort })
    const contact = { rowId: randomUUID(), firstName: 'Ada', lastName: 'Berg', email: 'ada@example.org' }

    await installation.send(await installation.createContact(contact))
    const saga = await until('the saga has ended', async () =>
      (await installation.sagas('2020-01-01')).find((one) => one.rowId === contact.rowId && hasEnded(one)),
    )

    expect(saga.phase).toBe('completed')
    await until('its trace is there, with each step', async () => {
      const told = trace.safeParse(await (await fetch(`${at.telemetry}/traces/${saga.id}`)).json())
      return told.success && told.data.spans.filter(({ name }) => name.startsWith('do ')).length === saga.steps.length
    })
    // What it dead-letters by itself takes the client of Service Bus, which is loaded when it is first needed.
    await installation.send({ body: Buffer.from('{broken') })
    await until('the message is dead-lettered', async () => {
      const receiver = installation.client.createReceiver('dataverse-events', { subQueueType: 'deadLetter' })
      return (await receiver.peekMessages(1).finally(() => receiver.close())).length === 1
    })
    await installation.close()
  })

  it('serves the console, with all that its page names', async () => {
    const nowhere = 'http://127.0.0.1:1'
    const { port } = await startHost({ DATAVERSE_URL: nowhere, MASTER_DATA_URL: nowhere, ERP_URL: nowhere })
    const page = await fetch(`http://127.0.0.1:${port}/api/console`)
    const named = [...(await page.text()).matchAll(/(?:src|href)="(console\/[^"]+)"/g)].map(([, path]) => path)
    const files = await Promise.all(named.map((path) => fetch(`http://127.0.0.1:${port}/api/${path}`)))

    expect(page.status).toBe(200)
    expect(named.length).toBeGreaterThan(5)
    expect(files.map(({ status }) => status)).toEqual(named.map(() => 200))
  })

  it('asks the platform for a token of its own identity', async () => {
    const asked: (string | undefined)[] = []
    const identity = createServer(({ url }, response) => {
      asked.push(url)
      const token = {
        access_token: 'token',
        expires_on: '4102444800',
        resource: 'https://localhost:1',
        token_type: 'Bearer',
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token))
    })
    listening.push(identity)
    await new Promise<void>((resolve) => void identity.listen(0, '127.0.0.1', resolve))
    const address = z.object({ port: z.number() }).parse(identity.address())
    const { port, amqpPort } = await startHost({
      // Not on this machine by plain http, so it is shown a token; nobody listens there.
      DATAVERSE_URL: 'https://localhost:1',
      MASTER_DATA_URL: 'http://127.0.0.1:1',
      ERP_URL: 'http://127.0.0.1:1',
      IDENTITY_ENDPOINT: `http://127.0.0.1:${address.port}/token`,
      IDENTITY_HEADER: 'any',
    })
    const at = { dataverse: '', masterData: '', erp: '', vault: '', telemetry: '' }
    const installation = new Installation({ ...at, app: `http://127.0.0.1:${port}`, amqpPort })

    await installation.send(
      contactCreated({ rowId: randomUUID(), firstName: 'Ada', lastName: 'Berg', email: undefined }),
    )

    await until('a token was asked for', () => Promise.resolve(asked.length > 0))
    expect(asked[0]).toContain(`resource=${encodeURIComponent('https://localhost:1')}`)
    await installation.close()
  })
})
