// POST /api/sagas/{id}/{command}: an operator's word to a saga, with who says it and why.

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { type DurableClient, getClient } from 'durable-functions'
import { z } from 'zod'
import { names } from '../names.js'
import { commandKinds, type SagaCommand } from '../saga/commands.js'
import { SagaError } from '../saga/errors.js'
import { isInstanceId } from '../saga/ids.js'
import { isOver } from '../saga/phase.js'
import { readSignal } from '../saga/signal.js'
import type { Word } from '../saga/status.js'
import { json } from './http-answer.js'
import { findInstance } from './instances.js'

const said = z.looseObject({ actor: z.string().min(1), reason: z.string().min(1) })

/** Milliseconds for which the answer waits until the saga has heard the word, and between two looks. */
const patience = 3_000
const interval = 100

/** 200 when the saga has followed, 409 when it had an objection, 202 when it has not listened yet: it does when it waits the next time. */
export async function commandSaga(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const client = getClient(context)
  const id = request.params['id'] ?? ''
  const command = await readCommand(request)
  const status = isInstanceId(id) ? await findInstance(client, id) : undefined
  if (!status) throw SagaError.of('INSTANCE_UNKNOWN', { id: id.slice(0, 100) })
  if (isOver(status.phase) || status.waitsFor?.kind === 'repair')
    throw SagaError.of('COMMAND_ILLEGAL', { command: command.kind, why: `the saga is ${status.phase}` })
  await client.raiseEvent(id, names.signal, { kind: 'command', command })
  context.log(`${id}: ${command.kind} by ${command.actor}`)
  const word = await hear(client, id, command.id)
  if (word?.refused !== undefined) throw SagaError.of('COMMAND_ILLEGAL', { command: command.kind, why: word.refused })
  return json({ id: command.id, command: command.kind, followed: word !== undefined }, word ? 200 : 202)
}

/** @throws SagaError `COMMAND_MALFORMED` */
async function readCommand(request: HttpRequest): Promise<SagaCommand> {
  const kind = request.params['command'] ?? ''
  if (!commandKinds.some((known) => known === kind))
    throw SagaError.of('COMMAND_MALFORMED', { command: kind.slice(0, 30), why: `there are ${commandKinds.join(', ')}` })
  const body = said.safeParse(await request.json().catch(() => undefined))
  if (!body.success)
    throw SagaError.of('COMMAND_MALFORMED', { command: kind, why: 'the body needs "actor" and "reason", both texts' })
  const signal = readSignal({ kind: 'command', command: { ...body.data, kind, id: randomUUID() } })
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
