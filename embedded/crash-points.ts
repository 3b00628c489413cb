// Named places between two effects at which a test can let the process die.

/** Each place, and what is true when it is reached. */
export type CrashPoint =
  /** A message is on disk, its sender has no answer yet. */
  | 'broker:message-stored'
  /** A settlement is on disk, its receiver has no answer yet. */
  | 'broker:delivery-settled'
  /** An orchestrator has run, nothing of it is on disk. */
  | 'hub:turn-computed'
  /** A turn is on disk, none of its activities has been started. */
  | 'hub:turn-persisted'
  /** An activity has run, its result is not on disk. */
  | 'hub:activity-done'

/** Handed to whoever persists something; reached at the named place. */
export type Reach = (point: CrashPoint) => void

export const carryOn: Reach = () => undefined

/** Dies without any farewell, as on kill -9, when `fatal` is reached for the `nth` time. */
export function dieAt(fatal: CrashPoint, nth = 1): Reach {
  let left = nth
  return (point) => {
    if (point === fatal && --left === 0) process.kill(process.pid, 'SIGKILL')
  }
}
