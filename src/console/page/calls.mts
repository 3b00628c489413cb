// Every call of a saga with what was sent and what came back; values that a role does not see are masked, and an Admin may reveal them, with a reason.

import type { Call } from './answers.mjs'
import { type Child, h } from './dom.mjs'
import { jsonOf } from './json.mjs'
import { badge } from './phases.mjs'
import { lasting, when } from './time.mjs'
import { empty } from './view.mjs'

interface Calls {
  readonly calls: readonly Call[]
  readonly isCut: boolean
  readonly masked: boolean
  readonly step: string | undefined
  /** Nothing for those who may not. */
  readonly reveal: (() => void) | undefined
  readonly showAll: () => void
}

export function callList({ calls, isCut, masked, step, reveal, showAll }: Calls): Child {
  const shown = calls.filter((call) => step === undefined || call.step === step).toReversed()
  return h(
    'section',
    { class: 'calls', 'aria-labelledby': 'calls-title' },
    h(
      'header',
      {},
      h('h2', { id: 'calls-title' }, step === undefined ? 'Calls' : `Calls of ${step}`),
      step !== undefined && h('button', { type: 'button', class: 'plain', onclick: showAll }, 'Show all steps'),
      masked && reveal && h('button', { type: 'button', class: 'plain', onclick: reveal }, 'Reveal values…'),
    ),
    masked && h('p', { class: 'quiet' }, 'Values of rows, requests and answers are masked. A reveal is logged.'),
    isCut && h('p', { class: 'quiet' }, 'It has lived long: its first calls are not kept any more.'),
    shown.length === 0
      ? empty('Nothing was asked yet', 'Calls stand here with request, answer and error as soon as there are any.')
      : h('ol', { class: 'call-list' }, ...shown.map(oneCall)),
  )
}

function oneCall(call: Call): Child {
  const { step, what, attempt, at, endedAt, outcome, input, output, reason } = call
  const name = what === 'do' ? step : `${what} ${step}`
  return h(
    'li',
    { key: `${step}:${what}:${attempt}:${at}` },
    h(
      'details',
      {},
      h(
        'summary',
        {},
        h('strong', {}, name),
        h('span', { class: 'quiet' }, `attempt ${attempt}`),
        badge(outcome === 'asking' ? 'running' : outcome, outcome === 'asking' ? 'asking' : undefined),
        h(
          'span',
          { class: 'quiet end' },
          when(at),
          endedAt !== undefined && ` · ${lasting(Date.parse(endedAt) - Date.parse(at))}`,
        ),
        reason !== undefined && h('span', { class: 'why' }, reason),
      ),
      h(
        'div',
        { class: 'exchange' },
        h('div', {}, h('h3', {}, 'Request'), jsonOf(input, `Request of ${name}, attempt ${attempt}`)),
        h(
          'div',
          {},
          h('h3', {}, 'Answer'),
          output === undefined
            ? h(
                'p',
                { class: reason === undefined ? 'quiet' : 'why' },
                reason ?? (endedAt === undefined ? 'None yet.' : 'It brings no value.'),
              )
            : jsonOf(output, `Answer to ${name}, attempt ${attempt}`),
        ),
      ),
    ),
  )
}
