// One event, on whatever way it came: every saga that wants it is durably started when this resolves.

import type { DurableClient } from 'durable-functions'
import { sagas } from '../app/index.js'
import type { Saga } from '../saga/define.js'
import type { DataverseEvent } from '../saga/event.js'
import { type InstanceId, instanceIdOf } from '../saga/ids.js'
import { startsFor } from '../saga/routing.js'
import { startOnce } from './start-once.js'

/** One saga alone, whether or not it would have heard of the event by itself. */
export async function startOne(
  client: DurableClient,
  { name, version }: Saga,
  event: DataverseEvent,
  log: (line: string) => void,
): Promise<void> {
  const start = { instance: instanceIdOf(name, event), input: { saga: name, version, event } }
  log(`${start.instance} ${await startOnce(client, start)}`)
}

/** Resolves with the instances of the event, be they started now or before. */
export async function startSagas(
  client: DurableClient,
  event: DataverseEvent,
  log: (line: string) => void,
): Promise<readonly InstanceId[]> {
  const starts = startsFor(event, sagas)
  if (starts.length === 0) log(`No saga reacts to ${event.message} of '${event.table}': event ${event.id} is complete.`)
  const outcomes = await Promise.all(starts.map(async (start) => `${start.instance} ${await startOnce(client, start)}`))
  for (const outcome of outcomes) log(outcome)
  return starts.map(({ instance }) => instance)
}
