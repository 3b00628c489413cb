// Who did what, why, with what effect, and what was refused; each entry is chained to the one before, and the log says whether the chain holds.

import type { Operation } from '../answers.mjs'
import { get } from '../api.mjs'
import { type Child, h } from '../dom.mjs'
import { jsonOf } from '../json.mjs'
import { badge } from '../phases.mjs'
import { hrefOf, searchOf } from '../router.mjs'
import { exactly } from '../time.mjs'
import { Asked, empty, heading, type Page, table, type View } from '../view.mjs'

const every = 5_000

export function operationsView(page: Page, query: URLSearchParams): View {
  const target = query.get('target') ?? undefined
  const log = new Asked(page, () => get('operations', `operations${searchOf({ target, limit: '100' })}`))
  return {
    title: 'Operations',
    start() {
      void log.load()
      const polling = window.setInterval(() => document.hidden || void log.load(), every)
      return () => clearInterval(polling)
    },
    render: () => [
      heading('Operations', log.value && chain(log.value.intact)),
      target !== undefined &&
        h(
          'p',
          { class: 'quiet' },
          'Of ',
          h('span', { class: 'id' }, target),
          ' only. ',
          h('a', { href: hrefOf(['operations']) }, 'Show all'),
        ),
      log.show(({ operations, next }) =>
        operations.length === 0
          ? empty('Nobody has done anything yet', 'Commands, reveals, resubmits and refusals stand here for ever.')
          : [
              table('Operations, the latest first', columns, latestFirst(operations), ({ seq }) => String(seq)),
              next !== undefined && h('p', { class: 'quiet' }, 'There are older ones.'),
            ],
      ),
    ],
  }
}

const latestFirst = (operations: readonly Operation[]) => operations.toSorted((a, b) => b.seq - a.seq)

const chain = (isIntact: boolean): Child =>
  isIntact ? badge('closed', 'chain intact') : badge('open', 'chain broken: entries were changed')

const columns = [
  { head: 'When', class: 'straight', cell: ({ at }: Operation) => exactly(at) },
  { head: 'Who', cell: ({ actor, role }: Operation) => [actor, h('div', { class: 'faint' }, role)] },
  {
    head: 'What',
    cell: ({ what, refused }: Operation) => [
      h('strong', {}, what),
      refused !== undefined && h('div', { class: 'why' }, `refused: ${refused}`),
    ],
  },
  { head: 'Of', cell: targetOf },
  { head: 'Why', class: 'grow', cell: ({ reason }: Operation) => reason },
  { head: 'Effect', class: 'straight', cell: effectOf },
]

/** The id of a saga is told by its parts. */
function targetOf({ target }: Operation): Child {
  const [saga = '', name = '', row = '', event] = target.split(':')
  if (event === undefined) return h('span', { class: 'id' }, target)
  return [h('a', { href: hrefOf(['sagas', target]) }, saga), h('div', { class: 'id quiet' }, `${name} ${row}`)]
}

function effectOf({ seq, before, after, hash }: Operation): Child {
  return h(
    'details',
    {},
    h('summary', {}, `no. ${seq}`),
    before !== undefined && [h('h3', {}, 'Before'), jsonOf(before, `Before no. ${seq}`)],
    after !== undefined && [h('h3', {}, 'After'), jsonOf(after, `After no. ${seq}`)],
    h('p', { class: 'id faint' }, hash),
  )
}
