// POST /api/sagas/{id}/retry: an operator's word to an instance that is held.

import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { getClient } from 'durable-functions'
import { names } from '../names.js'
import { SagaError } from '../saga/errors.js'
import { isInstanceId } from '../saga/ids.js'
import { json } from './http-answer.js'
import { findInstance } from './instances.js'

/** Answers 202: the instance takes the word as soon as it runs. Only a held instance listens; a word to any other would lie in wait for a later hold. */
export async function retrySaga(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  const client = getClient(context)
  const id = request.params['id'] ?? ''
  const status = isInstanceId(id) ? await findInstance(client, id) : undefined
  if (!status) throw SagaError.of('INSTANCE_UNKNOWN', { id: id.slice(0, 100) })
  if (status.waitsFor?.kind !== 'operator')
    throw SagaError.of('COMMAND_ILLEGAL', { command: 'retry', phase: status.phase })
  await client.raiseEvent(status.id, names.retry, null)
  context.log(`${status.id} is told to try again`)
  return json({ id: status.id, command: 'retry', accepted: true }, 202)
}
