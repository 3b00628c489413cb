// The thread of the host: everything but the app's code, which the main thread runs, so that neither waits for the other's work.

import { parentPort } from 'node:worker_threads'
import type { AppThread } from './app-thread.js'
import { carryOn, type CrashPoint, dieAt } from './crash-points.js'
import { type Host, startHost } from './host.js'
import { consoleLog, type Level } from './log.js'
import type { ApiRequest, HubApi } from './taskhub/hub-api.js'
import { connect } from './thread-calls.js'

export interface Place {
  readonly data: string
  readonly port: number
  readonly amqpPort: number
  readonly topics: readonly { readonly topic: string; readonly subscription: string }[]
  readonly diedOfItself: boolean
  readonly log: Level
  /** Where the process is to die, and at which time that it gets there. */
  readonly dies?: { readonly at: CrashPoint; readonly nth: number }
}

export type HostThread = ReturnType<typeof hostThread>

function hostThread() {
  let host: Host | undefined
  let ask: HubApi | undefined
  return {
    async start({ log: level, dies, ...rest }: Place) {
      const log = consoleLog(level)
      host = await startHost({
        ...rest,
        log,
        reach: dies ? dieAt(dies.at, dies.nth) : carryOn,
        async load(place, askHub) {
          ask = askHub
          return { ...(await app.load(place)), ...calls }
        },
      })
      const { port, amqpPort, connectionString } = host
      return { port, amqpPort, connectionString }
    },
    askHub(request: ApiRequest) {
      if (!ask) throw new Error('No app has been loaded that could ask.')
      return ask(request)
    },
    close: () => host?.close(),
    /** Answers as long as this thread's event loop turns. */
    isAlive: () => true,
  }
}

if (!parentPort) throw new Error('This file is the entry of a thread.')
const app = connect<AppThread>(parentPort, hostThread())
const { invoke, replay, resume, turns, stop } = app
const calls = { invoke, replay, resume, turns, stop }
