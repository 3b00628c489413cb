// What is told of rows, partners, definitions, the caller and the app itself.

import { z } from 'zod'
import { named } from './named.js'

const at = z.string().describe('ISO 8601 in UTC.')

export const record = named(
  'Record',
  z.object({
    table: z.string(),
    rowId: z.string(),
    partners: z
      .array(
        z.object({
          partner: z.string(),
          state: z.enum(['inSync', 'pending', 'undone', 'owed', 'inDoubt']),
          saga: z.string(),
          version: z.int(),
          step: z.string(),
          since: at,
          instance: z.string(),
        }),
      )
      .describe('One for each saga that has asked the partner, as its latest instance tells.'),
    instances: z.array(z.string()).describe('All sagas of the row, the newest first.'),
  }),
)

export const partnerBoard = named(
  'Partners',
  z.object({
    partners: z
      .array(
        z.object({
          partner: z.string(),
          address: z.string().describe('Only the origin; empty when its setting is missing.'),
          actions: z.array(z.string()),
          breaker: z
            .enum(['closed', 'open', 'halfOpen', 'unknown'])
            .describe('unknown: this worker has not asked it yet.'),
          limits: z.object({ concurrency: z.int().exactOptional(), perSecond: z.number().exactOptional() }),
          inFlight: z.int(),
          waiting: z.int().describe('Requests that stand in line.'),
          rate: z.number().describe('Requests in a second, over the last minute.'),
          debts: z.int(),
          held: z.int(),
          doubts: z.int(),
        }),
      )
      .describe('Breaker, line and rate are those of the worker that answers; debts, held and doubts count sagas.'),
  }),
)

export const definitions = named(
  'Definitions',
  z.object({
    definitions: z.array(
      z.object({
        saga: z.string(),
        version: z.int(),
        on: z.object({
          table: z.string(),
          message: z.array(z.string()),
          columns: z.array(z.string()).exactOptional(),
        }),
        lane: z.literal('row').exactOptional(),
        deadline: z.number().exactOptional().describe('Milliseconds from the start.'),
        steps: z.array(
          z.object({
            name: z.string(),
            partner: z.string(),
            action: z.string(),
            kind: z.enum(['snapshot', 'step', 'pivot']),
            stage: z.int(),
            undo: z.enum(['yes', 'irreversible', 'none']),
            retry: z.string(),
          }),
        ),
        mermaid: z.string(),
        running: z.int(),
        ended: z.int(),
      }),
    ),
  }),
)

export const role = named('Role', z.enum(['Reader', 'Operator', 'Admin']))
export type Role = z.infer<typeof role>

/** What an entry of the operations log says: somebody whom this app has given no role may have tried. */
export const roleOrNone = z.enum([...role.options, 'none'])

export const me = named(
  'Me',
  z.object({
    actor: z.string(),
    role,
    isIdentified: z.boolean().describe('False for a key: then commands must say who gives them.'),
  }),
)

export const health = named('Health', z.object({ status: z.enum(['healthy', 'unhealthy']), taskHub: z.string() }))

export const taken = named('Taken', z.object({ taken: z.literal(true) }))

export const started = named(
  'Started',
  z
    .object({ events: z.array(z.string()), instances: z.array(z.string()) })
    .describe('Ids of the events, and of the sagas that they start.'),
)

export const reconciliations = named(
  'Reconciliations',
  z.object({
    reconciliations: z.array(
      z.looseObject({ id: z.string(), runtimeStatus: z.string(), startedAt: at, statement: z.unknown().optional() }),
    ),
  }),
)

export const reconciliationsStarted = named(
  'ReconciliationsStarted',
  z.object({ reconciliations: z.array(z.string()) }),
)
