// Where an instance stands, as the machine knows it: rebuilt from its recorded history. What a command would do is a question to this state.

import type { DurableClient } from 'durable-functions'
import { sagaNamed } from '../../app/index.js'
import type { Saga } from '../../saga/define.js'
import { SagaError } from '../../saga/errors.js'
import type { SagaHistory } from '../../saga/history.js'
import { readInstanceId } from '../../saga/ids.js'
import { pending } from '../../saga/machine.js'
import { recall } from '../../saga/recall.js'
import type { SagaState } from '../../saga/state.js'
import { historyOf } from './history.js'

export interface Standing {
  readonly saga: Saga
  readonly state: SagaState
  readonly history: SagaHistory
}

/** @throws SagaError `INSTANCE_UNKNOWN`, `SAGA_UNKNOWN` when its definition is gone, `HISTORY_PARTED` when today's code can't have made its history */
export async function stateOfInstance(client: DurableClient, id: string): Promise<Standing> {
  const history = await historyOf(client, id)
  const saga = sagaNamed(history.saga, history.version)
  return { saga, state: standingOf(saga, history), history }
}

/** @throws SagaError `HISTORY_PARTED` */
export function standingOf(saga: Saga, history: SagaHistory): SagaState {
  const { id, event, status } = history
  if (status.phase === 'pending' || status.phase === 'merged')
    // In a lane: nothing is asked before it is its turn.
    return {
      ...pending(saga, { instance: readInstanceId(id), event, at: status.startedAt }),
      ...(status.phase === 'merged' && {
        end: status.phase,
        ...(status.mergedInto && { mergedInto: status.mergedInto }),
      }),
    }
  const { state, parting } = recall(saga, history)
  if (parting) throw SagaError.of('HISTORY_PARTED', { id, why: parting.why })
  return state
}
