// Events, on whatever way they came: every saga that wants one is durably started when this resolves.

import type { DurableClient } from 'durable-functions'
import { sagas } from '../../app/index.js'
import type { DataverseEvent } from '../../saga/event.js'
import type { InstanceId } from '../../saga/ids.js'
import { type SagaStart, startsFor } from '../../saga/routing.js'
import { startOnce } from './start-once.js'

type Log = (line: string) => void

/** Resolves with the instances of the events, be they started now or before. @param trace the W3C traceparent of what brought them, if anybody traces */
export async function startSagas(
  client: DurableClient,
  events: readonly DataverseEvent[],
  log: Log,
  trace?: string,
): Promise<readonly InstanceId[]> {
  const instances: InstanceId[] = []
  for (const event of events) {
    const starts = startsFor(event, sagas).map((start) => traced(start, trace))
    if (starts.length === 0)
      log(`No saga reacts to ${event.message} of '${event.table}': event ${event.id} is complete.`)
    await startAll(client, starts, log)
    instances.push(...starts.map(({ instance }) => instance))
  }
  return instances
}

const traced = (start: SagaStart, trace: string | undefined): SagaStart =>
  trace === undefined ? start : { ...start, input: { ...start.input, trace } }

/** At the same time. */
export async function startAll(client: DurableClient, starts: readonly SagaStart[], log: Log): Promise<void> {
  await Promise.all(starts.map(async (start) => log(`${start.instance} ${await startOnce(client, start)}`)))
}
