// The HTTP API: every endpoint of the app, in one table.

import { z } from 'zod'
import { commandKinds } from '../saga/commands.js'
import type { Route } from './route.js'
import {
  bulkBody,
  bulkJob,
  bulkJobs,
  bulkStarted,
  deadLetterChoice,
  deadLetterGone,
  deadLetterPage,
  deadLetterParams,
  deadLetterQuery,
  operationPage,
  operationQuery,
  reasonBody,
} from './schemas/acts.js'
import { commandAnswer, commandBody, preview, previewBody } from './schemas/commands.js'
import { health, me, reconciliations, reconciliationsStarted, started, taken } from './schemas/estate.js'
import { pageShape, revealQuery, sagaFilter, sagaQuery } from './schemas/filter.js'
import { named } from './schemas/named.js'
import { calls, causes, sagaCounts, sagaDetail, sagaHistory, sagaPage } from './schemas/sagas.js'

const one = z.object({ id: z.string().describe('Id of the saga: saga:table:row id:event id.') })

const oneBulk = z.object({ id: z.string().describe('Id of the bulk command.') })

export const routes = {
  listSagas: {
    method: 'GET',
    path: 'sagas',
    access: 'Reader',
    summary: 'Sagas, the newest first; by a prefix alone in the order of their ids',
    query: sagaQuery,
    answer: sagaPage,
  },
  countSagas: {
    method: 'GET',
    path: 'sagas/counts',
    access: 'Reader',
    summary: 'How many sagas there are, by phase and by saga',
    query: sagaFilter,
    answer: sagaCounts,
  },
  listCauses: {
    method: 'GET',
    path: 'sagas/causes',
    access: 'Reader',
    summary: 'What keeps sagas from completing, grouped by cause, the most frequent first',
    query: sagaFilter,
    answer: causes,
  },
  tellSaga: {
    method: 'GET',
    path: 'sagas/{id}',
    access: 'Reader',
    summary: 'Phase, steps, what it waits for, what was undone, what is owed, and what may be said to it now',
    params: one,
    answer: sagaDetail,
  },
  tellHistory: {
    method: 'GET',
    path: 'sagas/{id}/history',
    access: 'Reader',
    summary: 'All that happened to the saga, in the form that npm run replay takes',
    params: one,
    query: revealQuery,
    answer: sagaHistory,
  },
  listCalls: {
    method: 'GET',
    path: 'sagas/{id}/calls',
    access: 'Reader',
    summary: 'Each attempt at each step: what was asked, what was answered',
    params: one,
    query: revealQuery,
    answer: calls,
  },
  commandSaga: {
    method: 'POST',
    path: 'sagas/{id}/{command}',
    access: 'Operator',
    summary: "A person's word to the saga: 200 when it has followed, 202 when it has not listened yet",
    params: one.extend({ command: z.string().describe(commandKinds.join(', ')) }),
    body: commandBody,
    answer: commandAnswer,
    statuses: [200, 202],
  },
  previewCommand: {
    method: 'POST',
    path: 'sagas/{id}/{command}/preview',
    access: 'Reader',
    summary:
      'The calls that a command comes to if all goes well, and what becomes irreversible; nothing is asked of anybody',
    params: one.extend({ command: z.string().describe(commandKinds.join(', ')) }),
    body: previewBody,
    answer: preview,
  },
  listDeadLetters: {
    method: 'GET',
    path: 'dead-letters',
    access: 'Reader',
    summary: 'Messages that could not be taken, the oldest of each queue first',
    query: deadLetterQuery.extend(pageShape),
    answer: deadLetterPage,
  },
  resubmitDeadLetter: {
    method: 'POST',
    path: 'dead-letters/{sequenceNumber}/resubmit',
    access: 'Operator',
    summary: 'Sends it again, with its bytes and properties and a new message id; it is gone when the copy is accepted',
    params: deadLetterParams,
    query: deadLetterChoice,
    body: reasonBody,
    answer: deadLetterGone,
  },
  discardDeadLetter: {
    method: 'POST',
    path: 'dead-letters/{sequenceNumber}/discard',
    access: 'Operator',
    summary: 'Deletes it for good',
    params: deadLetterParams,
    query: deadLetterChoice,
    body: reasonBody,
    answer: deadLetterGone,
  },
  startBulk: {
    method: 'POST',
    path: 'bulk',
    access: 'Operator',
    summary: 'A command to many sagas, or dead letters resubmitted: a durable job, a few at a time',
    body: bulkBody,
    answer: bulkStarted,
    statuses: [202],
  },
  listBulk: {
    method: 'GET',
    path: 'bulk',
    access: 'Reader',
    summary: 'Bulk commands, the newest first',
    answer: bulkJobs,
  },
  tellBulk: {
    method: 'GET',
    path: 'bulk/{id}',
    access: 'Reader',
    summary: 'How far a bulk command has come',
    params: oneBulk,
    answer: bulkJob,
  },
  stopBulk: {
    method: 'POST',
    path: 'bulk/{id}/stop',
    access: 'Operator',
    summary: 'Stops a bulk command before its next few; what it has done stays done',
    params: oneBulk,
    body: reasonBody,
    answer: bulkJob,
  },
  listOperations: {
    method: 'GET',
    path: 'operations',
    access: 'Reader',
    summary: 'What operators did, the newest first, and whether the log is intact',
    query: operationQuery.extend(pageShape),
    answer: operationPage,
  },
  tellMe: { method: 'GET', path: 'me', access: 'Reader', summary: 'Who asks, and what they may', answer: me },
  tellOpenApi: {
    method: 'GET',
    path: 'openapi.json',
    access: 'Reader',
    summary: 'This description',
    answer: named('OpenApi', z.looseObject({ openapi: z.string() })),
  },
  takeEvent: {
    method: 'POST',
    path: 'events',
    access: 'key',
    summary: "What Dataverse's webhooks post; 202 when all its sagas are durably started",
    body: 'bytes',
    answer: started,
    statuses: [202],
  },
  takeCallback: {
    method: 'POST',
    path: 'callbacks/{token}',
    access: 'anonymous',
    summary: "A partner's later answer, to the address that came with the call; 202 when it is durably with its saga",
    params: z.object({ token: z.string() }),
    query: z.object({ outcome: z.literal('refused').exactOptional() }),
    body: 'bytes',
    answer: taken,
    statuses: [202],
  },
  listReconciliations: {
    method: 'GET',
    path: 'reconciliations',
    access: 'Reader',
    summary: 'The runs of the reconciliation, the newest first',
    answer: reconciliations,
  },
  startReconciliations: {
    method: 'POST',
    path: 'reconciliations',
    access: 'Operator',
    summary: 'Compares Dataverse with the sagas, and starts what is missing',
    query: z.object({ full: z.enum(['true', 'false']).default('false').describe('Reads everything again.') }),
    answer: reconciliationsStarted,
    statuses: [202],
  },
  tellHealth: {
    method: 'GET',
    path: 'health',
    access: 'anonymous',
    summary: 'Whether the app can do its work: 503 if not',
    answer: health,
    statuses: [200, 503],
  },
} as const satisfies Readonly<Record<string, Route>>

export type Routes = typeof routes
