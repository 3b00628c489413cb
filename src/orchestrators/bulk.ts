// Carries a command out on many, a few at a time: first all items are found and kept, in pages, then they are worked through at the pace that was asked for.

import type { OrchestrationContext, Task } from 'durable-functions'
import { names } from '../names.js'
import {
  afterBatch,
  afterFound,
  type BulkBatch,
  type BulkInput,
  type BulkProgress,
  type FoundPage,
  isAtEnd,
  paceOf,
} from '../saga/bulk.js'
import { retrying } from './retrying.js'

type Durable = Pick<
  OrchestrationContext['df'],
  'getInput' | 'callActivityWithRetry' | 'setCustomStatus' | 'createTimer' | 'currentUtcDateTime' | 'continueAsNew'
>

/** Turns after which the history is cut. */
const mostTurns = 50

/** The task hub or Service Bus may be away for some minutes. */
const patient = () => retrying(1_000, 12, 60_000)

export function* bulk({ df }: { readonly df: Durable }): Generator<Task, BulkProgress | undefined, unknown> {
  let at = df.getInput<BulkInput>()
  const { job } = at
  const pace = paceOf(job)
  for (let turns = 0; !isAtEnd(at); turns++) {
    tell(df, at)
    if (turns === mostTurns) {
      df.continueAsNew(at)
      return undefined
    }
    if (at.finding) {
      const input = { job, page: at.pages, token: at.finding.token }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the activity of the same version
      at = afterFound(at, (yield df.callActivityWithRetry(names.bulkFind, patient(), input)) as FoundPage)
      continue
    }
    const due = df.currentUtcDateTime.getTime() + pace.ms
    const input = { job, ...at.next, size: pace.size }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    const batch = (yield df.callActivityWithRetry(names.bulkBatch, patient(), input)) as BulkBatch
    if (batch.isStopped) return yield* end(df, at, 'stopped')
    at = afterBatch(at, batch)
    tell(df, at)
    if (!isAtEnd(at) && due > df.currentUtcDateTime.getTime()) yield df.createTimer(new Date(due))
  }
  return yield* end(df, at, 'done')
}

function* end(df: Durable, at: BulkInput, state: 'done' | 'stopped'): Generator<Task, BulkProgress, unknown> {
  const progress = { ...at.progress, state, endedAt: df.currentUtcDateTime.toISOString() }
  yield df.callActivityWithRetry(names.bulkEnd, patient(), { job: at.job, pages: at.pages, progress })
  tell(df, { ...at, progress })
  return progress
}

const tell = (df: Durable, { progress }: BulkInput) => df.setCustomStatus(progress)
