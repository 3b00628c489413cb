// Looks for sagas that are late, and looks three times before anything is done. Who was asked for before the first look has begun when the second one, which
// stood in line behind it, takes place; and has ended before the third. So whoever has merely stood in line has moved by then.

import type { OrchestrationContext, Task } from 'durable-functions'
import { names } from '../names.js'
import { longestActivity } from '../saga/watch.js'

type Durable = Pick<OrchestrationContext['df'], 'currentUtcDateTime' | 'callActivity' | 'createTimer'>

export function* watch({ df }: { readonly df: Durable }): Generator<Task, unknown, unknown> {
  const late = yield df.callActivity(names.findLate)
  if (isEmpty(late)) return undefined
  const stillLate = yield df.callActivity(names.stillLate, late)
  if (isEmpty(stillLate)) return undefined
  yield df.createTimer(new Date(df.currentUtcDateTime.getTime() + longestActivity))
  return yield df.callActivity(names.rouse, stillLate)
}

const isEmpty = (list: unknown) => !Array.isArray(list) || list.length === 0
