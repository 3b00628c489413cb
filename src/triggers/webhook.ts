// POST /api/events: what Dataverse's webhooks post, and whoever can't reach Service Bus. The same bodies as on the start queue.

import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { getClient } from 'durable-functions'
import { readDataverseEvents } from '../dataverse/read-event.js'
import { json } from './http-answer.js'
import { startSagas } from './start-sagas.js'

/** 202 with the instances when all of them are durably started: until then Dataverse keeps its system job, and posts again. */
export async function takeEvent(request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> {
  // Beyond 256 KB Dataverse cuts values and says so in a header; a saga reads the row anyway.
  const events = readDataverseEvents(new Uint8Array(await request.arrayBuffer()))
  const instances = await startSagas(getClient(context), events, (line) => context.log(line))
  return json({ events: events.map(({ id }) => id), instances }, 202)
}
