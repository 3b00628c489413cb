// Drives the machine on durable-functions. Decides nothing: a command becomes a durable task, its result an event.

import type { OrchestrationContext, Task } from 'durable-functions'
import { sagaNamed } from '../app/index.js'
import { names } from '../names.js'
import type { EndPhase } from '../saga/phase.js'
import { readInstanceId } from '../saga/ids.js'
import { begin, type Command, type SagaEvent, turn } from '../saga/machine.js'
import { readOutcome } from '../saga/outcome.js'
import type { SagaInput } from '../saga/routing.js'
import { statusOf } from '../saga/status.js'
import { unreachable } from '../saga/unreachable.js'

/** As much of the durable context as the driver uses. */
export type Durable = Pick<
  OrchestrationContext['df'],
  | 'instanceId'
  | 'currentUtcDateTime'
  | 'getInput'
  | 'setCustomStatus'
  | 'callActivity'
  | 'createTimer'
  | 'waitForExternalEvent'
>

export function* runSaga({ df }: { readonly df: Durable }): Generator<Task, { phase: EndPhase }, unknown> {
  const { saga: name, version, event } = df.getInput<SagaInput>()
  const saga = sagaNamed(name, version)
  let { state, command } = begin(saga, { instance: readInstanceId(df.instanceId), event, at: nowOf(df) })
  df.setCustomStatus(statusOf(saga, state))
  while (command.kind !== 'end') {
    const happened = yield* carryOut(df, command)
    ;({ state, command } = turn(saga, state, happened))
    df.setCustomStatus(statusOf(saga, state))
  }
  return { phase: command.phase }
}

function* carryOut(df: Durable, command: Exclude<Command, { kind: 'end' }>): Generator<Task, SagaEvent, unknown> {
  switch (command.kind) {
    case 'ask': {
      const outcome = readOutcome(yield df.callActivity(names.askPartner, command.ask))
      return { kind: 'answered', at: nowOf(df), outcome }
    }
    case 'sleep':
      yield df.createTimer(new Date(df.currentUtcDateTime.getTime() + command.ms))
      return { kind: 'woken', at: nowOf(df) }
    case 'hold':
      yield df.waitForExternalEvent(names.retry)
      return { kind: 'retry', at: nowOf(df) }
    default:
      return unreachable(command)
  }
}

/** The only time that a replay sees again. */
const nowOf = (df: Durable) => df.currentUtcDateTime.toISOString()
