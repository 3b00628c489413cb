// Asks a partner one thing, once, and reports what may be believed.

import type { InvocationContext } from '@azure/functions'
import { actionNamed } from '../app/index.js'
import { gatewayTo } from '../gateways.js'
import { callbackToken } from '../partner/callback-token.js'
import { outcomeOf, type Reply } from '../partner/classify.js'
import type { Gateway } from '../partner/gateway.js'
import type { AnyAction, PartnerRequest, StatusMeanings } from '../saga/action.js'
import { SagaError } from '../saga/errors.js'
import { markOf } from '../saga/mark.js'
import { withoutTexts } from '../saga/masking.js'
import type { Ask } from '../saga/next.js'
import type { Outcome } from '../saga/outcome.js'
import { requestOf, withoutRequest } from '../saga/request.js'
import { checkSize } from '../saga/size.js'
import type { Traced } from '../saga/traced.js'
import { readSecret } from '../secrets.js'
import { addressIn, hasCallbacks } from '../settings.js'
import { type Attempt, beginAttempt } from '../telemetry/saga-telemetry.js'

/** The outcome, with the mark of what was asked. */
export type Answer = Outcome & { readonly of: string }

/** Never rejects: an orchestration would fail by it, with effects at partners that nobody undoes. */
export async function askPartner(
  { traced, ...ask }: Ask & { readonly traced?: Traced },
  context: Pick<InvocationContext, 'log'>,
): Promise<Answer> {
  const attempt = beginAttempt(ask, traced)
  const outcome = await outcomeOfAsking(ask, attempt)
  attempt?.ended(outcome)
  context.log(`${ask.key} ${ask.what} ${ask.attempt}: ${ask.partner}.${ask.action} → ${outcome.kind}`)
  return { of: markOf(ask), ...outcome }
}

async function outcomeOfAsking(ask: Ask, attempt: Attempt | undefined): Promise<Outcome> {
  let gateway: Gateway
  let action: AnyAction
  let request: PartnerRequest
  try {
    const found = actionNamed(ask.partner, ask.action)
    action = found.action
    gateway = gatewayTo(found.partner)
    request = requestOf(ask, action, await callbackFor(action, ask.key))
  } catch (error) {
    return unsent(ask, error)
  }
  const reply = await gateway.ask(request, { 'idempotency-key': ask.key, ...attempt?.headers })
  if (!('parked' in reply)) attempt?.called(request.method, 'status' in reply ? reply.status : undefined)
  const read = (body: unknown) => checkSize('output', action.readOutput(body))
  const meanings = action.meaningsOf(ask.what)
  const outcome = outcomeOf(reply, meanings, bringsOutput(ask, action, reply) ? read : nothing)
  return withoutValuesOf(ask, ask.what === 'probe' ? asTold(outcome, reply, meanings) : outcome)
}

/** Whoever was not let in, or asked in a wrong way, learns nothing of the call: only what is declared to say so says that it was not applied. */
function asTold(outcome: Outcome, reply: Reply, meanings: StatusMeanings): Outcome {
  const isSaid = 'status' in reply && meanings[reply.status] === 'refused'
  return outcome.kind === 'refused' && !isSaid ? { kind: 'inDoubt', reason: outcome.reason } : outcome
}

/** A reason goes into status, logs and notices: what the partner quotes of the request stays out of it. */
function withoutValuesOf(ask: Ask, outcome: Outcome): Outcome {
  if (outcome.kind === 'applied') return outcome
  return { ...outcome, reason: withoutTexts(outcome.reason, ask.what === 'undo' ? ask.done : ask.input) }
}

const nothing = () => undefined

/** For an undo, and with an answer that comes later, what the body says does not matter. */
function bringsOutput({ what }: Ask, action: AnyAction, reply: Reply): boolean {
  if (what === 'undo') return false
  if (what === 'probe' || action.answeredWithin === undefined) return true
  return action.mayAnswerAtOnce && 'status' in reply && reply.status !== 202 && reply.body !== undefined
}

/** Nothing was sent. What a deployment can mend is worth another try; what the step was given is not. */
function unsent(ask: Ask, error: unknown): Outcome {
  if (error instanceof SagaError) return { kind: 'deferred', reason: `${error.code}: ${error.what}` }
  // The words of the error may quote the values.
  return withoutRequest(ask)
}

/** Empty where nothing is answered later. @throws SagaError `SETTING_MISSING`, `SETTING_MALFORMED`, `SECRET_UNREADABLE` */
async function callbackFor({ answeredWithin, mayAnswerAtOnce }: AnyAction, key: Ask['key']): Promise<string> {
  if (answeredWithin === undefined || (mayAnswerAtOnce && !hasCallbacks())) return ''
  return `${addressIn('CALLBACK_URL')}/api/callbacks/${callbackToken(key, await readSecret('CALLBACK_SECRET'))}`
}
