// Binds every function to its trigger: the only file with an effect on import.

import { app } from '@azure/functions'
import { app as durable, input } from 'durable-functions'
import { askPartner } from './activities/ask-partner.js'
import { isRunning, tellLane } from './activities/lane.js'
import { partners, sagaNamed } from './app/index.js'
import { names } from './names.js'
import { lane } from './orchestrators/lane.js'
import { reconcile } from './orchestrators/reconcile.js'
import { sagaOrchestrator } from './orchestrators/saga.js'
import { operationsLog } from './operators/operations/log.js'
import type { Lane } from './saga/lane.js'
import { checkSettings } from './settings.js'
import { takeCallback } from './triggers/callbacks.js'
import { commandSaga } from './triggers/commands.js'
import { dataverseEventsFrom } from './triggers/dataverse-events.js'
import { startQueue, topicSource } from './triggers/event-source.js'
import { tellHealth } from './triggers/health.js'
import { tellHistory } from './triggers/history.js'
import { answering } from './triggers/http-answer.js'
import { emptyOutbox } from './triggers/outbox.js'
import { onPartnerReply, repliesQueue } from './triggers/partner-replies.js'
import { listReconciliations, reconcileAll, reconcilePage, startReconciliations } from './triggers/reconcile.js'
import { listSagas, tellSaga } from './triggers/status.js'
import { takeEvent } from './triggers/webhook.js'

checkSettings(partners)

const extraInputs = [input.durableClient()]

const asBytes = {
  connection: 'ServiceBusConnection',
  // As they came: the host would otherwise parse what it takes for JSON. The option is the platform's; the SDK's type does not know it.
  dataType: 'binary',
  extraInputs,
}
// What changes in Dataverse: the queue, a topic, a webhook, an outbox.
app.serviceBusQueue('dataverseEvents', {
  queueName: startQueue.queue,
  ...asBytes,
  handler: dataverseEventsFrom(startQueue),
})
const topic = topicSource(process.env['DATAVERSE_EVENTS_TOPIC'])
if (topic)
  app.serviceBusTopic('dataverseTopic', {
    topicName: topic.topic,
    subscriptionName: topic.subscription,
    ...asBytes,
    handler: dataverseEventsFrom(topic),
  })
app.post('takeEvent', { route: 'events', authLevel: 'function', extraInputs, handler: answering(takeEvent) })
const outbox = process.env['OUTBOX_SET']
if (outbox)
  app.timer('emptyOutbox', {
    schedule: process.env['OUTBOX_SCHEDULE'] ?? '*/10 * * * * *',
    extraInputs,
    handler: emptyOutbox(outbox),
  })

// What becomes of it.
durable.orchestration(names.saga, sagaOrchestrator(sagaNamed))
durable.activity(names.askPartner, { handler: askPartner })
durable.entity<Lane>(names.lane, lane)
durable.activity(names.tellLane, { extraInputs, handler: tellLane })
durable.activity(names.isRunning, { extraInputs, handler: isRunning })

// What operators did.
durable.entity(names.operations, operationsLog)

// Whether anything was missed.
const reconciling = process.env['RECONCILE_SCHEDULE']
if (reconciling) app.timer('reconcileAll', { schedule: reconciling, extraInputs, handler: reconcileAll })
durable.orchestration(names.reconcile, reconcile)
durable.activity(names.reconcilePage, { extraInputs, handler: reconcilePage })
app.get('listReconciliations', {
  route: 'reconciliations',
  authLevel: 'function',
  extraInputs,
  handler: answering(listReconciliations),
})
app.post('startReconciliations', {
  route: 'reconciliations',
  authLevel: 'function',
  extraInputs,
  handler: answering(startReconciliations),
})

// What people and partners say, and are told.
app.get('listSagas', { route: 'sagas', authLevel: 'function', extraInputs, handler: answering(listSagas) })
app.get('tellSaga', { route: 'sagas/{id}', authLevel: 'function', extraInputs, handler: answering(tellSaga) })
app.get('tellHistory', {
  route: 'sagas/{id}/history',
  authLevel: 'function',
  extraInputs,
  handler: answering(tellHistory),
})
app.post('commandSaga', {
  route: 'sagas/{id}/{command}',
  authLevel: 'function',
  extraInputs,
  handler: answering(commandSaga),
})
app.serviceBusQueue('partnerReplies', { queueName: repliesQueue.queue, ...asBytes, handler: onPartnerReply })
app.post('takeCallback', {
  route: 'callbacks/{token}',
  authLevel: 'anonymous',
  extraInputs,
  handler: answering(takeCallback),
})
app.get('health', { route: 'health', authLevel: 'anonymous', extraInputs, handler: answering(tellHealth) })
