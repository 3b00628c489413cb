// The inbox: what needs somebody, grouped by its cause.

import type { Answers, Cause } from '../answers.mjs'
import { get } from '../api.mjs'
import { sayToMany } from '../bulk.mjs'
import { type Child, h } from '../dom.mjs'
import { follow } from '../live.mjs'
import { badge, phasesInOrder, toneOf } from '../phases.mjs'
import { hrefOf } from '../router.mjs'
import { ago, since } from '../time.mjs'
import { Asked, empty, heading, type Page, type View } from '../view.mjs'

export function inboxView(page: Page): View {
  const causes = new Asked(page, () => get('causes', 'sagas/causes'))
  const counts = new Asked(page, () => get('counts', 'sagas/counts'))
  const load = async () => (await Promise.all([causes.load(), counts.load()])).every(Boolean)
  return {
    title: 'Inbox',
    start() {
      void load()
      return follow('sagas/events', load)
    },
    render: () => [
      heading('Inbox'),
      counts.value && phaseBar(counts.value),
      causes.show(({ causes: all }) => {
        const [urgent, told] = [all.filter(needsSomebody), all.filter((cause) => !needsSomebody(cause))]
        return [
          urgent.length === 0
            ? empty(
                'Nothing needs you',
                'Sagas that are held, owe an undo or wait for a partner stand here, grouped by why.',
              )
            : list('Needs somebody', urgent, page),
          told.length > 0 && list('Undone by themselves', told, page),
        ]
      }),
    ],
  }
}

const needsSomebody = ({ kind }: Cause) => kind !== 'compensated'

/** How many sagas are in each phase, as one bar and as words that lead there. */
function phaseBar({ byPhase, total }: Answers['counts']): Child {
  const there = phasesInOrder.map((phase) => ({ phase, count: byPhase[phase] ?? 0 })).filter(({ count }) => count > 0)
  if (total === 0) return undefined
  return h(
    'nav',
    { class: 'phase-bar', 'aria-label': 'Sagas by phase' },
    h(
      'div',
      { class: 'bar', 'aria-hidden': 'true' },
      ...there.map(({ phase, count }) => {
        const part = h('i', { key: phase, class: toneOf(phase) })
        part.style.flexGrow = String(Math.max(count, total / 120))
        return part
      }),
    ),
    h(
      'ul',
      {},
      ...there.map(({ phase, count }) =>
        h(
          'li',
          { key: phase },
          h('a', { href: hrefOf(['sagas'], { phase }) }, badge(phase), h('b', {}, count.toLocaleString())),
        ),
      ),
    ),
  )
}

const list = (label: string, causes: readonly Cause[], page: Page) =>
  h(
    'section',
    { key: label, 'aria-label': label },
    h('h2', {}, label),
    h('ol', { class: 'causes rows' }, ...causes.map((cause) => oneCause(cause, page))),
  )

function oneCause(
  { cause, kind, saga, step, partner, what, reason, count, oldest, newest, sample }: Cause,
  page: Page,
): Child {
  const [first] = sample
  const isAlone = count === 1 && first !== undefined
  const href = isAlone ? hrefOf(['sagas', first]) : hrefOf(['sagas'], { cause })
  return h(
    'li',
    { key: cause },
    h('span', { class: 'count' }, count.toLocaleString()),
    h(
      'div',
      {},
      h('p', { class: 'reason' }, h('a', { href }, reason)),
      h(
        'p',
        { class: 'quiet' },
        badge(kind),
        ` ${what === 'undo' ? 'undo of ' : ''}${step ?? 'the whole'} in ${saga}`,
        partner !== undefined && [' · ', h('a', { href: hrefOf(['partners']) }, partner)],
      ),
    ),
    h('div', { class: 'age' }, h('span', {}, since(oldest)), h('span', { class: 'quiet' }, 'newest ', ago(newest))),
    h(
      'div',
      { class: 'acts' },
      (kind === 'held' || kind === 'waiting') &&
        h(
          'button',
          { type: 'button', onclick: () => void sayToMany(page, { command: 'retry', filter: { cause }, count }) },
          count === 1 ? 'Retry' : 'Retry all',
        ),
    ),
  )
}
