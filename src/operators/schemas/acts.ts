// What is told of dead letters, bulk commands and the operations log.

import { z } from 'zod'
import { commandKinds } from '../../saga/commands.js'
import { isInstanceId } from '../../saga/ids.js'
import { sagaFilter, time } from './filter.js'
import { named } from './named.js'
import { roleOrNone } from './estate.js'

const at = z.string().describe('ISO 8601 in UTC.')
const next = z.string().exactOptional().describe('Continues the list; absent on the last page.')
const reason = z.string().min(1).max(500)
const actor = z.string().min(1).max(200).exactOptional().describe('Who says it; an identity that is known wins.')

export const deadLetter = named(
  'DeadLetter',
  z.object({
    queue: z.string(),
    sequenceNumber: z.string(),
    messageId: z.string(),
    enqueuedAt: at,
    deadLetteredAt: at.exactOptional(),
    code: z.string(),
    description: z.string(),
    deliveryCount: z.int(),
    size: z.int().describe('Bytes of the body.'),
    event: z
      .object({
        id: z.string(),
        message: z.string(),
        table: z.string(),
        rowId: z.string(),
        operationId: z.string(),
        correlationId: z.string(),
      })
      .exactOptional()
      .describe('When the body can be read: ids, no values.'),
    lineage: z
      .object({ resubmits: z.int(), from: z.string() })
      .exactOptional()
      .describe('How often it was resubmitted before, and the message that it came of.'),
  }),
)

/** A subscription is named as `topic/subscription`. */
const queue = z.string().min(1).max(300)

export const deadLetterQuery = z.object({
  queue: queue.exactOptional().describe('A queue, or topic/subscription; all that the app reads if absent.'),
})

export const deadLetterParams = z.object({
  sequenceNumber: z
    .string()
    .regex(/^\d{1,19}$/, 'a sequence number')
    .describe('Of the dead letter in its queue.'),
})

export const deadLetterChoice = z.object({
  queue: queue.default('dataverse-events').describe('A queue, or topic/subscription.'),
})

export const deadLetterGone = named(
  'DeadLetterGone',
  z.object({ queue: z.string(), sequenceNumber: z.string(), messageId: z.string() }),
)

export const deadLetterPage = named('DeadLetters', z.object({ deadLetters: z.array(deadLetter), next }))

export const reasonBody = named('Reason', z.object({ actor, reason }))

export const bulkBody = named(
  'Bulk',
  z.union([
    z.object({
      command: z.enum(commandKinds),
      actor,
      reason,
      step: z.string().min(1).exactOptional(),
      filter: sagaFilter.strict().exactOptional(),
      ids: z.array(z.string().refine(isInstanceId, 'the id of a saga')).min(1).max(10_000).exactOptional(),
      perSecond: z.number().positive().max(100).exactOptional(),
    }),
    z.object({
      resubmit: z.object({ queue: z.string().exactOptional(), code: z.string().exactOptional() }),
      actor,
      reason,
      perSecond: z.number().positive().max(100).exactOptional(),
    }),
  ]),
)

export const bulkStarted = named('BulkStarted', z.object({ id: z.string() }))

export const bulkJob = named(
  'BulkJob',
  z.object({
    id: z.string(),
    command: z.string(),
    actor: z.string(),
    reason: z.string(),
    state: z.enum(['running', 'stopped', 'done']),
    total: z.int().describe('Grows until all items are found.'),
    done: z.int(),
    refused: z.int(),
    failed: z.array(z.object({ id: z.string(), why: z.string() })).describe('The first of them.'),
    failedCount: z.int(),
    startedAt: at,
    endedAt: at.exactOptional(),
  }),
)

export const bulkJobs = named('BulkJobs', z.object({ jobs: z.array(bulkJob) }))

export const operation = named(
  'Operation',
  z.object({
    seq: z.int(),
    operation: z.string().describe('Shared by the entry of what was asked and the entry of what came of it.'),
    at,
    actor: z.string(),
    role: roleOrNone,
    what: z.string(),
    target: z.string(),
    reason: z.string(),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
    refused: z.string().exactOptional().describe('Why it was not done.'),
    previous: z.string().describe('Hash of the entry before.'),
    hash: z.string(),
  }),
)

export const operationPage = named(
  'Operations',
  z.object({
    operations: z.array(operation),
    next,
    intact: z.boolean().describe('Whether the chain of hashes holds.'),
  }),
)

export const operationQuery = z.object({
  since: time.exactOptional(),
  target: z.string().min(1).exactOptional().describe('Id of a saga, a message, or a bulk command.'),
})
