// Bytes from the start queue → one DataverseEvent, or an error that says which member is not as it must be.
//
// Promises: the same operation always gives the same event id, however often and on whatever way it was posted.
// Never: trusts a message about the state of a row; values in it may be cut, late or out of order.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { SagaError } from '../saga/errors.js'
import type { DataverseEvent } from '../saga/event.js'

const guid = z.guid().transform((text) => text.toLowerCase())

/** The members that the product uses. The platform sends more, and more with every year: they are left alone. */
const executionContext = z.object({
  MessageName: z.string().min(1),
  PrimaryEntityName: z.string().min(1),
  PrimaryEntityId: guid,
  OrganizationId: guid,
  OperationId: guid,
  CorrelationId: guid,
  OwningExtension: z.object({ Id: guid }).nullish(),
})

/** @throws SagaError `EVENT_NOT_JSON` or `EVENT_NOT_A_CONTEXT` */
export function readDataverseEvent(body: Uint8Array): DataverseEvent {
  const read = executionContext.safeParse(parseJson(body))
  if (!read.success) {
    const [first] = read.error.issues
    throw SagaError.of('EVENT_NOT_A_CONTEXT', { member: first?.path.join('.') || '(body)', why: first?.message ?? '' })
  }
  const context = read.data
  return {
    id: eventIdOf(context),
    message: context.MessageName,
    table: context.PrimaryEntityName,
    rowId: context.PrimaryEntityId,
    organizationId: context.OrganizationId,
    operationId: context.OperationId,
    correlationId: context.CorrelationId,
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    // Some senders begin with a byte order mark; TextDecoder drops it and refuses what is not UTF-8.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // The parser's own words would quote the body.
    throw SagaError.of('EVENT_NOT_JSON', { why: body.length === 0 ? 'it is empty' : 'it can not be parsed' })
  }
}

/**
 * OperationId alone names the system job that posts, so a retry of the job keeps it. The other members cost nothing and tell apart what
 * synchronous posts share an OperationId for: several steps, several rows of one bulk request.
 */
function eventIdOf(context: z.infer<typeof executionContext>): string {
  const identity = [
    context.OrganizationId,
    context.OperationId,
    context.OwningExtension?.Id ?? '',
    context.MessageName,
    context.PrimaryEntityName,
    context.PrimaryEntityId,
  ]
  return createHash('sha256').update(identity.join('|')).digest('hex').slice(0, 20)
}
