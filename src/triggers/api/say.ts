// A person's word to one saga: given to its orchestration, and waited for until it is in the saga's log.

import { setTimeout } from 'node:timers/promises'
import type { DurableClient } from 'durable-functions'
import { names } from '../../names.js'
import type { SagaCommand } from '../../saga/commands.js'
import { SagaError } from '../../saga/errors.js'
import { isOver, type Phase } from '../../saga/phase.js'
import type { SagaStatus } from '../../saga/status.js'
import { findInstance, instanceOf } from '../instances.js'

/** Milliseconds between two looks. */
const interval = 100

export interface Heard {
  /** False while the saga has not listened yet: it does when it waits the next time. */
  readonly followed: boolean
  readonly phase: Phase
}

/**
 * A word with the id of one that was said before is not said again.
 * @param patience milliseconds for which the saga is waited for
 * @throws SagaError `INSTANCE_UNKNOWN`, `COMMAND_ILLEGAL` with the saga's objection
 */
export async function say(client: DurableClient, id: string, command: SagaCommand, patience: number): Promise<Heard> {
  const before = await instanceOf(client, id)
  if (!wordIn(before, command)) {
    if (isOver(before.phase) || before.waitsFor?.kind === 'repair')
      throw SagaError.of('COMMAND_ILLEGAL', { command: command.kind, why: `the saga is ${before.phase}` })
    await client.raiseEvent(id, names.signal, { kind: 'command', command })
  }
  for (let waited = 0; waited < patience; waited += interval) {
    const status = await findInstance(client, id)
    const word = status && wordIn(status, command)
    if (word?.refused !== undefined) throw SagaError.of('COMMAND_ILLEGAL', { command: command.kind, why: word.refused })
    if (status && word) return { followed: true, phase: status.phase }
    await setTimeout(interval)
  }
  return { followed: false, phase: before.phase }
}

const wordIn = ({ log }: SagaStatus, { id }: SagaCommand) => log.find((word) => word.id === id)
