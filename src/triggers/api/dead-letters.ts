// GET /api/dead-letters, and what an operator does with one: send it again, or discard it.

import type { ServiceBusReceivedMessage } from '@azure/service-bus'
import { readDataverseEvents } from '../../dataverse/read-event.js'
import { actorOf, roleOf } from '../../operators/access.js'
import { recorded } from '../../operators/operations/log.js'
import type { Routes } from '../../operators/routes.js'
import type { Asked, Told } from '../../operators/route.js'
import { SagaError } from '../../saga/errors.js'
import { discard, lineageIn, nameOf, numberOf, peek, resubmit, sources } from './dead-letter-queue.js'
import { bytesOf, type EventSource } from '../event-source.js'
import type { Hands, Handler } from '../serve.js'
import { serviceBus } from '../service-bus.js'

type DeadLetter = Told<Routes['listDeadLetters']>['deadLetters'][number]

export const listDeadLetters: Handler<Routes['listDeadLetters']> = ({ query }) => pageOfDeadLetters(query)

/** The token names the queue and the number that the next page begins with. */
export async function pageOfDeadLetters({
  queue,
  limit,
  token,
}: Asked<Routes['listDeadLetters']>['query']): Promise<Told<Routes['listDeadLetters']>> {
  const client = await serviceBus()
  const [, startAt, from = '0'] = /^(.+)#(\d{1,19})$/.exec(token ?? '') ?? []
  const all = queue === undefined ? sources() : [sourceNamed(queue)]
  const first = startAt === undefined ? 0 : all.indexOf(sourceNamed(startAt, all))
  const deadLetters: DeadLetter[] = []
  for (const [at, source] of all.slice(first).entries()) {
    // One more than there is room for says where the next page begins.
    const messages = await peek(client, source, limit - deadLetters.length + 1, at === 0 ? from : '0')
    for (const message of messages) {
      if (deadLetters.length === limit) return { deadLetters, next: `${nameOf(source)}#${numberOf(message)}` }
      deadLetters.push(toldOf(message, source))
    }
  }
  return { deadLetters }
}

type Choice = Asked<Routes['resubmitDeadLetter']>

export const resubmitDeadLetter: Handler<Routes['resubmitDeadLetter']> = (asked, hands) =>
  takeOne('resubmit', resubmit, asked, hands)

export const discardDeadLetter: Handler<Routes['discardDeadLetter']> = (asked, hands) =>
  takeOne('discard', discard, asked, hands)

async function takeOne(
  what: 'resubmit' | 'discard',
  take: typeof discard,
  { params: { sequenceNumber }, query, body, caller }: Pick<Choice, 'params' | 'query' | 'body' | 'caller'>,
  { client: hub }: Hands,
) {
  const client = await serviceBus()
  const source = sourceNamed(query.queue)
  const [message] = await peek(client, source, 1, sequenceNumber)
  const letter = message && numberOf(message) === sequenceNumber ? toldOf(message, source) : undefined
  const asked = {
    actor: actorOf(caller, body.actor),
    role: roleOf(caller),
    what,
    target: `${query.queue}/${sequenceNumber}`,
    reason: body.reason,
    ...(letter && { before: { messageId: letter.messageId, code: letter.code, event: letter.event } }),
  }
  return recorded(hub, asked, async () => {
    const taken = letter ? await take(client, source, [sequenceNumber]) : []
    if (!letter || taken.length === 0)
      throw SagaError.of('DEAD_LETTER_UNKNOWN', { queue: query.queue, number: sequenceNumber })
    const answer = { queue: query.queue, sequenceNumber, messageId: letter.messageId }
    return { answer, after: { isGone: true } }
  })
}

/** @throws SagaError `QUERY_MALFORMED` */
export function sourceNamed(name: string, among = sources()): EventSource {
  const found = among.find((source) => nameOf(source).toLowerCase() === name.toLowerCase())
  if (found) return found
  throw SagaError.of('QUERY_MALFORMED', { parameter: 'queue', expected: `one of ${among.map(nameOf).join(', ')}` })
}

/** What may be told of it: ids, and the words with which it was dead-lettered. */
export function toldOf(message: ServiceBusReceivedMessage, source: EventSource): DeadLetter {
  const bytes = bytesOf(message.body)
  const event = eventIn(bytes)
  const lineage = lineageIn(message)
  return {
    queue: nameOf(source),
    sequenceNumber: numberOf(message),
    messageId: String(message.messageId ?? ''),
    enqueuedAt: (message.enqueuedTimeUtc ?? new Date(0)).toISOString(),
    code: message.deadLetterReason ?? 'unknown',
    description: (message.deadLetterErrorDescription ?? '').slice(0, 1_000),
    deliveryCount: message.deliveryCount ?? 0,
    size: bytes.length,
    ...(event && { event }),
    ...(lineage && { lineage: { resubmits: lineage.resubmits, from: lineage.from } }),
  }
}

/** The first of its events, if it can be read as what Dataverse sends. */
function eventIn(bytes: Uint8Array): DeadLetter['event'] {
  try {
    const [event] = readDataverseEvents(bytes)
    if (!event) return undefined
    const { id, message, table, rowId, operationId, correlationId } = event
    return { id, message, table, rowId, operationId, correlationId }
  } catch (error) {
    if (error instanceof SagaError) return undefined
    throw error
  }
}
