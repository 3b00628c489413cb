// What a person says to a saga, what becomes of it, and what it would do.

import { z } from 'zod'
import { named } from './named.js'
import { phase } from './sagas.js'

const plan = z.array(z.string().max(300)).max(200)

export const commandBody = named(
  'Command',
  z.object({
    actor: z.string().min(1).max(200).exactOptional().describe('Who says it; an identity that is known wins.'),
    reason: z.string().min(1).max(500),
    step: z.string().min(1).exactOptional().describe('Name of the step.'),
    input: z.unknown().optional().describe("For 'edit': what the step is asked anew with."),
    output: z.unknown().optional().describe("For 'supply': what the step brought."),
    plan: plan
      .exactOptional()
      .describe('The plan of a preview: the saga is held before the first call that is not in it.'),
  }),
)
export type CommandBody = z.infer<typeof commandBody>

export const previewBody = named('CommandToPreview', commandBody.partial({ reason: true }).omit({ plan: true }))

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
    why: z.string().exactOptional().describe('Why it can not be followed now.'),
    calls: z.array(
      z.object({
        partner: z.string(),
        action: z.string(),
        step: z.string(),
        what: z.enum(['do', 'undo', 'probe']),
        method: z.string().exactOptional().describe('Absent, as is the path, while it hangs on an answer.'),
        path: z.string().exactOptional().describe('A name in braces stands for a value that is not known yet.'),
        isPerhaps: z.literal(true).exactOptional().describe('Whether it is needed hangs on an answer.'),
      }),
    ),
    becomesIrreversible: z.array(z.string()),
    phaseAfter: phase,
    plan: plan.describe('Send it with the command, to hold the saga to it.'),
  }),
)
