// Calls the app's timer triggers when they are due, never two runs of one at once. What was missed while the process was away runs once, told as past due.

import type { Cancel, Clock } from '../clock.js'
import type { Log } from '../log.js'
import type { Store, Table } from '../store/store.js'
import { textIn } from './app-files.js'
import type { RetryOptions } from './core-module.js'
import { wordsOf } from './errors.js'
import { type ExtraInput, inputsOf } from './extra-inputs.js'
import type { FunctionApp } from './function-app.js'
import type { RegisteredFunction } from './worker.js'
import { readSchedule, type Schedule } from './timer-schedule.js'

export interface TimerTriggers {
  /** Begins no new run, waits for those that run. */
  close(): Promise<void>
}

/** Milliseconds since 1970. */
interface Monitor {
  readonly last: number
  readonly next: number
}

/** Below it the platform does not remember either. */
const shortestMonitored = 60_000

/** @throws HostError `SCHEDULE_UNREADABLE` */
export function startTimerTriggers(options: {
  readonly app: FunctionApp
  readonly clock: Clock
  readonly store: Store
  readonly log: Log
  readonly extraInput: ExtraInput
}): TimerTriggers {
  const monitors = options.store.table<Monitor>('host.timers')
  const timers = options.app.functions
    .filter(({ trigger }) => trigger.type.toLowerCase() === 'timertrigger')
    .map((triggered) => new Timer({ ...options, triggered, monitors }))
  for (const timer of timers) timer.start()
  return { close: async () => void (await Promise.all(timers.map((timer) => timer.stop()))) }
}

interface TimerOptions {
  readonly app: FunctionApp
  readonly clock: Clock
  readonly store: Store
  readonly log: Log
  readonly extraInput: ExtraInput
  readonly triggered: RegisteredFunction
  readonly monitors: Table<Monitor>
}

class Timer {
  readonly #options: TimerOptions
  readonly #schedule: Schedule
  readonly #isMonitored: boolean
  #monitor: Monitor | undefined
  #cancel: Cancel = () => undefined
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: TimerOptions) {
    this.#options = options
    const { triggered, clock, monitors } = options
    const { name, trigger } = triggered
    this.#schedule = readSchedule(name, textIn(trigger, 'schedule'), process.env['WEBSITE_TIME_ZONE'])
    const first = this.#schedule(clock.now())
    this.#isMonitored = trigger['useMonitor'] !== false && this.#schedule(first) - first >= shortestMonitored
    this.#monitor = this.#isMonitored ? monitors.get([name]) : undefined
  }

  start(): void {
    const now = this.#options.clock.now()
    const isPastDue = this.#monitor !== undefined && this.#monitor.next <= now
    if (isPastDue || this.#options.triggered.trigger['runOnStartup'] === true) this.#run(isPastDue)
    else this.#arm()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#running
  }

  #arm(): void {
    const { clock } = this.#options
    const now = clock.now()
    const next = this.#schedule(now)
    if (this.#stopped || next === Infinity) return
    this.#cancel = clock.after(next - now, () => this.#run(false))
  }

  /** The next is due when this one has ended. */
  #run(isPastDue: boolean): void {
    this.#running = this.#call(isPastDue).finally(() => this.#arm())
  }

  async #call(isPastDue: boolean): Promise<void> {
    const { app, clock, store, log, extraInput, triggered, monitors } = this.#options
    const { name, trigger, inputs, retryOptions } = triggered
    const now = clock.now()
    const before = this.#monitor
    const next = this.#schedule(now)
    if (this.#isMonitored) {
      this.#monitor = { last: now, next }
      await store.commit((changes) => changes.put(monitors, [name], { last: now, next }))
    }
    const told = {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: this.#isMonitored
        ? { Last: timeOf(before?.last ?? 0), Next: timeOf(next), LastUpdated: timeOf(before?.last ?? now) }
        : null,
      IsPastDue: isPastDue,
    }
    const call = { [trigger.key]: { json: JSON.stringify(told) } }
    for (let retryCount = 0; ; retryCount++)
      try {
        await app.invoke(name, {
          inputs: { ...inputsOf(inputs, extraInput), ...call },
          ...(retryOptions &&
            retryCount > 0 && { retryContext: { retryCount, maxRetryCount: retryOptions.maxRetryCount } }),
        })
        return
      } catch (error) {
        log('error', name, wordsOf(error))
        const wait = retryOptions && waitBefore(retryOptions, retryCount + 1)
        if (wait === undefined || this.#stopped) return
        await new Promise<void>((resolve) => {
          const cancel = clock.after(wait, resolve)
          this.#cancel = () => {
            cancel()
            resolve()
          }
        })
        if (this.#stopped) return
      }
  }
}

/** Milliseconds before the so manieth retry; undefined when there is none any more. */
function waitBefore(options: RetryOptions, retry: number): number | undefined {
  const { maxRetryCount, retryStrategy, delayInterval, minimumInterval, maximumInterval } = options
  if (maxRetryCount !== -1 && retry > maxRetryCount) return undefined
  if (retryStrategy === 'fixedDelay') return (delayInterval?.seconds ?? 0) * 1_000
  const most = (maximumInterval?.seconds ?? Infinity) * 1_000
  return Math.min(most, (minimumInterval?.seconds ?? 1) * 1_000 * 2 ** (retry - 1))
}

const timeOf = (ms: number) => new Date(ms).toISOString().replace('Z', '+00:00')
