// The embedded host as a process of its own, with an app that is measured; without its supervisor, which costs nothing while it waits.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { roomForTheYoung } from '../embedded/garbage.js'
import { report } from '../embedded/supervisor.js'

export interface Host {
  readonly pid: number
  readonly url: string
  /** Of its broker. */
  readonly connectionString: string
  stop(): Promise<void>
}

/**
 * @param data where it keeps everything
 * @param settings of the app, besides those of this process
 */
export async function startHost(
  data: string,
  settings: Readonly<Record<string, string>> = {},
  app = 'bench/app',
): Promise<Host> {
  const args = ['--app', app, '--port', '0', '--amqp-port', '0', '--data', data, '--supervised', '--quiet']
  const env = { ...process.env, ...settings }
  const host = fork('dist/embedded/main.js', args, {
    env,
    execArgv: [...process.execArgv, ...roomForTheYoung],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  for (;;) {
    const [message] = await Promise.race([once(host, 'message'), once(host, 'exit')])
    if (typeof message === 'number') throw new Error('The host did not start.')
    const told = report.parse(message)
    if (told === 'alive') continue
    return {
      pid: host.pid ?? 0,
      url: `http://127.0.0.1:${told.port}`,
      connectionString: told.connectionString,
      async stop() {
        host.kill()
        await once(host, 'exit')
      },
    }
  }
}
