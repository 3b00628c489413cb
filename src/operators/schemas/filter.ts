// What lists, counts, causes and bulk commands may be narrowed to. Everything is optional; what is given must all be true.

import { z } from 'zod'
import { isOver, isPhase, type Phase, phaseNames } from '../../saga/phase.js'
import { named } from './named.js'

/** ISO 8601, in any zone; read as UTC. */
export const time = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'a time in ISO 8601 such as 2026-01-31T08:00:00Z')
  .transform((text) => new Date(text).toISOString())

const word = z.string().min(1, 'a text').max(200, 'a text of at most 200 characters')

/** `open` stands for all that are not over. */
const phases = z
  .string()
  .transform((text) => text.split(',').filter((name) => name !== ''))
  .refine(
    (names) => names.length > 0 && names.every((name) => name === 'open' || isPhase(name)),
    `'open', or some of ${phaseNames.join(', ')}, separated by commas`,
  )
  .transform((names): Phase[] =>
    phaseNames.filter((phase) => names.some((name) => (name === 'open' ? !isOver(phase) : name === phase))),
  )

const filterShape = {
  saga: word.exactOptional().describe('Name of the saga.'),
  phase: phases.exactOptional().describe(`'open', or some of ${phaseNames.join(', ')}, separated by commas.`),
  table: word.exactOptional().describe('Logical name of the table.'),
  rowId: word.toLowerCase().exactOptional().describe('Id of the row.'),
  since: time.exactOptional().describe('Started at or after this time, ISO 8601.'),
  until: time.exactOptional().describe('Started before this time, ISO 8601.'),
  partner: word.exactOptional().describe('Has asked this partner.'),
  cause: word.exactOptional().describe('Digest of a cause, as /sagas/causes tells it.'),
  text: word.exactOptional().describe('Found anywhere in the id or in a reason, in upper or lower case.'),
  prefix: word.exactOptional().describe('Beginning of the id: saga:table:row id.'),
}

export const sagaFilter = named('SagaFilter', z.object(filterShape))
export type SagaFilter = z.infer<typeof sagaFilter>

export const largestPage = 500

const aNumber = `a number from 1 to ${largestPage}`

export const pageShape = {
  limit: z.coerce
    .number(aNumber)
    .int(aNumber)
    .min(1, aNumber)
    .max(largestPage, aNumber)
    .default(50)
    .describe(`From 1 to ${largestPage}.`),
  token: z.string().min(1).exactOptional().describe("'next' of the page before; the other parameters as they were."),
}

export const sagaQuery = z.object({ ...filterShape, ...pageShape })
export type SagaQuery = z.infer<typeof sagaQuery>

/** For Admins: shows values, and writes down why. */
export const revealQuery = z.object({
  reveal: z
    .string()
    .min(3, 'a reason of 3 characters or more')
    .max(500, 'a reason of at most 500 characters')
    .exactOptional()
    .describe('Why the values must be seen; it goes to the operations log. Needs the role Admin.'),
})
