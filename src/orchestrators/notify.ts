// Brings one notice to one who wants it, for as long as it takes. It has an orchestration to itself, so that no saga waits for who is told of it.

import { type OrchestrationContext, RetryOptions, type Task } from 'durable-functions'
import { names } from '../names.js'
import type { Delivery } from '../saga/notices.js'

type Durable = Pick<OrchestrationContext['df'], 'getInput' | 'callActivityWithRetry'>

/** About three days; then the orchestration fails, and stays to be seen. */
function relentless(): RetryOptions {
  const options = new RetryOptions(5_000, 80)
  options.backoffCoefficient = 2
  options.maxRetryIntervalInMilliseconds = 3_600_000
  return options
}

export function* notify({ df }: { readonly df: Durable }): Generator<Task, void, unknown> {
  yield df.callActivityWithRetry(names.sendNotice, relentless(), df.getInput<Delivery>())
}
