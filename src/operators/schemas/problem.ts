// What every error of the HTTP API answers: RFC 9457, with a code of docs/errors.md.

import { z } from 'zod'
import { named } from './named.js'

export const problem = named(
  'Problem',
  z.object({
    type: z.string(),
    /** Stable: compare this. */
    code: z.string(),
    status: z.int(),
    /** What happened. */
    title: z.string(),
    /** What to do. */
    detail: z.string(),
  }),
)
