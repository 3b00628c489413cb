// Asks a partner one thing, once, and reports what may be believed.

import type { InvocationContext } from '@azure/functions'
import { actionNamed } from '../app/index.js'
import { outcomeOf } from '../partner/classify.js'
import { send } from '../partner/http.js'
import type { Ask } from '../saga/machine.js'
import type { Outcome } from '../saga/outcome.js'
import { addressIn } from '../settings.js'

export async function askPartner(ask: Ask, context: Pick<InvocationContext, 'log'>): Promise<Outcome> {
  const { partner, action } = actionNamed(ask.partner, ask.action)
  const request = ask.what === 'do' ? action.requestFor(ask.input) : action.undoRequestFor(ask.done)
  const reply = await send(addressIn(partner.addressSetting), request, {
    'idempotency-key': ask.key,
  })
  const read = (body: unknown) => (ask.what === 'do' ? action.readOutput(body) : undefined)
  const outcome = outcomeOf(reply, action.meaningsOf(ask.what), read)
  context.log(`${ask.key} attempt ${ask.attempt}: ${ask.partner}.${ask.action} ${ask.what} → ${outcome.kind}`)
  return outcome
}
