// The queue partner-replies: later answers of partners that speak Service Bus and not HTTP. The same as a callback, with its address as a property.

import type { InvocationContext } from '@azure/functions'
import { z } from 'zod'
import { SagaError } from '../../saga/errors.js'
import { deliverReply } from './callbacks.js'
import { deadLetter } from './dead-letter.js'
import { bytesOf, type EventSource } from '../event-source.js'
import { clientOf } from '../../task-hub.js'

export const repliesQueue = { queue: 'partner-replies' } satisfies EventSource

/** `callback`: the address that the call carried, or the token at its end. `outcome`: refused, if it was. */
const properties = z.object({ callback: z.string().min(1), outcome: z.string().optional() })

/** Settled when the answer is durably with its saga. One that belongs to none goes to the dead-letter queue: somebody may want to know of it. */
export async function onPartnerReply(body: unknown, context: InvocationContext): Promise<void> {
  try {
    const told = properties.safeParse(context.triggerMetadata?.['applicationProperties'])
    if (!told.success) throw SagaError.of('CALLBACK_MALFORMED', { why: "it has no application property 'callback'" })
    const { callback, outcome } = told.data
    const reply = {
      token: callback.split('/').at(-1) ?? '',
      isRefused: outcome === 'refused',
      text: Buffer.from(bytesOf(body)).toString('utf8'),
    }
    context.log(await deliverReply(clientOf(context), reply))
  } catch (error) {
    if (!(error instanceof SagaError)) throw error
    await deadLetter(repliesQueue, context, error)
  }
}
