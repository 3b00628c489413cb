// POST /api/sagas/{id}/{command}: an operator's word to a saga, with who says it and why; and /preview, what it would come to.

import { randomUUID } from 'node:crypto'
import type { DurableClient } from 'durable-functions'
import type { z } from 'zod'
import { actorOf, roleOf, seesValues } from '../../operators/access.js'
import { maskedPreview } from '../../operators/masked.js'
import { recorded } from '../../operators/operations/log.js'
import { Reply } from '../../operators/route.js'
import type { Routes } from '../../operators/routes.js'
import type { commandBody } from '../../operators/schemas/commands.js'
import { stateOfInstance } from './standing.js'
import { commandKinds, type SagaCommand } from '../../saga/commands.js'
import { SagaError } from '../../saga/errors.js'
import { previewOf } from '../../saga/preview.js'
import { readSignal } from '../../saga/signal.js'
import { instanceOf } from '../instances.js'
import { say } from './say.js'
import type { Handler } from '../serve.js'

/** Milliseconds for which the answer waits until the saga has heard the word. */
const patience = 3_000

/** 200 when the saga has followed, 409 when it had an objection, 202 when it has not listened yet: it does when it waits the next time. */
export const commandSaga: Handler<Routes['commandSaga']> = async (said, { client }) => {
  const { id } = said.params
  const command = readCommand(said.params.command, { ...said.body, actor: actorOf(said.caller, said.body.actor) })
  const { kind: what, actor, reason } = command
  const { phase } = await instanceOf(client, id)
  const asked = { actor, role: roleOf(said.caller), what, target: id, reason, before: { phase } }
  return recorded(client, asked, async () => {
    await checkPlan(client, id, command)
    const after = await say(client, id, command, patience)
    const { followed } = after
    return { answer: new Reply(followed ? 200 : 202, { id: command.id, command: what, followed }), after }
  })
}

/** What it comes to; nobody is asked anything, and nothing is written down. */
export const previewCommand: Handler<Routes['previewCommand']> = async ({ params, body, caller }, { client }) => {
  const { actor = caller.actor, reason = 'a preview' } = body
  const command = readCommand(params.command, { ...body, actor, reason })
  const { saga, state } = await stateOfInstance(client, params.id)
  const told = previewOf(saga, state, command, new Date().toISOString())
  return seesValues(caller) ? told : maskedPreview(told, [command, ...state.steps].flatMap(valuesOf))
}

const valuesOf = (of: object): unknown[] => ['input', 'output'].map((name) => Reflect.get(of, name))

type Body = Omit<z.output<typeof commandBody>, 'actor'> & { readonly actor: string }

/** @throws SagaError `COMMAND_MALFORMED` */
function readCommand(kind: string, body: Body): SagaCommand {
  if (!commandKinds.some((known) => known === kind))
    throw SagaError.of('COMMAND_MALFORMED', { command: kind.slice(0, 30), why: `there are ${commandKinds.join(', ')}` })
  const signal = readSignal({ kind: 'command', command: { ...body, kind, id: randomUUID() } })
  if (signal?.kind !== 'command')
    throw SagaError.of('COMMAND_MALFORMED', { command: kind, why: 'the body needs "step", the name of the step' })
  return signal.command
}

/** A plan is held to from its first call to its last: one that was made for another state of the saga is refused as a whole. */
async function checkPlan(client: DurableClient, id: string, command: SagaCommand): Promise<void> {
  if (!command.plan) return
  const { saga, state } = await stateOfInstance(client, id)
  const { why, plan } = previewOf(saga, state, command, new Date().toISOString())
  if (why === undefined && plan.join() !== command.plan.join())
    throw SagaError.of('COMMAND_ILLEGAL', {
      command: command.kind,
      why: 'it would not come to what the plan tells any more',
    })
}
