// Many requests to the Web API as one `$batch`, each with an answer of its own. Not a change set: one that is refused stops no other.

import type { Batch, BatchAnswer } from '../saga/partner.js'
import type { PartnerRequest } from '../saga/action.js'

// JSON on one line can't hold a line that begins with it.
const boundary = 'batch_dataverse_saga'
const lineEnd = '\r\n'

/** For writes that wait for their turn. Reads are few, and wanted soon. */
export const odataBatch: Batch = {
  // Dataverse carries them out one after the other, and all must be answered within the time of one request.
  most: 20,
  fits: ({ method, text }) => text === undefined && (method === 'PATCH' || method === 'DELETE'),
  join: (requests) => ({
    method: 'POST',
    path: '/api/data/v9.2/$batch',
    headers: {
      'odata-version': '4.0',
      'odata-maxversion': '4.0',
      'content-type': `multipart/mixed; boundary=${boundary}`,
      prefer: 'odata.continue-on-error',
    },
    text: [...requests.map(partOf), `--${boundary}--`, ''].join(lineEnd),
  }),
  split,
}

function partOf({ method, path, headers, body }: PartnerRequest): string {
  const all = {
    accept: 'application/json',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  }
  return [
    `--${boundary}`,
    'Content-Type: application/http',
    'Content-Transfer-Encoding: binary',
    '',
    `${method} ${encoded(path)} HTTP/1.1`,
    ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
    '',
    body === undefined ? '' : JSON.stringify(body),
  ].join(lineEnd)
}

/** As it goes out alone (src/partner/http.ts). */
function encoded(path: string): string {
  const { pathname, search } = new URL(`http://dataverse${path}`)
  return pathname + search
}

/** @throws Error for a text that is no answer to a `$batch` */
function split(text: unknown): BatchAnswer[] {
  const [, delimiter] = /^\s*(--[^\r\n]+)\r?\n/.exec(String(text)) ?? []
  if (delimiter === undefined) throw new Error('The answer to a $batch has no parts.')
  const [, ...parts] = `${lineEnd}${String(text).trimStart()}`.split(`\n${delimiter}`)
  return parts.filter((part) => !part.startsWith('--')).map(answerIn)
}

/** A part has headers of its own before the answer that it carries. */
function answerIn(part: string): BatchAnswer {
  const [, status, head = '', body = ''] =
    /\r?\n\r?\nHTTP\/1\.1 (\d{3})[^\r\n]*((?:\r?\n[^\r\n]+)*)(?:\r?\n){0,2}([^]*)$/.exec(part) ?? []
  if (status === undefined) throw new Error('A part of the answer to a $batch is no HTTP.')
  const [, retryAfter] = /^retry-after: *(.+?)\r?$/im.exec(head) ?? []
  return { status: Number(status), body: parsed(body.trim()), ...(retryAfter !== undefined && { retryAfter }) }
}

function parsed(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
