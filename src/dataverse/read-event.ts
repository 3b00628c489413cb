// Bytes from the start queue → the events in them, or an error that says what is not as it must be.
//
// Promises: the same operation always gives the same event ids, however often and on whatever way it was posted.
// Never: trusts a message about the state of a row; values in it may be cut, late or out of order.

import { z } from 'zod'
import { SagaError } from '../saga/errors.js'
import type { DataverseEvent } from '../saga/event.js'
import { eventIdFrom, nobody } from './event-id.js'
import { contextOf, readBody } from './read-context.js'
import type { RemoteContext, Value } from './remote-context.js'

/**
 * One event for each row that the operation was about: one, but for messages that tell of many.
 * @throws SagaError `EVENT_NOT_JSON`, `EVENT_NOT_XML`, `EVENT_NOT_BINARY_XML`, `EVENT_TOO_LARGE`, `EVENT_NOT_A_CONTEXT`, `EVENT_CUT`
 */
export function readDataverseEvents(body: Uint8Array): readonly DataverseEvent[] {
  const { members, json } = readBody(body)
  // Nearly everything is a context: it is not held against the other form first.
  const notice = members?.text('operation') ? plugInNotice.safeParse(json) : undefined
  return notice?.success ? [eventOfNotice(notice.data)] : eventsOf(contextOf(members))
}

/** What somebody's own plug-in posts in place of a context. */
const plugInNotice = z.object({
  table: z.string().min(1),
  rowId: z.guid().transform((text) => text.toLowerCase()),
  operation: z.string().min(1),
  correlationId: z.guid().transform((text) => text.toLowerCase()),
  /** Given where one chain of requests changes a row more than once. */
  operationId: z.guid().nullish(),
  organizationId: z.guid().nullish(),
})

function eventOfNotice(notice: z.infer<typeof plugInNotice>): DataverseEvent {
  const { table, rowId, operation: message, correlationId } = notice
  const organizationId = (notice.organizationId ?? nobody).toLowerCase()
  const operationId = (notice.operationId ?? correlationId).toLowerCase()
  const id = eventIdFrom([organizationId, operationId, '', message, table, rowId])
  return { id, message, table, rowId, organizationId, operationId, correlationId }
}

function eventsOf(context: RemoteContext): readonly DataverseEvent[] {
  const { messageName: message, organizationId, operationId, correlationId } = context
  const single = /^(.+)Multiple$/.exec(message)?.[1]
  const rows = single === undefined ? [rowOf(context)] : rowsOf(context)
  const tag = tagOf(context)
  return rows.map(({ table, rowId, changed }) => {
    const told = { message: single ?? message, table, rowId, organizationId, operationId, correlationId }
    return { id: eventIdOf(context, told), ...told, ...(changed && { changed }), ...(tag !== undefined && { tag }) }
  })
}

interface Row {
  readonly table: string
  readonly rowId: string
  readonly changed?: readonly string[]
}

/** The caller's mark stands where the request came in: in the context itself, or in one that it came from. */
function tagOf({ sharedVariables, parent }: RemoteContext): string | undefined {
  const { tag } = sharedVariables
  if (typeof tag === 'string') return tag
  return parent ? tagOf(parent) : undefined
}

/** Of an update alone; of a creation every column is new. */
function changedBy(message: string, target: Value | undefined): { readonly changed?: readonly string[] } {
  if (!message.startsWith('Update') || typeof target !== 'object' || target?.kind !== 'entity') return {}
  return { changed: Object.keys(target.attributes) }
}

/** Messages such as Associate name no row, but have one as their target. */
function rowOf({ messageName, primaryEntityName: table, primaryEntityId: rowId, inputParameters }: RemoteContext): Row {
  const target = inputParameters['Target']
  const changed = changedBy(messageName, target)
  const isNamed = table !== '' && table !== 'none' && rowId !== nobody
  if (isNamed || typeof target !== 'object' || target === null) return { table: table || 'none', rowId, ...changed }
  if (target.kind !== 'reference' && target.kind !== 'entity') return { table: table || 'none', rowId }
  return { table: target.table, rowId: target.id, ...changed }
}

/** @throws SagaError `EVENT_CUT` when the rows fell to the size limit */
function rowsOf({ messageName: message, inputParameters, outputParameters }: RemoteContext): readonly Row[] {
  const targets = inputParameters['Targets']
  if (typeof targets !== 'object' || targets === null || targets.kind !== 'rows')
    throw SagaError.of('EVENT_CUT', { message })
  const ids = outputParameters['Ids']
  const given = typeof ids === 'object' && ids !== null && ids.kind === 'list' ? ids.items : []
  return targets.rows.map((target, index) => {
    const { table, id, attributes } = target
    const key = attributes[`${table || targets.table}id`]
    const rowId = [id, key, given[index]].find((one) => typeof one === 'string' && isRowId(one))
    if (typeof rowId !== 'string') throw SagaError.of('EVENT_CUT', { message })
    return { table: table || targets.table, rowId: rowId.toLowerCase(), ...changedBy(message, target) }
  })
}

const isRowId = (text: string) => text !== nobody && z.guid().safeParse(text).success

/**
 * A row is created once, so its creation is named by the request alone, and Create and CreateMultiple, a queue and a webhook, tell of the same.
 *
 * Of other messages OperationId names the system job that posts, so a retry of the job keeps it. The other members cost nothing and tell apart what
 * synchronous posts share an OperationId for: several steps, several rows of one bulk request.
 */
function eventIdOf(context: RemoteContext, { message, table, rowId }: Row & { message: string }): string {
  const { organizationId, requestId, operationId, owningExtension } = context
  if (message === 'Create') return eventIdFrom([organizationId, requestId ?? operationId, message, table, rowId])
  // A post without a system job has no id of one.
  const operation = operationId === nobody ? (requestId ?? context.correlationId) : operationId
  return eventIdFrom([organizationId, operation, owningExtension?.id ?? '', message, table, rowId])
}
