// What is told of sagas: their status, lists, counts, causes, calls and histories.

import { z } from 'zod'
import { commandKinds } from '../../saga/commands.js'
import { phaseNames } from '../../saga/phase.js'
import type { SagaStatus } from '../../saga/status.js'
import { named } from './named.js'

const at = z.string().describe('ISO 8601 in UTC.')

export const phase = named('Phase', z.enum(phaseNames))

const outcome = z.enum(['pending', 'skipped', 'applied', 'refused', 'deferred', 'inDoubt'])

const told = {
  outcome,
  attempts: z.int(),
  startedAt: at.exactOptional(),
  endedAt: at.exactOptional(),
  reason: z.string().exactOptional().describe('Why it was not applied, in the words of the last answer.'),
}

const waitsFor = named(
  'WaitsFor',
  z.union([
    z.object({ kind: z.enum(['retry', 'answer']), until: at, why: z.string() }),
    z.object({ kind: z.literal('lane'), why: z.string() }).describe('For another saga of the same row to end.'),
    z
      .object({ kind: z.literal('operator'), why: z.string(), until: at.exactOptional() })
      .describe('For a person; with a time, only so long.'),
    z.object({ kind: z.literal('repair'), why: z.string() }).describe('The orchestration itself has stopped.'),
  ]),
)

export const sagaStatus = named(
  'SagaStatus',
  z.object({
    id: z.string(),
    saga: z.string(),
    version: z.int(),
    table: z.string(),
    rowId: z.string(),
    phase,
    startedAt: at,
    updatedAt: at,
    endedAt: at.exactOptional(),
    waitsFor: waitsFor.exactOptional(),
    snapshot: z.string().exactOptional().describe('A digest of the row as the saga read it.'),
    mergedInto: z.string().exactOptional().describe('The instance of the same row that does its work.'),
    undoneBecause: z.string().exactOptional(),
    steps: z.array(
      z.object({
        name: z.string(),
        partner: z.string(),
        action: z.string(),
        ...told,
        undo: z.object(told).exactOptional(),
      }),
    ),
    owed: z.array(
      z.object({
        step: z.string(),
        partner: z.string(),
        reason: z.string(),
        since: at.exactOptional().describe('Set for a debt: its undo was refused, or could not be done.'),
      }),
    ),
    log: z.array(
      z.object({
        at,
        id: z.string(),
        command: z.string(),
        step: z.string().exactOptional(),
        actor: z.string(),
        reason: z.string(),
        refused: z.string().exactOptional().describe('Why it was not followed.'),
      }),
    ),
  }) satisfies z.ZodType<SagaStatus>,
)

export const sagaPage = named(
  'SagaPage',
  z.object({
    sagas: z.array(sagaStatus),
    next: z.string().exactOptional().describe('Continues the list; absent on the last page.'),
  }),
)

const perPhase = z.partialRecord(z.enum(phaseNames), z.int())

/** How old the answer may be, and how far back it looks. */
const asOf = {
  asOf: at.describe('What has happened until then is counted.'),
  oldest: at
    .exactOptional()
    .describe('Set when there are more sagas than are kept in mind: those started before are left out.'),
}

export const sagaCounts = named(
  'SagaCounts',
  z.object({ total: z.int(), byPhase: perPhase, bySaga: z.record(z.string(), perPhase), ...asOf }),
)

export const cause = named(
  'Cause',
  z.object({
    cause: z.string().describe('Digest of all but the numbers: the filter `cause` finds its sagas.'),
    saga: z.string(),
    step: z.string().exactOptional().describe('Absent when it is the whole saga, as with a stopped orchestration.'),
    partner: z.string().exactOptional(),
    what: z.enum(['do', 'undo']).exactOptional(),
    kind: z.enum(['held', 'indebted', 'waiting', 'compensated', 'repair']),
    reason: z.string().describe('Without the ids, numbers and quoted values in which the sagas differ.'),
    count: z.int(),
    oldest: at,
    newest: at,
    sample: z.array(z.string()).describe('Ids of some of them, the newest first.'),
  }),
)

export const causes = named('Causes', z.object({ causes: z.array(cause), ...asOf }))

export const legality = named(
  'CommandLegality',
  z.object({
    command: z.enum(commandKinds),
    step: z.string().exactOptional(),
    allowed: z.boolean(),
    why: z.string().exactOptional().describe('Why it can not be followed now.'),
  }),
)

export const sagaDetail = named(
  'SagaDetail',
  sagaStatus.extend({
    commands: z.array(legality),
    trace: z
      .string()
      .exactOptional()
      .describe('A page that shows every attempt on a line of time, if the app knows one.'),
  }),
)

export const calls = named(
  'Calls',
  z.object({
    calls: z.array(
      z.object({
        step: z.string(),
        what: z.enum(['do', 'undo', 'probe']),
        attempt: z.int(),
        at,
        endedAt: at.exactOptional().describe('Absent while it is under way.'),
        input: z.unknown(),
        outcome: z.enum(['asking', 'applied', 'refused', 'deferred', 'inDoubt']),
        output: z.unknown().optional(),
        reason: z.string().exactOptional(),
      }),
    ),
    isCut: z.boolean().describe('The history of a long life is cut: earlier calls are not told any more.'),
    masked: z.boolean(),
  }),
)

export const dataverseEvent = z.object({
  id: z.string(),
  message: z.string(),
  table: z.string(),
  rowId: z.string(),
  organizationId: z.string(),
  operationId: z.string(),
  correlationId: z.string(),
  changed: z.array(z.string()).exactOptional(),
  tag: z.string().exactOptional(),
})

const answer = z.union([
  z.object({ kind: z.literal('applied'), output: z.unknown().optional() }),
  z.object({ kind: z.enum(['refused', 'inDoubt']), reason: z.string() }),
  z.object({
    kind: z.literal('deferred'),
    reason: z.string(),
    retryAfterMs: z.number().exactOptional(),
    parked: z.literal(true).exactOptional(),
  }),
])

const signal = z.union([
  z.object({
    kind: z.literal('command'),
    command: z.object({
      id: z.string(),
      kind: z.enum(commandKinds),
      actor: z.string(),
      reason: z.string(),
      step: z.string().optional(),
      input: z.unknown().optional(),
      output: z.unknown().optional(),
    }),
  }),
  z.object({ kind: z.literal('reply'), step: z.string(), edition: z.int(), outcome: answer }),
])

export const sagaHistory = named(
  'SagaHistory',
  z.object({
    id: z.string(),
    saga: z.string(),
    version: z.int(),
    event: dataverseEvent,
    state: z.unknown().optional().describe('Where it goes on after its history was cut.'),
    happened: z.array(
      z.union([
        z.object({
          kind: z.literal('answered'),
          at,
          askedAt: at.exactOptional(),
          of: z.string(),
          outcome: answer,
        }),
        z.object({ kind: z.literal('woken'), at }),
        z.object({ kind: z.literal('heard'), at, signal }),
      ]),
    ),
    status: sagaStatus,
    masked: z.boolean().exactOptional().describe('Set when values are replaced: such a history does not replay.'),
  }),
)
