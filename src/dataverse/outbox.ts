// An outbox table in Dataverse: rows that were written in one transaction with the change that they tell of, to be published from here.
//
// Requests and decisions only; publishing is the trigger's business. Columns: dvs_payload, dvs_status, dvs_claimeduntil, dvs_publishedon, dvs_retrycount, dvs_error.

import { z } from 'zod'
import type { PartnerRequest } from '../saga/action.js'
import { listRows, removeRow, writeRow } from './web-api.js'

export const outboxStatus = { pending: 0, published: 1, acked: 2, failed: 3 } as const

/** Milliseconds for which a publisher has a row for itself. If it dies, another one publishes it after that, under the same ids. */
const claimFor = 30_000
/** Times that publishing is tried before the row is given up. */
export const mostRetries = 10
/** Milliseconds after which a row that is acknowledged is removed. */
const keptFor = 7 * 24 * 3_600_000

const row = z.looseObject({
  '@odata.etag': z.string(),
  dvs_payload: z.string().nullish(),
  dvs_retrycount: z.number().nullish(),
  dvs_publishedon: z.string().nullish(),
})

/** One row, with the id under which it was written. */
export interface OutboxRow {
  readonly id: string
  readonly etag: string
  readonly payload: string
  readonly retries: number
  /** ISO 8601; empty before. */
  readonly publishedOn: string
}

const page = z.object({ value: z.array(row) })

/** The entity set `dvs_outboxes` has rows of `dvs_outbox`, and their ids in `dvs_outboxid`; but that of `dvs_message` is `dvs_messages`. One of these is there. */
const idColumnsOf = (set: string) =>
  [set.replace(/es$/, ''), set.replace(/s$/, ''), set.replace(/ies$/, 'y')].map((table) => `${table}id`)

/** @throws ZodError */
export function readOutboxPage(set: string, body: unknown): OutboxRow[] {
  return page.parse(body).value.map((one) => ({
    id: z.guid().parse(
      idColumnsOf(set)
        .map((column) => one[column])
        .find((id) => id !== undefined),
    ),
    etag: one['@odata.etag'],
    payload: one.dvs_payload ?? '',
    retries: one.dvs_retrycount ?? 0,
    publishedOn: one.dvs_publishedon ?? '',
  }))
}

const columns = ['dvs_payload', 'dvs_retrycount', 'dvs_publishedon']
const timeOf = (ms: number) => new Date(ms).toISOString()

/** Those that nobody publishes now, the oldest first. */
export const pendingRows = (set: string, now: number, count: number): PartnerRequest =>
  listRows(set, {
    columns,
    filter: `dvs_status eq ${outboxStatus.pending} and (dvs_claimeduntil eq null or dvs_claimeduntil lt ${timeOf(now)})`,
    orderBy: 'createdon',
    count,
  })

/** Those whose sagas may have ended, from a time on: some take long, and must not stand in the way of the others. */
export const publishedRows = (set: string, after: string, count: number): PartnerRequest =>
  listRows(set, {
    columns,
    filter: `dvs_status eq ${outboxStatus.published} and dvs_publishedon gt ${after || timeOf(0)}`,
    orderBy: 'dvs_publishedon',
    count,
  })

/** Those that nobody needs any more. */
export const oldRows = (set: string, now: number, count: number): PartnerRequest =>
  listRows(set, {
    columns,
    filter: `dvs_status eq ${outboxStatus.acked} and dvs_publishedon lt ${timeOf(now - keptFor)}`,
    orderBy: 'dvs_publishedon',
    count,
  })

/** 412 when another publisher was faster. */
export const claim = (set: string, { id, etag }: OutboxRow, now: number): PartnerRequest =>
  writeRow(set, id, { dvs_claimeduntil: timeOf(now + claimFor) }, { etag })

export const markPublished = (set: string, { id }: OutboxRow, now: number): PartnerRequest =>
  writeRow(set, id, { dvs_status: outboxStatus.published, dvs_publishedon: timeOf(now), dvs_error: null })

export const markAcked = (set: string, { id }: OutboxRow): PartnerRequest =>
  writeRow(set, id, { dvs_status: outboxStatus.acked })

/** Back in the line, or given up for good when it was tried often enough or can't be read. */
export function markFailed(set: string, { id, retries }: OutboxRow, why: string, isFinal: boolean): PartnerRequest {
  const isOver = isFinal || retries + 1 >= mostRetries
  return writeRow(set, id, {
    dvs_status: isOver ? outboxStatus.failed : outboxStatus.pending,
    dvs_retrycount: retries + 1,
    dvs_claimeduntil: null,
    dvs_error: why.slice(0, 500),
  })
}

export const remove = (set: string, { id }: OutboxRow): PartnerRequest => removeRow(set, id)

/** What is published: the payload as it is, and where it names no operation of its own, under the row's id. So it is the same event, however often. */
export function messageOf({ id, payload }: OutboxRow): Buffer {
  try {
    const read: unknown = JSON.parse(payload)
    if (
      typeof read === 'object' &&
      read !== null &&
      'table' in read &&
      (!('operationId' in read) || read.operationId === null)
    )
      return Buffer.from(JSON.stringify({ ...read, operationId: id }))
  } catch {
    // It is XML or nothing that can be read; the reader says which.
  }
  return Buffer.from(payload)
}
