// A partner's own message about a call that it had taken: POST /api/callbacks/{token}, and what the queue partner-replies brings.

import type { DurableClient } from 'durable-functions'
import { z } from 'zod'
import { sagaNamed } from '../../app/index.js'
import { names } from '../../names.js'
import type { Routes } from '../../operators/routes.js'
import { keyInToken } from '../../partner/callback-token.js'
import type { AnyAction } from '../../saga/action.js'
import { SagaError } from '../../saga/errors.js'
import { readKey } from '../../saga/ids.js'
import type { Outcome } from '../../saga/outcome.js'
import { isOver } from '../../saga/phase.js'
import type { Signal } from '../../saga/signal.js'
import { checkSize } from '../../saga/size.js'
import { readSecret, readVersions } from '../../secrets.js'
import { findInstance, isDeaf } from '../instances.js'
import type { Handler } from '../serve.js'

const refusal = z.looseObject({ reason: z.string().min(1).max(500) })

/** A second one, or one that nothing waits for, is taken and changes nothing. */
export const takeCallback: Handler<Routes['takeCallback']> = async ({ params, query, body }, { client, log }) => {
  const text = new TextDecoder().decode(body)
  log(await deliverReply(client, { token: params.token, isRefused: query.outcome === 'refused', text }))
  return { taken: true }
}

/** A later answer, on whatever way it came. */
export interface PartnerReply {
  /** All the authority that it needs. */
  readonly token: string
  readonly isRefused: boolean
  /** JSON, or nothing. */
  readonly text: string
}

/**
 * Resolves with a line for the log when the answer is durably with its saga.
 * @throws SagaError `CALLBACK_UNKNOWN`, `CALLBACK_LATE`, `CALLBACK_MALFORMED`
 */
export async function deliverReply(client: DurableClient, reply: PartnerReply): Promise<string> {
  const key = readKey((await keyIn(reply.token)) ?? '')
  const status = key && (await findInstance(client, key.instance))
  if (!status) throw SagaError.of('CALLBACK_UNKNOWN', undefined)
  if (isOver(status.phase)) throw SagaError.of('CALLBACK_LATE', { phase: status.phase })
  // What is raised to an instance that was stopped is dropped without a word: who answers must come again.
  if (isDeaf(status)) throw new Error(`The answer can not be kept: ${status.waitsFor?.why}.`)
  const step = sagaNamed(status.saga, status.version).steps.find(({ name }) => name === key.step)
  if (!step) throw SagaError.of('CALLBACK_UNKNOWN', undefined)
  const outcome = read(reply, step.action)
  const signal: Signal = { kind: 'reply', step: key.step, edition: key.edition, outcome }
  await client.raiseEvent(key.instance, names.signal, signal)
  return `${key.instance}: ${key.step} was answered: ${outcome.kind}`
}

/** What a token of ours holds; after a rotation too, and when another worker knows of one earlier. */
async function keyIn(token: string): Promise<string | undefined> {
  const key = keyInToken(token, await readSecret('CALLBACK_SECRET'))
  if (key !== undefined) return key
  const keys = (await readVersions('CALLBACK_SECRET')).map((secret) => keyInToken(token, secret))
  return keys.find((one) => one !== undefined)
}

const malformed = (why: string) => SagaError.of('CALLBACK_MALFORMED', { why })

/** @throws SagaError `CALLBACK_MALFORMED` */
function read({ text, isRefused }: PartnerReply, action: AnyAction): Outcome {
  const body = parsed(text)
  if (text !== '' && body === undefined) throw malformed('the body is not JSON')
  if (isRefused) {
    const said = refusal.safeParse(body)
    if (!said.success) throw malformed('a refusal needs a "reason", a text of at most 500 characters')
    return { kind: 'refused', reason: said.data.reason }
  }
  try {
    return { kind: 'applied', output: checkSize('output', action.readOutput(body)) }
  } catch (error) {
    // The reader's words may quote the partner's data.
    throw malformed(error instanceof SagaError ? error.what : `it is not what '${action.name}' declares as its output`)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
