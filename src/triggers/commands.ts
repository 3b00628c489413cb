// POST /api/sagas/{id}/{command}: an operator's word to a saga, with who says it and why.

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { DurableClient } from 'durable-functions'
import { names } from '../names.js'
import { actorOf, roleOf } from '../operators/access.js'
import { recorded } from '../operators/operations/log.js'
import { type Asked, Reply } from '../operators/route.js'
import type { Routes } from '../operators/routes.js'
import { commandKinds, type SagaCommand } from '../saga/commands.js'
import { SagaError } from '../saga/errors.js'
import { isOver } from '../saga/phase.js'
import { readSignal } from '../saga/signal.js'
import type { Word } from '../saga/status.js'
import { findInstance, instanceOf } from './instances.js'
import type { Handler } from './serve.js'

/** Milliseconds for which the answer waits until the saga has heard the word, and between two looks. */
const patience = 3_000
const interval = 100

type Said = Asked<Routes['commandSaga']>

/** 200 when the saga has followed, 409 when it had an objection, 202 when it has not listened yet: it does when it waits the next time. */
export const commandSaga: Handler<Routes['commandSaga']> = async (said, { client }) => {
  const { id } = said.params
  const command = readCommand(said)
  const { kind: what, actor, reason } = command
  const { phase, waitsFor } = await instanceOf(client, id)
  return recorded(
    client,
    { actor, role: roleOf(said.caller), what, target: id, reason, before: { phase } },
    async () => {
      if (isOver(phase) || waitsFor?.kind === 'repair')
        throw SagaError.of('COMMAND_ILLEGAL', { command: what, why: `the saga is ${phase}` })
      await client.raiseEvent(id, names.signal, { kind: 'command', command })
      const word = await hear(client, id, command.id)
      if (word?.refused !== undefined) throw SagaError.of('COMMAND_ILLEGAL', { command: what, why: word.refused })
      const followed = word !== undefined
      return {
        answer: new Reply(followed ? 200 : 202, { id: command.id, command: what, followed }),
        after: { followed },
      }
    },
  )
}

/** @throws SagaError `COMMAND_MALFORMED`, `BODY_MALFORMED` */
function readCommand({ params: { command: kind }, body, caller }: Said): SagaCommand {
  if (!commandKinds.some((known) => known === kind))
    throw SagaError.of('COMMAND_MALFORMED', { command: kind.slice(0, 30), why: `there are ${commandKinds.join(', ')}` })
  const actor = actorOf(caller, body.actor)
  const signal = readSignal({ kind: 'command', command: { ...body, actor, kind, id: randomUUID() } })
  if (signal?.kind !== 'command')
    throw SagaError.of('COMMAND_MALFORMED', { command: kind, why: 'the body needs "step", the name of the step' })
  return signal.command
}

/** The word in the saga's log, once it is there. */
async function hear(client: DurableClient, id: string, word: string): Promise<Word | undefined> {
  for (let waited = 0; waited < patience; waited += interval) {
    const found = (await findInstance(client, id))?.log.find((one) => one.id === word)
    if (found) return found
    await setTimeout(interval)
  }
  return undefined
}
