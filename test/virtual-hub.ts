// A task hub with its HTTP endpoint and timer triggers in virtual time: days pass as fast as the machine can run what is due in them.

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import TinyQueue from 'tinyqueue'
import type { Clock } from '../embedded/clock.js'
import { carryOn } from '../embedded/crash-points.js'
import { durableCodeOf } from '../embedded/functions/durable-code.js'
import type { FunctionApp } from '../embedded/functions/function-app.js'
import { loadApp } from '../embedded/functions/load-app.js'
import { startTimerTriggers } from '../embedded/functions/timer-triggers.js'
import type { Log } from '../embedded/log.js'
import type { Lose } from '../embedded/losses.js'
import { openStore, type Store } from '../embedded/store/store.js'
import { clientBindingOf } from '../embedded/taskhub/client-binding.js'
import { hubApi } from '../embedded/taskhub/hub-api.js'
import { overHttp } from '../embedded/taskhub/over-http.js'
import { TaskHub } from '../embedded/taskhub/hub.js'
import { readHubSettings } from '../embedded/taskhub/settings.js'

/** Milliseconds. */
const together = 15_000

interface Due {
  readonly at: number
  readonly task: () => void
}

/** Stands still until it is told to go on. */
export class VirtualClock implements Clock {
  readonly #due = new TinyQueue<Due>([], (a, b) => a.at - b.at)
  #now: number

  constructor(now: number) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, task: () => void): () => void {
    let isCancelled = false
    this.#due.push({ at: this.#now + ms, task: () => void (isCancelled || task()) })
    return () => void (isCancelled = true)
  }

  /** Goes on to a time, running what is due meanwhile; what is due at nearly the same time is begun together. @param settled when all that was begun has ended */
  async goTo(time: number, settled: () => Promise<void>): Promise<void> {
    await settled()
    for (let next = this.#due.peek(); next && next.at <= time; next = this.#due.peek()) {
      const end = Math.min(time, Math.max(this.#now, next.at) + together)
      for (let one: Due | undefined = next; one && one.at <= end; one = this.#due.peek()) {
        this.#due.pop()
        this.#now = Math.max(this.#now, one.at)
        one.task()
      }
      await settled()
    }
    this.#now = Math.max(this.#now, time)
  }

  /** Nothing that is due runs: as if everything had been away. */
  skip(ms: number): void {
    this.#now += ms
  }
}

type Handler = (...all: never[]) => unknown

export interface HandedOver {
  readonly orchestrations: Readonly<Record<string, Handler>>
  readonly activities: Readonly<Record<string, Handler>>
  readonly entities?: Readonly<Record<string, Handler>>
  readonly timers?: Readonly<Record<string, { readonly schedule: string; readonly handler: Handler }>>
}

export interface VirtualHub {
  readonly hub: TaskHub
  /** Lets so many milliseconds pass. */
  pass(ms: number): Promise<void>
  /** When nothing runs any more. */
  settled(): Promise<void>
  /** For what is handed over: to take so many milliseconds. */
  sleep(ms: number): Promise<void>
  /** Fires a timer trigger now. */
  fire(timer: string): Promise<void>
  close(): Promise<void>
}

let loaded: Promise<FunctionApp> | undefined

/** A process loads one app: the first that is handed over serves all hubs of a test file. */
export function appOf(handedOver: HandedOver): Promise<FunctionApp> {
  Object.assign(globalThis, { handedOver })
  loaded ??= loadApp({
    folder: resolve('test/triggers/handed-over'),
    hostname: '127.0.0.1:1',
    log: () => undefined,
  })
  return loaded
}

export async function startVirtualHub(options: {
  readonly clock: VirtualClock
  readonly handedOver: HandedOver
  readonly lose: Lose
  readonly log: Log
  readonly concurrentActivities: number
}): Promise<VirtualHub> {
  const { clock, log, lose } = options
  const data = mkdtempSync(join(tmpdir(), 'virtual-'))
  let underWay = 0
  const counted = <Result>(work: Promise<Result>): Promise<Result> => {
    underWay += 1
    return work.finally(() => (underWay -= 1))
  }
  const settled = async () => {
    for (let quiet = 0; quiet < 4; quiet = underWay === 0 ? quiet + 1 : 0) await setImmediate()
  }

  const opened = openStore(data, { isDurable: false })
  const store: Store = { ...opened, commit: (write) => counted(opened.commit(write)) }
  const app = await appOf(options.handedOver)
  const server = createServer((request, response) => void api(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const path = '/runtime/webhooks/durabletask'
  const place = { hubName: 'Virtual', origin, key: 'k', rpcBaseUrl: `${origin}${path}/` }
  const extraInput = () => ({ string: clientBindingOf(place) })
  const code = durableCodeOf(app, extraInput)
  const hub = new TaskHub({
    store,
    clock,
    reach: carryOn,
    lose,
    log,
    code: {
      ...code,
      runOrchestrator: (...all) => counted(code.runOrchestrator(...all)),
      runActivity: (...all) => counted(code.runActivity(...all)),
      runEntity: (...all) => counted(code.runEntity(...all)),
    },
    settings: {
      ...readHubSettings(undefined, log),
      maxConcurrentActivityFunctions: options.concurrentActivities,
    },
    tokenFor: () => Promise.reject(new Error('There is no identity here.')),
  })
  const api = overHttp(hubApi(hub, path, 'k'))
  const invoke: typeof app.invoke = (...all) => counted(app.invoke(...all))
  const timers = startTimerTriggers({ app: { ...app, invoke }, clock, store, log, extraInput })

  return {
    hub,
    settled,
    pass: (ms) => clock.goTo(clock.now() + ms, settled),
    async sleep(ms) {
      underWay -= 1
      await new Promise<void>((wake) => clock.after(ms, wake))
      underWay += 1
    },
    async fire(name) {
      const timer = app.functions.find((one) => one.name === name)
      await invoke(name, {
        inputs: {
          ...Object.fromEntries((timer?.inputs ?? []).map(({ key }) => [key, extraInput()])),
          [timer?.trigger.key ?? '']: { json: '{}' },
        },
      })
    },
    async close() {
      await timers.close()
      await hub.close()
      server.closeAllConnections()
      server.close()
      await opened.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
