// The runtime is killed with SIGKILL again and again while 200 sagas run, among partners that fail. Nothing is lost, nothing doubled, undo in reverse.

import { type ChildProcess, fork } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CrashPoint } from '../../embedded/crash-points.js'
import { disagreements } from '../../local/compare-ledgers.js'
import { hasEnded, Installation, until } from '../../local/installation.js'
import { freePort, startInstallation, type Started } from '../../local/processes.js'

const sagas = 200
const kills = 12

let data: string
let sandbox: ChildProcess
let environment: Record<string, string>

/** The partners live on: what they hold is what is judged by. */
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'survival-'))
  const ports = ['--dataverse-port', '0', '--master-data-port', '0', '--erp-port', '0']
  sandbox = fork('dist/sandbox/main.js', ['--data', join(data, 'sandbox'), ...ports], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [at] = await once(sandbox, 'message')
  environment = {
    DATAVERSE_URL: at.dataverse,
    MASTER_DATA_URL: at.masterData,
    ERP_URL: at.erp,
    PORT: String(await freePort()),
    AMQP_PORT: String(await freePort()),
  }
})
afterEach(async () => {
  sandbox.disconnect()
  await once(sandbox, 'exit')
  rmSync(data, { recursive: true, force: true })
})

const start = (program?: string) => startInstallation(join(data, 'runtime'), environment, program)

describe('a runtime that is killed at random moments', () => {
  it(`ends ${sagas} sagas as if nothing had happened, killed ${kills} times`, { timeout: 240_000 }, async () => {
    let started: Started = await start()
    const { installation } = started
    const since = new Date().toISOString()
    await spoil(installation)
    const contacts = Array.from({ length: sagas }, (_, index) => ({
      rowId: randomUUID(),
      firstName: 'Ada',
      lastName: `Berg ${index}`,
      email: index % 4 === 0 ? undefined : 'ada@example.org',
    }))
    const messages = await Promise.all(contacts.map((contact) => installation.createContact(contact)))

    const sent = sendAll(installation, messages)
    for (let kill = 0; kill < kills; kill++) {
      // A random number of effects later, in the midst of the work.
      const moment = ledgerBytes() + randomInt(1, 40) * bytesPerEffect
      await until('partners have done more', () => Promise.resolve(ledgerBytes() >= moment), { everyMs: 1 })
      started.child.kill('SIGKILL')
      await once(started.child, 'exit')
      started = await start()
      await started.installation.close()
    }
    await sent
    const ended = await until(
      'all sagas have ended',
      async () => {
        const all = await installation.sagas(since)
        return all.length === sagas && all.every(hasEnded) && all
      },
      { seconds: 120 },
    )

    const rows = contacts.map(({ rowId }) => rowId)
    expect(disagreements(rows, ended, await installation.ledgers())).toEqual([])
    expect(ended.filter(({ phase }) => phase === 'compensated')).toHaveLength(sagas / 4)
    await installation.close()
    await started.stop()
  })
})

describe('a runtime that dies at a named point', () => {
  const points: CrashPoint[] = [
    'broker:message-stored',
    'broker:delivery-settled',
    'hub:turn-computed',
    'hub:turn-persisted',
    'hub:activity-done',
  ]

  it.each(points)('%s, ends the saga at its next start', async (point) => {
    environment = { ...environment, DIE_AT: point, DIE_AT_COUNT: String(randomInt(1, 3)) }
    const dying = await start('test/end-to-end/dying-runtime.cjs')
    const since = new Date().toISOString()
    const contact = { rowId: randomUUID(), firstName: 'Ada', lastName: 'Berg', email: undefined }
    const message = await dying.installation.createContact(contact)

    const sent = sendAll(dying.installation, [message, message])
    await once(dying.child, 'exit')
    const reborn = await start()
    await sent
    const ended = await until('the saga has ended', async () => {
      const all = await reborn.installation.sagas(since)
      return all.length > 0 && all.every(hasEnded) && all
    })

    expect(dying.child.signalCode).toBe('SIGKILL')
    expect(disagreements([contact.rowId], ended, await reborn.installation.ledgers())).toEqual([])
    await dying.installation.close()
    await reborn.stop()
  })
})

/** A tenth of the calls meet an answer that is lost, before or after the effect. */
async function spoil(installation: Installation): Promise<void> {
  for (const partner of ['masterData', 'erp', 'dataverse'] as const)
    await installation.addFaults(partner, [
      { when: { method: 'POST', path: '/records' }, share: 0.05, do: { drop: 'after' } },
      { when: { method: 'POST', path: '/customers' }, share: 0.05, do: { drop: 'after' } },
      { when: { method: 'PATCH' }, share: 0.05, do: { drop: 'before' } },
    ])
}

/**
 * Senders that repeat what was not acknowledged, as Dataverse does. Each failure makes a new connection: a client whose broker dies while it shows its
 * token waits a minute before it looks again.
 */
async function sendAll({ at }: Installation, messages: readonly { body: Buffer }[]): Promise<void> {
  const left = [...messages]
  let doors = new Installation(at)
  const sendOne = async (message: { body: Buffer }) => {
    const used = doors
    try {
      await Promise.race([used.send(message), timeOut(2_000)])
      return true
    } catch {
      if (doors === used) doors = new Installation(at)
      void used.close().catch(() => undefined)
      return false
    }
  }
  const sender = async () => {
    for (let message = left.shift(); message; message = left.shift()) {
      const one = message
      await until('the message is acknowledged', () => sendOne(one), { seconds: 120 })
    }
  }
  await Promise.all(Array.from({ length: 10 }, sender))
  // Not waited for: it does not end when the broker dies meanwhile.
  void doors.close().catch(() => undefined)
}

const timeOut = (ms: number) =>
  new Promise<never>((_, fail) => void setTimeout(() => fail(new Error('There was no answer.')), ms))

const bytesPerEffect = 250

/** What partners have written down: cheap to ask for, again and again. */
function ledgerBytes(): number {
  const files = ['dataverse', 'master-data', 'erp'].map((name) => join(data, 'sandbox', `${name}.jsonl`))
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0)
}
