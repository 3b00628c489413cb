// Who keeps the host running, with hosts of a line each: when it is told to stop, and what it is told by others.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { couldNotStart, supervise } from '../../embedded/supervisor.js'

const signals = ['SIGINT', 'SIGTERM'] as const
const heard = new Map(signals.map((signal) => [signal, process.listeners(signal)]))

let folder: string
let script: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'supervisor-'))
  script = join(folder, 'host.cjs')
})
afterEach(() => {
  for (const signal of signals)
    for (const listener of process.listeners(signal))
      if (!heard.get(signal)?.includes(listener)) process.off(signal, listener)
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

describe('the supervisor', () => {
  it('begins no host any more when it is stopped while there is none', async () => {
    const births = join(folder, 'births')
    writeFileSync(script, `require('node:fs').appendFileSync(${JSON.stringify(births)}, 'x'); process.exit(1)`)

    // The host has died, and another one is to begin.
    const code = await supervise(script, [], () => void process.emit('SIGTERM'))

    expect([code, readFileSync(births, 'utf8')]).toEqual([0, 'x'])
  })

  it('hears where its host listens, whatever the app tells it besides', async () => {
    const address = JSON.stringify({ port: 1, amqpPort: 2, connectionString: 'Endpoint=sb://x' })
    writeFileSync(script, `process.send('mine', () => process.send(${address}, () => process.exit(${couldNotStart})))`)
    const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const thrown: unknown[] = []
    process.setUncaughtExceptionCaptureCallback((error) => void thrown.push(error))

    await supervise(script, [], () => undefined)

    process.setUncaughtExceptionCaptureCallback(null)
    expect(thrown).toEqual([])
    expect(print.mock.calls).toEqual([['HTTP  http://127.0.0.1:1\nAMQP  Endpoint=sb://x\n']])
  })
})
