// A plan: the calls that a command comes to if all goes well, as they were shown to whoever gave it. What the saga then does is held against it.
//
// Promise: no call is made that the plan does not have, in another order, or with other values; but for the same call once more, and probes of it,
// which change nothing.

import { digestOf } from './mark.js'
import type { Ask, Next } from './next.js'

/** One call of a plan: `do register 5f3a9c1e`. */
export interface PlannedCall {
  readonly what: Ask['what']
  readonly step: string
  /** Of key and values; `?` when they hang on an answer that is not there yet. */
  readonly digest: string
  /** Whether it is needed hangs on such an answer. */
  readonly isPerhaps: boolean
}

/** Where a saga stands in its plan. */
export interface Plan {
  readonly left: readonly string[]
  readonly made: readonly string[]
}

export const planOf = (calls: readonly string[]): Plan => ({ left: calls, made: [] })

export const writePlanned = ({ what, step, digest, isPerhaps }: PlannedCall) =>
  `${what} ${step} ${digest}${isPerhaps ? ' perhaps' : ''}`

export function readPlanned(text: string): PlannedCall {
  const [what, step = '', digest = '?', perhaps] = text.split(' ')
  return { what: what === 'undo' || what === 'probe' ? what : 'do', step, digest, isPerhaps: perhaps === 'perhaps' }
}

export const digestOfAsk = (ask: Ask) => digestOf([ask.key, ask.what === 'undo' ? ask.done : ask.input])

/** What is asked now and was not being asked before. */
export function newIn(before: Next, after: Next): readonly Ask[] {
  if (after.kind !== 'ask') return []
  const underWay = new Set(before.kind === 'ask' ? before.asks.map(attemptIn) : [])
  return after.asks.filter((ask) => !underWay.has(attemptIn(ask)))
}

/** The plan after these calls, or why they depart from it. */
export function asPlanned(plan: Plan, asks: readonly Ask[]): { readonly plan: Plan; readonly departure?: string } {
  let { left } = plan
  const made = [...plan.made]
  for (const ask of asks) {
    const call = callIn(ask)
    if (made.includes(call) || (ask.what === 'probe' && made.includes(`do ${ask.step}`))) continue
    const at = left.findIndex((text) => callIn(readPlanned(text)) === call || !readPlanned(text).isPerhaps)
    const planned = at < 0 ? undefined : readPlanned(left[at] ?? '')
    if (!planned) return { plan, departure: `'${call}' would be asked, and nothing more is in the plan` }
    if (callIn(planned) !== call)
      return { plan, departure: `'${call}' would be asked, where the plan has '${callIn(planned)}'` }
    if (planned.digest !== '?' && planned.digest !== digestOfAsk(ask))
      return { plan, departure: `'${call}' would be asked with other values than in the plan` }
    left = left.slice(at + 1)
    made.push(call)
  }
  return { plan: { left, made } }
}

const callIn = ({ what, step }: Pick<Ask, 'what' | 'step'>) => `${what} ${step}`
const attemptIn = (ask: Ask) => `${callIn(ask)} ${ask.attempt}`
