// Dataverse posts here. A message counts as received only when its sagas are durably started.

import type { InvocationContext } from '@azure/functions'
import { getClient } from 'durable-functions'
import { sagas } from '../app/index.js'
import { readDataverseEvent } from '../dataverse/read-event.js'
import { SagaError } from '../saga/errors.js'
import type { DataverseEvent } from '../saga/event.js'
import { startsFor } from '../saga/routing.js'
import { deadLetter } from './dead-letter.js'
import { startOnce } from './start-once.js'

export const dataverseEventsQueue = 'dataverse-events'

/** @param body the message's bytes: parsing them is ours, so that nothing is lost on the way. */
export async function onDataverseEvent(body: unknown, context: InvocationContext): Promise<void> {
  const event = await readOrDeadLetter(body, context)
  if (!event) return
  const starts = startsFor(event, sagas)
  if (starts.length === 0)
    context.log(`No saga reacts to ${event.message} of '${event.table}': event ${event.id} is complete.`)
  const client = getClient(context)
  const outcomes = await Promise.all(starts.map(async (start) => `${start.instance} ${await startOnce(client, start)}`))
  for (const outcome of outcomes) context.log(outcome)
}

async function readOrDeadLetter(body: unknown, context: InvocationContext): Promise<DataverseEvent | undefined> {
  try {
    return readDataverseEvent(bytesOf(body))
  } catch (error) {
    // What is unreadable now stays unreadable: delivering it again would only hide the reason behind a delivery count.
    if (!(error instanceof SagaError)) throw error
    await deadLetter(dataverseEventsQueue, context, error)
    return undefined
  }
}

/** The binding asks for bytes; a host that hands over text or parsed JSON all the same is understood. */
function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
}
