// What an ask asks its partner: made by the action, of what the ask carries and nothing else.

import type { AnyAction, PartnerRequest } from './action.js'
import type { Ask } from './next.js'
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
