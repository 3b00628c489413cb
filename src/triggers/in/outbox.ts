// Empties the outbox table on a timer: publishes what is pending, acknowledges what has come to its end, removes what is old.
//
// Promises: a row is published once, but for a crash in the moment between publishing and marking; then once more as the same event, which starts nothing.
// Two publishers never have one row at once: the claim is a write under the row's ETag.

import { randomUUID } from 'node:crypto'
import type { InvocationContext } from '@azure/functions'
import type { ServiceBusSender } from '@azure/service-bus'
import type { DurableClient } from 'durable-functions'
import { sagas } from '../../app/index.js'
import * as outbox from '../../dataverse/outbox.js'
import { readDataverseEvents } from '../../dataverse/read-event.js'
import type { Gateway } from '../../partner/gateway.js'
import type { PartnerRequest } from '../../saga/action.js'
import { SagaError } from '../../saga/errors.js'
import { isOver } from '../../saga/phase.js'
import { startsFor } from '../../saga/routing.js'
import { listening } from '../../telemetry/telemetry.js'
import { toDataverse, wordsOf } from './dataverse-gateway.js'
import { startQueue } from '../event-source.js'
import { findInstance } from '../instances.js'
import { closeUnattended, serviceBus } from '../service-bus.js'
import { clientOf } from '../../task-hub.js'

/** Rows that are worked on at a time. */
const pageSize = 100
/** Pages in one run of the timer: the next run goes on. */
const mostPages = 50

export function emptyOutbox(set: string) {
  return async (_: unknown, context: InvocationContext): Promise<void> => {
    const publisher = new Publisher(set, clientOf(context))
    const published = await publisher.publish()
    const acked = await publisher.acknowledge()
    const removed = await publisher.cleanUp()
    if (published + acked + removed > 0)
      context.log(`Outbox: ${published} published, ${acked} acknowledged, ${removed} removed.`)
  }
}

class Publisher {
  readonly #set: string
  readonly #client: DurableClient
  readonly #gateway: Gateway

  constructor(set: string, client: DurableClient) {
    this.#set = set
    this.#client = client
    this.#gateway = toDataverse()
  }

  async publish(): Promise<number> {
    const sender = (await serviceBus()).createSender(startQueue.queue)
    const found = new Set<string>()
    try {
      return await this.#pages(
        () => outbox.pendingRows(this.#set, Date.now(), pageSize),
        (row) => {
          found.add(row.id)
          return this.#publishOne(sender, row)
        },
      )
    } finally {
      // Those that could not be published too: it is they who pile up.
      listening()?.record('outbox.pending', found.size, {})
      closeUnattended(sender)
    }
  }

  async #publishOne(sender: ServiceBusSender, row: outbox.OutboxRow): Promise<boolean> {
    // Somebody else has it, or the row is gone.
    if (!(await this.#write(outbox.claim(this.#set, row, Date.now())))) return false
    try {
      const body = outbox.messageOf(row)
      const [event] = readDataverseEvents(body)
      await sender.sendMessages({ body, messageId: row.id, ...(event && { sessionId: event.rowId }) })
    } catch (error) {
      // What can't be read now stays unreadable.
      const isFinal = error instanceof SagaError
      const why = error instanceof SagaError ? `${error.code}: ${error.message}` : String(error)
      await this.#write(outbox.markFailed(this.#set, row, why, isFinal))
      return false
    }
    return this.#write(outbox.markPublished(this.#set, row, Date.now()))
  }

  acknowledge(): Promise<number> {
    return this.#pages(
      (last) => outbox.publishedRows(this.#set, last?.publishedOn ?? '', pageSize),
      async (row) => (await this.#hasEnded(row)) && this.#write(outbox.markAcked(this.#set, row)),
    )
  }

  /** All sagas of it, in whatever way: what became of them is theirs to tell. */
  async #hasEnded(row: outbox.OutboxRow): Promise<boolean> {
    const starts = readDataverseEvents(outbox.messageOf(row)).flatMap((event) => startsFor(event, sagas))
    const told = await Promise.all(starts.map(({ instance }) => findInstance(this.#client, instance)))
    return told.every((status) => status !== undefined && isOver(status.phase))
  }

  cleanUp(): Promise<number> {
    return this.#pages(
      () => outbox.oldRows(this.#set, Date.now(), pageSize),
      (row) => this.#write(outbox.remove(this.#set, row)),
    )
  }

  /** Page after page; tells for how many rows something was done. @param ask is told the last row of the page before */
  async #pages(
    ask: (last: outbox.OutboxRow | undefined) => PartnerRequest,
    work: (row: outbox.OutboxRow) => Promise<boolean>,
  ): Promise<number> {
    let count = 0
    let last: outbox.OutboxRow | undefined
    for (let number = 0; number < mostPages; number++) {
      const rows = await this.#read(ask(last))
      last = rows.at(-1)
      count += (await Promise.all(rows.map(work))).filter(Boolean).length
      if (rows.length < pageSize) break
    }
    return count
  }

  async #read(request: PartnerRequest): Promise<outbox.OutboxRow[]> {
    const reply = await this.#gateway.ask(request, {})
    if (!('status' in reply) || reply.status !== 200) throw new Error(`The outbox can not be read: ${wordsOf(reply)}.`)
    return outbox.readOutboxPage(this.#set, reply.body)
  }

  /** False for what is refused, since the row was changed or is gone. */
  async #write(request: PartnerRequest): Promise<boolean> {
    const reply = await this.#gateway.ask(request, { 'client-request-id': randomUUID() })
    if (!('status' in reply) || reply.status >= 500 || reply.status === 429)
      throw new Error(`The outbox can not be written: ${wordsOf(reply)}.`)
    return reply.status < 300
  }
}
