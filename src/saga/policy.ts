// How often and how long to try again. The fields are those of the platform's own durable retry options.

interface Backoff {
  /** Milliseconds before the second attempt. */
  readonly firstRetryIntervalInMilliseconds: number
  /** Each wait is this many times the one before; 1 if absent. */
  readonly backoffCoefficient?: number
  /** No wait is longer, not even one that a partner asks for; an hour if absent. */
  readonly maxRetryIntervalInMilliseconds?: number
}

/** Gives up at some time. */
export interface FinitePolicy extends Backoff {
  /** Attempts in all, the first one included. */
  readonly maxNumberOfAttempts: number
}

/** Never gives up. */
export interface EndlessPolicy extends Backoff {
  readonly maxNumberOfAttempts: 'unlimited'
}

export type RetryPolicy = FinitePolicy | EndlessPolicy

const hour = 3_600_000

/** Gives a partner that is down about a quarter of an hour. */
export const patient: FinitePolicy = {
  firstRetryIntervalInMilliseconds: 1_000,
  maxNumberOfAttempts: 12,
  backoffCoefficient: 2,
  maxRetryIntervalInMilliseconds: 120_000,
}

/** For what comes after the pivot, which has no alternative. */
export const relentless: EndlessPolicy = {
  firstRetryIntervalInMilliseconds: 1_000,
  maxNumberOfAttempts: 'unlimited',
  backoffCoefficient: 2,
  maxRetryIntervalInMilliseconds: 600_000,
}

/** How many attempts a policy allows. */
export const mostAttempts = ({ maxNumberOfAttempts }: RetryPolicy): number =>
  maxNumberOfAttempts === 'unlimited' ? Infinity : maxNumberOfAttempts

/** Milliseconds from the first attempt to the last, if each fails at once. */
export function spanOf(policy: RetryPolicy): number {
  const { firstRetryIntervalInMilliseconds: first, backoffCoefficient = 1 } = policy
  const longest = policy.maxRetryIntervalInMilliseconds ?? hour
  const waits = mostAttempts(policy) - 1
  let span = 0
  for (let wait = 0; wait < waits; wait++) {
    const ms = Math.min(first * backoffCoefficient ** wait, longest)
    // From here on all waits are alike.
    if (ms === longest || backoffCoefficient === 1) return span + ms * (waits - wait)
    span += ms
  }
  return span
}

/**
 * Milliseconds to wait after the given number of failed attempts.
 *
 * The jitter (between half and the whole of the interval) keeps many sagas that failed together from coming back together. It is drawn
 * from `seed`, not from chance, so that a replay waits exactly as long.
 * @param askedFor what the partner named in Retry-After, milliseconds; it is honoured unless the backoff is longer.
 */
export function waitAfter(policy: RetryPolicy, attempts: number, seed: string, askedFor = 0): number {
  const longest = policy.maxRetryIntervalInMilliseconds ?? hour
  const backoff = policy.firstRetryIntervalInMilliseconds * (policy.backoffCoefficient ?? 1) ** (attempts - 1)
  const jittered = Math.min(backoff, longest) * (0.5 + fractionOf(`${seed}#${attempts}`) / 2)
  return Math.round(Math.min(Math.max(jittered, askedFor), longest))
}

/** A number in [0, 1) that only the text decides: FNV-1a, 32 bits, with a last stir for short texts. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32
}
