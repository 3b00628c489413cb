// POST /api/events: what Dataverse's webhooks post, and whoever can't reach Service Bus. The same bodies as on the start queue.

import { readDataverseEvents } from '../../dataverse/read-event.js'
import type { Routes } from '../../operators/routes.js'
import { receiving } from '../../telemetry/saga-telemetry.js'
import type { Handler } from '../serve.js'
import { startSagas } from './start-sagas.js'

/** Answers when all sagas are durably started: until then Dataverse keeps its system job, and posts again. */
export const takeEvent: Handler<Routes['takeEvent']> = ({ body }, { client, log, traceparent }) =>
  receiving({ name: 'events', traceparent }, async (receipt) => {
    // Beyond 256 KB Dataverse cuts values and says so in a header; a saga reads the row anyway.
    const events = readDataverseEvents(body)
    const instances = await receipt.of(events, (trace) => startSagas(client, events, log, trace))
    return { events: events.map(({ id }) => id), instances }
  })
