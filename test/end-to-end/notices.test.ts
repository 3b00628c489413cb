// npm start with somebody who wants to hear of sagas: a webhook that is down at first, and a subscription.

import { createServer } from 'node:http'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
import type { ServiceBusReceivedMessage } from '@azure/service-bus'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { type Installation, until } from '../../local/installation.js'
import { withInstallation } from './with-installation.js'

const secret = `whsec_${Buffer.from('a secret of the tests, 32 bytes.').toString('base64')}`
const news = z.object({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({ rowId: z.string(), phase: z.string() }),
})
type News = z.infer<typeof news> & { readonly id: string }

const received: News[] = []
let turnedAway = 0
/** Turns the first three away, and takes only what is signed. */
const receiver = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    if (turnedAway < 3) {
      turnedAway += 1
      response.writeHead(503).end()
      return
    }
    const { 'webhook-id': id = '', 'webhook-timestamp': at = '', 'webhook-signature': signature = '' } = request.headers
    const headers = {
      'webhook-id': String(id),
      'webhook-timestamp': String(at),
      'webhook-signature': String(signature),
    }
    received.push({ id: String(id), ...news.parse(new Webhook(secret).verify(Buffer.concat(parts), headers)) })
    response.writeHead(204).end()
  })
})

let installation: Installation
const environment = { NOTICE_WEBHOOK_URL: '', NOTICE_WEBHOOK_SECRET: secret, NOTICES_TOPIC: 'saga-notices' }

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const address = receiver.address()
  environment.NOTICE_WEBHOOK_URL = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/hook?code=key`
})
withInstallation(environment, (its) => (installation = its))
afterAll(() => receiver.close())

it('tells a webhook, signed, and a subscription that a saga has ended, each once, and no value of a row', {
  timeout: 120_000,
}, async () => {
  const contacts = ['canary@example.org', 'canary@example.net', ''].map((email) => ({
    rowId: randomUUID(),
    firstName: 'Canary',
    lastName: 'Berg',
    email,
  }))
  const subscriber = installation.client.createReceiver('saga-notices', 'all')

  for (const contact of contacts) await installation.send(await installation.createContact(contact))
  await until('all is told', async () => received.length >= 3)
  const messages: ServiceBusReceivedMessage[] = []
  await until('the subscriber has it all', async () => {
    messages.push(...(await subscriber.receiveMessages(3, { maxWaitTimeInMs: 1_000 })))
    return messages.length >= 3
  })
  messages.push(...(await subscriber.receiveMessages(1, { maxWaitTimeInMs: 500 })))
  await subscriber.close()

  const expected = contacts.map(({ rowId, email }) => `${rowId} ${email === '' ? 'compensated' : 'completed'}`)
  const told = received.map(({ type, data }) => `${data.rowId} ${type.replace('saga.', '')}`)
  expect(told.toSorted()).toEqual(expected.toSorted())
  expect(turnedAway).toBe(3)
  expect(messages.map(({ messageId }) => String(messageId)).toSorted()).toEqual(received.map(({ id }) => id).toSorted())
  expect(messages.map(({ applicationProperties }) => applicationProperties)).toContainEqual({
    kind: 'compensated',
    saga: 'contact-onboarding',
    table: 'contact',
    phase: 'compensated',
  })
  expect(JSON.stringify([received, messages.map(({ body }) => body)])).not.toMatch(/canary|Berg|example/i)
})
