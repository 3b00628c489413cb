// One machine without Azure, running one compiled app: its code in the main thread, as in a process of its own, and the host in another.

import { join, resolve } from 'node:path'
import { SHARE_ENV, Worker as Thread } from 'node:worker_threads'
import { appThread } from './app-thread.js'
import type { HostThread, Place } from './host-thread.js'
import { consoleLog } from './log.js'
import { connect, type Distant } from './thread-calls.js'

export interface RuntimeOptions extends Partial<Place> {
  /** Folder of the compiled app: where host.json and package.json stand. */
  readonly app: string
  /** Where everything that must survive is kept; made if it does not exist. */
  readonly data: string
  /** HTTP; 0 for any free port. */
  readonly port: number
  /** AMQP; 0 for any free port. */
  readonly amqpPort: number
}

export interface Runtime {
  readonly port: number
  readonly amqpPort: number
  readonly connectionString: string
  /** Resolves when both threads turn. */
  readonly isAlive: () => Promise<boolean>
  /** Takes nothing new, ends what is running, closes the store. */
  readonly close: () => Promise<void>
}

/** @throws HostError, or a listener's error such as EADDRINUSE */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { app, data, topics = [], diedOfItself = false, log = 'warn', ...place } = options
  // They share their settings: those in the app's own file reach the host too.
  const thread = new Thread(join(__dirname, 'host-thread.js'), { env: SHARE_ENV })
  thread.on('error', (error) => {
    // Without its host the app is nothing.
    process.stderr.write(`${error.stack ?? error.message}\n`)
    process.exit(1)
  })
  const host: Distant<HostThread> = connect<HostThread>(
    thread,
    appThread(resolve(app), consoleLog(log), (request) => host.askHub(request)),
  )
  const at = await host.start({ ...place, data: resolve(data), topics, diedOfItself, log })
  return {
    ...at,
    isAlive: () => host.isAlive(),
    async close() {
      await host.close()
      await thread.terminate()
    },
  }
}
