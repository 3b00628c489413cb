// Turns what HTTP said into what the saga may believe.
//
//   what came back                                   outcome      because
//   2xx that can be read                             applied
//   2xx that can't be read                           inDoubt      it did something, we don't know what
//   408, 425, 429                                    deferred     the partner says that it did not begin
//   401                                              deferred     not let in: a credential is wrong or being rotated
//   503 with Retry-After                             deferred     the partner turned the request away and says when to come back
//   other 5xx                                        inDoubt      a partner can fail after the effect, while it answers
//   other 3xx, 4xx                                   refused      the same request will get the same answer
//   nothing, and the request can't have been sent    deferred
//   nothing, since it was not even tried             deferred     it costs no attempt
//   nothing, and the request may have been sent      inDoubt
//
// An action can say otherwise for single statuses (`meanings`).

import type { StatusMeanings } from '../saga/action.js'
import { SagaError } from '../saga/errors.js'
import type { Outcome, OutcomeKind } from '../saga/outcome.js'
import { unreachable } from '../saga/unreachable.js'

/** What one request brought back. */
export type Reply =
  | { readonly status: number; readonly body: unknown; readonly retryAfterMs?: number }
  /** `sent` is false only if the request surely never reached the partner. */
  | { readonly failed: string; readonly sent: boolean }
  /** Not even tried, since the partner is known not to take it now. */
  | { readonly parked: string; readonly retryAfterMs: number }

/** @param read reads the partner's answer; throws if it is not what the action promises. */
export function outcomeOf(reply: Reply, meanings: StatusMeanings, read: (body: unknown) => unknown): Outcome {
  if ('failed' in reply) return { kind: reply.sent ? 'inDoubt' : 'deferred', reason: reply.failed }
  if ('parked' in reply)
    return { kind: 'deferred', parked: true, reason: reply.parked, retryAfterMs: reply.retryAfterMs }
  const kind = meanings[reply.status] ?? meaningOf(reply)
  const reason = reasonOf(reply)
  switch (kind) {
    case 'applied':
      return readOutput(reply, read)
    case 'deferred':
      return { kind, reason, ...(reply.retryAfterMs === undefined ? {} : { retryAfterMs: reply.retryAfterMs }) }
    case 'refused':
    case 'inDoubt':
      return { kind, reason }
    default:
      return unreachable(kind)
  }
}

/** What a status says, where the action does not say otherwise. */
export function meaningOf({ status, retryAfterMs }: { status: number; retryAfterMs?: number }): OutcomeKind {
  if (status >= 200 && status < 300) return 'applied'
  if (status === 401 || status === 408 || status === 425 || status === 429) return 'deferred'
  if (status === 503 && retryAfterMs !== undefined) return 'deferred'
  return status >= 500 ? 'inDoubt' : 'refused'
}

function readOutput(reply: { status: number; body: unknown }, read: (body: unknown) => unknown): Outcome {
  try {
    return { kind: 'applied', output: read(reply.body) }
  } catch (error) {
    // The reader's words may quote the partner's data; the status is enough to find the answer in the partner's log.
    const why = error instanceof SagaError ? error.what : 'the answer is not what the action declares'
    return { kind: 'inDoubt', reason: `HTTP ${reply.status}, but ${why}` }
  }
}

/** The common shapes of error bodies: OData and many APIs, RFC 9457, plain. Only code and message are taken, never the whole body. */
function reasonOf({ status, body }: { status: number; body: unknown }): string {
  const error = memberOf(body, 'error') ?? body
  const said = [memberOf(error, 'code'), memberOf(error, 'message') ?? memberOf(error, 'title')]
    .filter((text) => typeof text === 'string' && text !== '')
    .join(': ')
  return said === '' ? `HTTP ${status}` : `HTTP ${status} ${said}`
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
