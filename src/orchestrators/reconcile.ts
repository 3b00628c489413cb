// Goes through all that changed in Dataverse since the last time, page by page, and adds up what the pages tell.

import type { OrchestrationContext, Task } from 'durable-functions'
import { names } from '../names.js'
import {
  addPage,
  type ReconcileInput,
  type ReconciledPage,
  type Reconciliation,
  reconciliationOf,
} from '../saga/reconcile.js'
import { retrying } from './retrying.js'

type Durable = Pick<OrchestrationContext['df'], 'getInput' | 'callActivityWithRetry' | 'setCustomStatus'>

/** Dataverse may be away, or ask everybody to wait: for some minutes a page is asked for again. */
const patient = () => retrying(2_000, 12, 60_000)

export function* reconcile({ df }: { readonly df: Durable }): Generator<Task, Reconciliation, unknown> {
  const input = df.getInput<ReconcileInput>()
  let told = reconciliationOf(input)
  for (let at = input.delta; ; ) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the activity of the same version
    const page = (yield df.callActivityWithRetry(names.reconcilePage, patient(), {
      saga: input.saga,
      at,
    })) as ReconciledPage
    told = addPage(told, input, page)
    df.setCustomStatus({ rows: told.rows, missing: told.missingCount })
    if (page.next === undefined && !page.isExpired) return told
    at = page.next
  }
}
