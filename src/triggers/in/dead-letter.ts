// Moves the message of the running invocation to the dead-letter queue, with a reason that a person understands.
//
// A Node function can't settle its message itself: the host completes it on success and abandons it on failure. But a lock belongs to the
// queue, not to the connection that took it, so the app settles through a connection of its own, by the lock token that the trigger tells.
// The host's own settlement then finds the lock gone, which it logs and survives.

import type { InvocationContext } from '@azure/functions'
import type { ServiceBusReceivedMessage } from '@azure/service-bus'
import type { SagaError } from '../../saga/errors.js'
import type { EventSource } from '../event-source.js'
import { closeUnattended, serviceBus } from '../service-bus.js'

/** Throws when it can't be done; the host then abandons the message, and it comes again. */
export async function deadLetter(source: EventSource, context: InvocationContext, error: SagaError): Promise<void> {
  const lockToken = context.triggerMetadata?.['lockToken']
  if (typeof lockToken !== 'string') throw new Error('The trigger tells no lock token.', { cause: error })
  const connection = await serviceBus()
  const receiver =
    'queue' in source
      ? connection.createReceiver(source.queue)
      : connection.createReceiver(source.topic, source.subscription)
  try {
    await receiver.deadLetterMessage(lockedElsewhere(lockToken), {
      deadLetterReason: error.code,
      deadLetterErrorDescription: error.message,
    })
  } finally {
    closeUnattended(receiver)
  }
  context.warn(
    `Dead-lettered message ${String(context.triggerMetadata?.['messageId'])}: ${error.code}: ${error.message}`,
  )
}

/** As much of a message as settling by lock token needs. A delivery without a link is what the client has for a message that another connection locked. */
function lockedElsewhere(lockToken: string): ServiceBusReceivedMessage & { readonly delivery: object } {
  return { lockToken, delivery: {}, state: 'active', body: undefined, _rawAmqpMessage: { body: undefined } }
}
