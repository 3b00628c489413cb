// Starts an instance unless it was started before, be it running or long finished.
//
// The platform refuses to start an instance that is running, and replaces one that has ended: hence the look before the start, and again
// when the start fails. Between look and start of two deliveries at once, a whole saga would have to begin and end to be run twice; even
// then its calls carry the same idempotency keys.

import type { DurableClient } from 'durable-functions'
import { names } from '../../names.js'
import type { SagaStart } from '../../saga/routing.js'
import { noticeTargets } from '../../settings.js'
import { findInstance } from '../instances.js'

export async function startOnce(
  client: DurableClient,
  { instance, input }: SagaStart,
): Promise<'started' | 'was started before'> {
  if (await findInstance(client, instance)) return 'was started before'
  try {
    const told = noticeTargets().length > 0 ? { ...input, notices: true } : input
    await client.startNew(names.saga, { instanceId: instance, input: told })
    return 'started'
  } catch (error) {
    if (await findInstance(client, instance)) return 'was started before'
    throw error
  }
}
