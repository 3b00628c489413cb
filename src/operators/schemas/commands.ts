// What a person says to a saga, what becomes of it, and what it would do.

import { z } from 'zod'
import { named } from './named.js'
import { phase } from './sagas.js'

export const commandBody = named(
  'Command',
  z.object({
    actor: z.string().min(1).max(200).exactOptional().describe('Who says it; an identity that is known wins.'),
    reason: z.string().min(1).max(500),
    step: z.string().min(1).exactOptional().describe('Name of the step.'),
    input: z.unknown().optional().describe("For 'edit': what the step is asked anew with."),
    output: z.unknown().optional().describe("For 'supply': what the step brought."),
    plan: z
      .string()
      .exactOptional()
      .describe('The plan of a preview: the saga is held when what it does comes to differ from it.'),
  }),
)
export type CommandBody = z.infer<typeof commandBody>

export const commandAnswer = named(
  'CommandAnswer',
  z.object({
    id: z.string(),
    command: z.string(),
    followed: z.boolean().describe('False while the saga has not listened yet: it does when it waits the next time.'),
  }),
)

export const preview = named(
  'Preview',
  z.object({
    allowed: z.boolean(),
    why: z.string().exactOptional(),
    calls: z.array(
      z.object({
        partner: z.string(),
        action: z.string(),
        step: z.string(),
        what: z.enum(['do', 'undo', 'probe']),
        method: z.string(),
        path: z.string(),
      }),
    ),
    becomesIrreversible: z.array(z.string()),
    phaseAfter: phase,
    plan: z.string(),
  }),
)
