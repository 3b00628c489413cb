// The thread of the host: everything but the app's code, which the main thread runs, so that neither waits for the other's work.

import { parentPort } from 'node:worker_threads'
import type { AppThread } from './app-thread.js'
import { carryOn } from './crash-points.js'
import { type Host, startHost } from './host.js'
import { consoleLog, type Level } from './log.js'
import { connect } from './thread-calls.js'

export interface Place {
  readonly data: string
  readonly port: number
  readonly amqpPort: number
  readonly topics: readonly { readonly topic: string; readonly subscription: string }[]
  readonly diedOfItself: boolean
  readonly log: Level
}

export type HostThread = ReturnType<typeof hostThread>

function hostThread() {
  let host: Host | undefined
  return {
    async start({ log: level, ...place }: Place) {
      const log = consoleLog(level)
      host = await startHost({
        ...place,
        log,
        reach: carryOn,
        load: async (hostname) => ({ ...(await app.load(hostname)), ...calls }),
      })
      const { port, amqpPort, connectionString } = host
      return { port, amqpPort, connectionString }
    },
    close: () => host?.close(),
    /** Answers as long as this thread's event loop turns. */
    isAlive: () => true,
  }
}

if (!parentPort) throw new Error('This file is the entry of a thread.')
const app = connect<AppThread>(parentPort, hostThread())
const { invoke, replay, stop } = app
const calls = { invoke, replay, stop }
