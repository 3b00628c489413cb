// What an ask asks its partner: made by the action, of what the ask carries and nothing else.

import type { AnyAction, PartnerRequest } from './action.js'
import type { Ask } from './next.js'
import type { Outcome } from './outcome.js'
import { unreachable } from './unreachable.js'

/** @param callback where the partner may post its answer later. @throws what the action's mapping or readers throw */
export function requestOf(ask: Ask, action: AnyAction, callback = ''): PartnerRequest {
  switch (ask.what) {
    case 'do':
      return action.requestFor(ask.input, callback)
    case 'undo':
      return action.undoRequestFor(ask.done)
    case 'probe':
      return action.probeRequestFor({ input: ask.input, key: ask.key })
    default:
      return unreachable(ask)
  }
}

/**
 * What it comes to when none can be made. The step was given what it can't use: that is refused. But where the partner may have done something already, no
 * one has said no: what an earlier attempt has done, or a probe would tell, is as open as it was.
 */
export function withoutRequest({ what, attempt }: Ask): Outcome {
  const isOpen = what === 'probe' || (what === 'do' && attempt > 1)
  return { kind: isOpen ? 'deferred' : 'refused', reason: 'the request can not be made of what the step was given' }
}
