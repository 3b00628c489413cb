// Dataverse posts here. A message counts as received only when its sagas are durably started.

import type { InvocationContext } from '@azure/functions'
import { readDataverseEvents } from '../../dataverse/read-event.js'
import { SagaError } from '../../saga/errors.js'
import type { DataverseEvent } from '../../saga/event.js'
import { deadLetter } from './dead-letter.js'
import { arrivalOf, bytesOf, type EventSource } from '../event-source.js'
import { startSagas } from './start-sagas.js'
import { receiving } from '../../telemetry/saga-telemetry.js'
import { clientOf } from '../../task-hub.js'

/** Of the message's bytes: parsing them is ours, so that nothing is lost on the way. */
export function dataverseEventsFrom(source: EventSource) {
  const name = 'queue' in source ? source.queue : source.topic
  return (body: unknown, context: InvocationContext): Promise<void> =>
    receiving(arrivalOf(name, context.triggerMetadata), async (receipt) => {
      const events = await readOrDeadLetter(source, body, context)
      await receipt.of(events, (trace) => startSagas(clientOf(context), events, (line) => context.log(line), trace))
    })
}

async function readOrDeadLetter(
  source: EventSource,
  body: unknown,
  context: InvocationContext,
): Promise<readonly DataverseEvent[]> {
  try {
    return readDataverseEvents(bytesOf(body))
  } catch (error) {
    // What is unreadable now stays unreadable: delivering it again would only hide the reason behind a delivery count.
    if (!(error instanceof SagaError)) throw error
    await deadLetter(source, context, error)
    return []
  }
}
