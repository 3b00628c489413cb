// The operations on `$management` and `$cbs`: requests and answers as messages, for what has no frame of its own in AMQP.

import { type BrokerError, brokerErrorOf, malformed, notImplemented } from './errors.js'
import { composeDelivery } from './delivery.js'
import { numberOf, readMessage } from './message.js'
import type { Namespace } from './namespace.js'
import type { Queue, Settlement } from './queue.js'
import { describeRule, readRule } from './rule-wire.js'
import { type Connection, messages, type Decoded, types } from './rhea.js'

interface Answer {
  /** 200, or 204 for 'nothing there'. */
  readonly status: number
  readonly body?: unknown
}

type Body = Readonly<Record<string, unknown>>
type Operation = (place: Place, body: Body, newMessageId: () => string) => Answer | Promise<Answer>

/** What is managed. */
export interface Place {
  readonly queue: Queue
  readonly namespace: Namespace
}

const done: Answer = { status: 200 }
/** AMQP type codes for the elements of an array. */
const code = { long: 0x81, timestamp: 0x83 }

const operations: Readonly<Record<string, Operation>> = {
  'renew-lock': ({ queue }, body) => {
    const expirations = bytesIn(body, 'lock-tokens').map((token) => queue.renew(token))
    return { status: 200, body: { expirations: types.wrap_array(expirations, code.timestamp) } }
  },

  'update-disposition': async ({ queue }, body) => {
    const settlement = readSettlement(body)
    await Promise.all(bytesIn(body, 'lock-tokens').map((token) => queue.settle(token, settlement)))
    return done
  },

  'peek-message': ({ queue }, body) => {
    const session = sessionIn(body)
    const found = queue.peek(numberIn(body, 'from-sequence-number'), numberIn(body, 'message-count'), session)
    if (found.length === 0) return { status: 204 }
    return {
      status: 200,
      body: { messages: found.map(({ bytes, envelope }) => ({ message: composeDelivery(bytes, envelope) })) },
    }
  },

  'receive-by-sequence-number': async ({ queue }, body) => {
    const sequences = numbersIn(body, 'sequence-numbers')
    const session = sessionIn(body)
    const hold = session === undefined ? undefined : queue.holdOf(session)
    const isDeleting = numberIn(body, 'receiver-settle-mode') === 0
    const handouts = isDeleting
      ? await queue.handOverDeferred(sequences, session)
      : queue.handOutDeferred(sequences, hold)
    return {
      status: 200,
      body: {
        messages: handouts.map(({ bytes, envelope }) => ({
          message: composeDelivery(bytes, envelope),
          ...(envelope.lockToken ? { 'lock-token': types.wrap_uuid(envelope.lockToken) } : {}),
        })),
      },
    }
  },

  'schedule-message': async ({ queue }, body, newMessageId) => {
    const arrivals = listIn(body, 'messages').map((item) => readMessage(messageIn(item), newMessageId))
    const sequences = await queue.enqueue(arrivals)
    return { status: 200, body: { 'sequence-numbers': types.wrap_array(sequences, code.long) } }
  },

  'cancel-scheduled-message': async ({ queue }, body) => {
    await queue.cancelScheduled(numbersIn(body, 'sequence-numbers'))
    return done
  },

  'renew-session-lock': ({ queue }, body) => {
    const until = queue.renewSession(textOf(body['session-id']))
    return { status: 200, body: { expiration: types.wrap_timestamp(until) } }
  },

  'get-session-state': ({ queue }, body) => {
    const session = textOf(body['session-id'])
    queue.holdOf(session)
    return { status: 200, body: { 'session-state': queue.sessionState(session) ?? null } }
  },

  'set-session-state': async ({ queue }, body) => {
    const session = textOf(body['session-id'])
    queue.holdOf(session)
    const state = body['session-state']
    await queue.setSessionState(session, Buffer.isBuffer(state) ? state : undefined)
    return done
  },

  'get-message-sessions': ({ queue }, body) => {
    const skip = numberIn(body, 'skip')
    const ids = queue.sessionIds().slice(skip, skip + numberIn(body, 'top'))
    if (ids.length === 0) return { status: 204 }
    return { status: 200, body: { skip: types.wrap_int(skip + ids.length), 'sessions-ids': ids } }
  },

  'add-rule': async ({ queue, namespace }, body) => {
    await namespace.addRule(queue, readRule(textOf(body['rule-name']), recordOf(body['rule-description'])))
    return done
  },

  'remove-rule': async ({ queue, namespace }, body) => {
    await namespace.removeRule(queue, textOf(body['rule-name']))
    return done
  },

  'enumerate-rules': ({ queue, namespace }, body) => {
    const skip = numberIn(body, 'skip')
    const rules = namespace.rulesOf(queue).slice(skip, skip + numberIn(body, 'top'))
    if (rules.length === 0) return { status: 204 }
    return { status: 200, body: { rules: rules.map((rule) => ({ 'rule-description': describeRule(rule) })) } }
  },
}

