// The embedded host as a process of its own, with the app that is measured.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Host {
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

/** @param data where it keeps everything */
export async function startHost(data: string): Promise<Host> {
  const args = ['dist/embedded/main.js', '--app', 'bench/app', '--port', '0', '--amqp-port', '0', '--data', data]
  const host = spawn('node', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await addressOf(host)
  return {
    pid: host.pid ?? 0,
    url,
    async stop() {
      host.kill()
      await once(host, 'exit')
    },
  }
}

async function addressOf({ stdout }: ChildProcess): Promise<string> {
  let text = ''
  for await (const part of stdout ?? []) {
    text += String(part)
    const found = /HTTP +(\S+)/.exec(text)
    if (found?.[1]) return found[1]
  }
  throw new Error('The host did not start.')
}
