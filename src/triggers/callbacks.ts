// POST /api/callbacks/{token}: a partner's own message about a call that it had taken. The token is all the authority that it needs.

import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { getClient } from 'durable-functions'
import { z } from 'zod'
import { sagaNamed } from '../app/index.js'
import { names } from '../names.js'
import { keyInToken } from '../partner/callback-token.js'
import type { AnyAction } from '../saga/action.js'
import { SagaError } from '../saga/errors.js'
import { readKey } from '../saga/ids.js'
import type { Outcome } from '../saga/outcome.js'
import { isOver } from '../saga/phase.js'
import type { Signal } from '../saga/signal.js'
import { checkSize } from '../saga/size.js'
import { secretIn } from '../settings.js'
import { json } from './http-answer.js'
import { findInstance } from './instances.js'

const refusal = z.looseObject({ reason: z.string().min(1).max(500) })

/** 202 when the answer is durably with the saga. A second one, or one that nothing waits for, is taken and changes nothing. */
export async function takeCallback(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const key = readKey(keyInToken(request.params['token'] ?? '', secretIn('CALLBACK_SECRET')) ?? '')
  const client = getClient(context)
  const status = key && (await findInstance(client, key.instance))
  if (!status) throw SagaError.of('CALLBACK_UNKNOWN', undefined)
  if (isOver(status.phase)) throw SagaError.of('CALLBACK_LATE', { phase: status.phase })
  const step = sagaNamed(status.saga, status.version).steps.find(({ name }) => name === key.step)
  if (!step) throw SagaError.of('CALLBACK_UNKNOWN', undefined)
  const signal: Signal = {
    kind: 'reply',
    step: key.step,
    edition: key.edition,
    outcome: await read(request, step.action),
  }
  await client.raiseEvent(key.instance, names.signal, signal)
  context.log(`${key.instance}: ${key.step} was answered: ${signal.outcome.kind}`)
  return json({ taken: true }, 202)
}

const malformed = (why: string) => SagaError.of('CALLBACK_MALFORMED', { why })

/** @throws SagaError `CALLBACK_MALFORMED` */
async function read(request: HttpRequest, action: AnyAction): Promise<Outcome> {
  const text = await request.text()
  const body = parsed(text)
  if (text !== '' && body === undefined) throw malformed('the body is not JSON')
  if (request.query.get('outcome') === 'refused') {
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