/** Answers one request on `$management` of a queue. */
export async function answerManagement(
  place: Place,
  request: Decoded,
  connection: Connection,
  newMessageId: () => string,
): Promise<void> {
  const asked = request.application_properties ?? {}
  const name = textOf(asked['operation']).replace('com.microsoft:', '')
  const tracking = asked['com.microsoft:tracking-id']
  try {
    const operation = operations[name]
    if (!operation) throw notImplemented(name)
    const { status, body } = await operation(place, recordOf(request.body), newMessageId)
    reply(connection, request, propertiesOf(status, 'OK', tracking), body)
  } catch (error) {
    const { condition, status, message } = brokerErrorOf(error)
    reply(connection, request, {
      ...propertiesOf(status, message, tracking),
      errorCondition: types.wrap_symbol(condition),
    })
  }
}

/** Answers a request on `$cbs`. A name that is no entity is refused, as the service does; whose token is welcome is for `check` to say. */
export function answerTokenRequest(
  request: Decoded,
  connection: Connection,
  check: (address: string, token: string) => void,
): void {
  const name = textOf(request.application_properties?.['name'])
  let refusal: BrokerError | undefined
  try {
    check(name.replace(/\/\$management$/, ''), textOf(request.body))
  } catch (error) {
    refusal = brokerErrorOf(error)
  }
  reply(connection, request, {
    'status-code': types.wrap_int(refusal?.status ?? 202),
    'status-description': refusal?.message ?? 'Accepted',
  })
}

/** The client compares exactly this spelling of the names. */
const propertiesOf = (status: number, description: string, tracking: unknown) => ({
  statusCode: types.wrap_int(status),
  statusDescription: description,
  'com.microsoft:tracking-id': tracking,
})

function reply(connection: Connection, request: Decoded, properties: object, body?: unknown): void {
  const { reply_to: to, message_id: id } = request
  const link = connection.find_sender(({ name, target }) => name === to || target?.address === to)
  // A client that has gone meanwhile wants no answer.
  if (!link?.is_open()) return
  const bytes = messages.encode({ application_properties: properties, body, correlation_id: id, to })
  link.send(bytes, undefined, 0).settled = true
}

function readSettlement(body: Body): Settlement {
  const properties = recordOf(body['properties-to-modify'])
  switch (body['disposition-status']) {
    case 'completed':
      return { kind: 'complete' }
    case 'abandoned':
      return { kind: 'abandon', properties }
    case 'defered':
      return { kind: 'defer', properties }
    case 'suspended': {
      const { 'deadletter-reason': reason, 'deadletter-description': description } = body
      return {
        kind: 'deadLetter',
        properties,
        ...(typeof reason === 'string' ? { reason } : {}),
        ...(typeof description === 'string' ? { description } : {}),
      }
    }
    default:
      throw malformed(`There is no disposition '${textOf(body['disposition-status'])}'.`)
  }
}

const recordOf = (value: unknown): Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

/** Some clients send a list of one as the one. */
function listIn(body: Body, name: string): readonly unknown[] {
  const value = body[name]
  return Array.isArray(value) ? value : [value]
}

function bytesIn(body: Body, name: string): Buffer[] {
  return listIn(body, name).map((item) => {
    if (Buffer.isBuffer(item)) return item
    throw malformed(`'${name}' is not a list of uuids.`)
  })
}

function numbersIn(body: Body, name: string): number[] {
  return listIn(body, name).map((item) => {
    const number = numberOf(item)
    if (number === undefined) throw malformed(`'${name}' is not a number.`)
    return number
  })
}

const numberIn = (body: Body, name: string) =>
  body[name] === undefined || body[name] === null ? 0 : (numbersIn(body, name)[0] ?? 0)

const sessionIn = (body: Body) => (typeof body['session-id'] === 'string' ? body['session-id'] : undefined)

function messageIn(item: unknown): Buffer {
  const message = recordOf(item)['message']
  if (Buffer.isBuffer(message)) return message
  throw malformed("'message' is not binary.")
}
