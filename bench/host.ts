// The embedded host as a process of its own, with the app that is measured; without its supervisor, which costs nothing while it waits.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { report } from '../embedded/supervisor.js'

export interface Host {
  readonly pid: number
  readonly url: string
  stop(): Promise<void>
}

/** @param data where it keeps everything */
export async function startHost(data: string, environment: Record<string, string> = {}): Promise<Host> {
  const args = ['--app', 'bench/app', '--port', '0', '--amqp-port', '0', '--data', data, '--supervised']
  const host = fork('dist/embedded/main.js', args, { env: { ...process.env, ...environment } })
  for (;;) {
    const [message] = await Promise.race([once(host, 'message'), once(host, 'exit')])
    if (typeof message === 'number') throw new Error('The host did not start.')
    const told = report.parse(message)
    if (told === 'alive') continue
    return {
      pid: host.pid ?? 0,
      url: `http://127.0.0.1:${told.port}`,
      async stop() {
        host.kill()
        await once(host, 'exit')
      },
    }
  }
}
