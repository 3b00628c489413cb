// What the operators' API answers, by the name of the question: the types of the schemas that the API itself is made of.

import type { z } from 'zod'
import type * as acts from '../../operators/schemas/acts.js'
import type * as commands from '../../operators/schemas/commands.js'
import type * as estate from '../../operators/schemas/estate.js'
import type * as sagas from '../../operators/schemas/sagas.js'

export interface Answers {
  me: z.infer<typeof estate.me>
  sagas: z.infer<typeof sagas.sagaPage>
  counts: z.infer<typeof sagas.sagaCounts>
  causes: z.infer<typeof sagas.causes>
  saga: z.infer<typeof sagas.sagaDetail>
  calls: z.infer<typeof sagas.calls>
  record: z.infer<typeof estate.record>
  partners: z.infer<typeof estate.partnerBoard>
  definitions: z.infer<typeof estate.definitions>
  deadLetters: z.infer<typeof acts.deadLetterPage>
  jobs: z.infer<typeof acts.bulkJobs>
  bulkStarted: z.infer<typeof acts.bulkStarted>
  operations: z.infer<typeof acts.operationPage>
  followed: z.infer<typeof commands.commandAnswer>
  preview: z.infer<typeof commands.preview>
  /** Whatever it says: that it was done is all that counts. */
  done: unknown
}

export type Me = Answers['me']
export type SagaStatus = Answers['sagas']['sagas'][number]
export type Phase = SagaStatus['phase']
export type SagaDetail = Answers['saga']
export type StepStatus = SagaStatus['steps'][number]
export type Told = NonNullable<StepStatus['undo']>
export type WaitsFor = NonNullable<SagaStatus['waitsFor']>
export type Possible = SagaDetail['commands'][number]
export type Preview = Answers['preview']
export type Cause = Answers['causes']['causes'][number]
export type Call = Answers['calls']['calls'][number]
export type PartnerState = Answers['partners']['partners'][number]
export type Definition = Answers['definitions']['definitions'][number]
export type DefinedStep = Definition['steps'][number]
export type DeadLetter = Answers['deadLetters']['deadLetters'][number]
export type Job = Answers['jobs']['jobs'][number]
export type Operation = Answers['operations']['operations'][number]
