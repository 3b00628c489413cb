// Binds every function to its trigger: the only file with an effect on import.

import { app } from '@azure/functions'
import { app as durable, input } from 'durable-functions'
import { askPartner } from './activities/ask-partner.js'
import { isRunning, tellLane } from './activities/lane.js'
import { partners, sagaNamed } from './app/index.js'
import { names } from './names.js'
import { operationsLog } from './operators/operations/log.js'
import { routes } from './operators/routes.js'
import { bulk } from './orchestrators/bulk.js'
import { lane } from './orchestrators/lane.js'
import { notify } from './orchestrators/notify.js'
import { reconcile } from './orchestrators/reconcile.js'
import { sagaOrchestrator } from './orchestrators/saga.js'
import { watch } from './orchestrators/watch.js'
import type { Lane } from './saga/lane.js'
import { checkSettings } from './settings.js'
import { tellTurn } from './telemetry/saga-telemetry.js'
import { isTelemetryOn, startTelemetry, stopTelemetry } from './telemetry/telemetry.js'
import { listBulk, startBulk, stopBulk, tellBulk } from './triggers/api/bulk.js'
import { bulkItems } from './triggers/api/bulk-items.js'
import { bulkBatch, bulkEnd, bulkFind } from './triggers/api/bulk-work.js'
import { takeCallback } from './triggers/in/callbacks.js'
import { commandSaga, previewCommand } from './triggers/api/commands.js'
import { tellConsole, tellConsoleFile } from './triggers/api/console.js'
import { dataverseEventsFrom } from './triggers/in/dataverse-events.js'
import { discardDeadLetter, listDeadLetters, resubmitDeadLetter } from './triggers/api/dead-letters.js'
import { listDefinitions, listPartners, tellRecord } from './triggers/api/estate.js'
import { startQueue, topicSource } from './triggers/event-source.js'
import { tellHealth } from './triggers/api/health.js'
import { listCalls, tellHistory } from './triggers/api/history.js'
import { tellMe, tellOpenApi } from './triggers/api/me.js'
import { postNotices, sendNotice } from './triggers/out/notices.js'
import { listOperations } from './triggers/api/operations.js'
import { emptyOutbox } from './triggers/in/outbox.js'
import { onPartnerReply, repliesQueue } from './triggers/in/partner-replies.js'
import { listReconciliations, reconcileAll, reconcilePage, startReconciliations } from './triggers/in/reconcile.js'
import { served } from './triggers/serve.js'
import { countSagas, listCauses, listSagas, tellSaga } from './triggers/api/status.js'
import { watchSaga, watchSagas } from './triggers/api/watch.js'
import { watchdog } from './triggers/out/watchdog.js'
import { takeEvent } from './triggers/in/webhook.js'

checkSettings(partners)
if (isTelemetryOn()) {
  app.hook.appStart(startTelemetry)
  app.hook.appTerminate(stopTelemetry)
}

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
const outbox = process.env['OUTBOX_SET']
if (outbox)
  app.timer('emptyOutbox', {
    schedule: process.env['OUTBOX_SCHEDULE'] ?? '*/10 * * * * *',
    extraInputs,
    handler: emptyOutbox(outbox),
  })

// What becomes of it.
durable.orchestration(names.saga, sagaOrchestrator(sagaNamed, isTelemetryOn() ? tellTurn : undefined))
durable.activity(names.askPartner, { handler: askPartner })
durable.entity<Lane>(names.lane, lane)
durable.activity(names.tellLane, { extraInputs, handler: tellLane })
durable.activity(names.isRunning, { extraInputs, handler: isRunning })

// What operators do to many, and what they did.
durable.orchestration(names.bulk, bulk)
durable.activity(names.bulkFind, { extraInputs, handler: bulkFind })
durable.activity(names.bulkBatch, { extraInputs, handler: bulkBatch })
durable.activity(names.bulkEnd, { extraInputs, handler: bulkEnd })
durable.entity(names.bulkItems, bulkItems)
durable.entity(names.operations, operationsLog)

// Whether anything was missed.
const reconciling = process.env['RECONCILE_SCHEDULE']
if (reconciling) app.timer('reconcileAll', { schedule: reconciling, extraInputs, handler: reconcileAll })
durable.orchestration(names.reconcile, reconcile)
durable.activity(names.reconcilePage, { extraInputs, handler: reconcilePage })

// Whether any has stopped moving.
const { beginWatch, findLate, stillLate, rouse } = watchdog()
app.timer('watchdog', {
  schedule: process.env['WATCHDOG_SCHEDULE'] ?? '0 */5 * * * *',
  extraInputs,
  handler: beginWatch,
})
durable.orchestration(names.watch, watch)
durable.activity(names.findLate, { extraInputs, handler: findLate })
durable.activity(names.stillLate, { extraInputs, handler: stillLate })
durable.activity(names.rouse, { extraInputs, handler: rouse })

// Who else is told.
durable.activity(names.postNotices, { extraInputs, handler: postNotices })
durable.orchestration(names.notify, notify)
durable.activity(names.sendNotice, { handler: sendNotice })

// What partners answer later.
app.serviceBusQueue('partnerReplies', { queueName: repliesQueue.queue, ...asBytes, handler: onPartnerReply })

// All that is asked over HTTP: the table of routes, and who answers. Events are told as they come.
app.setup({ enableHttpStream: true })
const handlers = {
  listSagas,
  countSagas,
  listCauses,
  watchSagas,
  tellSaga,
  watchSaga,
  tellHistory,
  listCalls,
  commandSaga,
  previewCommand,
  listDeadLetters,
  resubmitDeadLetter,
  discardDeadLetter,
  startBulk,
  listBulk,
  tellBulk,
  stopBulk,
  listOperations,
  tellRecord,
  listPartners,
  listDefinitions,
  tellMe,
  tellOpenApi,
  takeEvent,
  takeCallback,
  listReconciliations,
  startReconciliations,
  tellHealth,
}
for (const [name, options] of served(routes, handlers)) app.http(name, options)

// The operators' page, which asks all of the above.
app.get('console', { route: 'console', authLevel: 'anonymous', handler: tellConsole })
app.get('consoleFile', { route: 'console/{version}/{*file}', authLevel: 'anonymous', handler: tellConsoleFile })
