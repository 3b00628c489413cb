// How often an orchestration of ours has an activity executed again, when what it needs is away. Sagas do not use it: their policies are the machine's.

import { RetryOptions } from 'durable-functions'

/** Each wait is twice as long as the one before. @param first and `longest`: milliseconds */
export function retrying(first: number, attempts: number, longest: number): RetryOptions {
  const options = new RetryOptions(first, attempts)
  options.backoffCoefficient = 2
  options.maxRetryIntervalInMilliseconds = longest
  return options
}
