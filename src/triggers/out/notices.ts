// Notices of sagas' lives, to a webhook and a Service Bus topic, where the settings name them.
//
// Promises: at least once, and for days if need be; the same news always under the same id. Who is told late holds up no saga.

import { createHash, createHmac } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { InvocationContext } from '@azure/functions'
import type { DurableClient } from 'durable-functions'
import { names } from '../../names.js'
import type { Delivery, Notice } from '../../saga/notices.js'
import { readSecret } from '../../secrets.js'
import { noticeKey, noticesTopic, noticeTargets, noticeWebhook } from '../../settings.js'
import { clientOf, statusOrNone } from '../../task-hub.js'
import { closeUnattended, serviceBus } from '../service-bus.js'

/** Milliseconds that a webhook has to answer. */
const patience = 15_000
/** Tries to hand notices to the task hub, and milliseconds before the second; each wait is twice the one before. */
const mostTries = 6
const firstPause = 500

/** The activity: true when each notice is durably on its way. Never rejects: a saga would fail by it. */
export async function postNotices(notices: readonly Notice[], context: InvocationContext): Promise<boolean> {
  for (let pause = firstPause, tries = 1; ; pause *= 2, tries += 1)
    try {
      await postAll(clientOf(context), notices)
      return true
    } catch (error) {
      context.error(`Notices of ${notices[0]?.instance} are not on their way: ${String(error)}`)
      if (tries === mostTries) return false
      await setTimeout(pause)
    }
}

/** Each has an orchestration to itself, under the name of the news: what is on its way, or has arrived, is not sent again. */
export async function postAll(client: DurableClient, notices: readonly Notice[]): Promise<void> {
  for (const notice of notices)
    for (const to of noticeTargets()) {
      const instanceId = `notice:${createHash('sha256').update(`${to} ${notice.id}`).digest('hex').slice(0, 40)}`
      if (await statusOrNone(client, instanceId)) continue
      const input: Delivery = { to, notice }
      await client.startNew(names.notify, { instanceId, input }).catch(async (error: unknown) => {
        // Somebody else was quicker.
        if (!(await statusOrNone(client, instanceId))) throw error
      })
    }
}

/** The activity: one try. */
export async function sendNotice({ to, notice }: Delivery): Promise<void> {
  await (to === 'webhook' ? sendToWebhook(notice) : sendToTopic(notice))
}

/** As standardwebhooks.com has it: whoever knows the convention can check it with a library. */
async function sendToWebhook(notice: Notice): Promise<void> {
  const key = noticeKey(await readSecret('NOTICE_WEBHOOK_SECRET'))
  const { id, kind, at, ...data } = notice
  const body = JSON.stringify({ type: `saga.${kind}`, timestamp: at, data })
  const seconds = Math.floor(Date.now() / 1_000)
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  const response = await fetch(noticeWebhook(), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': `v1,${signature}`,
    },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(patience),
  })
  await response.body?.cancel()
  // The address may hold a key: it is not told.
  if (!response.ok) throw new Error(`The webhook for notices answered HTTP ${response.status}.`)
}

/** Subscriptions filter by the properties. */
async function sendToTopic(notice: Notice): Promise<void> {
  const { id, kind, saga, table, phase } = notice
  const sender = (await serviceBus()).createSender(noticesTopic())
  try {
    await sender.sendMessages({
      messageId: id,
      subject: `saga.${kind}`,
      contentType: 'application/json',
      applicationProperties: { kind, saga, table, phase },
      body: notice,
    })
  } finally {
    closeUnattended(sender)
  }
}
