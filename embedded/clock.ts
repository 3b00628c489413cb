// Time, handed in. The machine's clock, timers and randomness appear here and nowhere else in embedded/.

import { randomBytes, randomUUID } from 'node:crypto'

/** Takes back what `after` promised; without effect once it has run. */
export type Cancel = () => void

export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Runs `task` once, not before `ms` milliseconds have passed. Any length is allowed, weeks too; it does not keep the process alive by itself. */
  after(ms: number, task: () => void): Cancel
}

/** `setTimeout` overflows above this and would fire at once. */
const longestTimeout = 2 ** 31 - 1

export const systemClock: Clock = {
  now: Date.now,
  after(ms, task) {
    const due = Date.now() + ms
    let timeout: NodeJS.Timeout
    const arm = () => {
      const left = due - Date.now()
      // A timeout may fire a millisecond early; what it stands for must not.
      timeout =
        left <= 0
          ? setTimeout(task, 0)
          : setTimeout(left > longestTimeout ? arm : check, Math.min(left, longestTimeout))
      timeout.unref()
    }
    const check = () => (Date.now() >= due ? task() : arm())
    arm()
    return () => clearTimeout(timeout)
  },
}

/** A random uuid, lower case with dashes. */
export const newUuid: () => string = randomUUID

/** 32 random hexadecimal digits, the form of the platform's own instance and execution ids. */
export const newId = () => randomBytes(16).toString('hex')
