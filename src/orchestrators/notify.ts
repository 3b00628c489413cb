// Brings one notice to one who wants it, for as long as it takes. It has an orchestration to itself, so that no saga waits for who is told of it.

import type { OrchestrationContext, Task } from 'durable-functions'
import { names } from '../names.js'
import type { Delivery } from '../saga/notices.js'
import { retrying } from './retrying.js'

type Durable = Pick<OrchestrationContext['df'], 'getInput' | 'callActivityWithRetry'>

/** About three days; then the orchestration fails, and stays to be seen. */
const relentless = () => retrying(5_000, 80, 3_600_000)

export function* notify({ df }: { readonly df: Durable }): Generator<Task, void, unknown> {
  yield df.callActivityWithRetry(names.sendNotice, relentless(), df.getInput<Delivery>())
}
