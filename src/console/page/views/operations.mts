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
              table('Operations, the latest first', columns, together(operations), ({ asked }) => asked.operation),
              next !== undefined && h('p', { class: 'quiet' }, 'There are older ones.'),
            ],
      ),
    ],
  }
}

/** What was asked and what came of it are two entries of the log, and one row here. */
interface Row {
  readonly asked: Operation
  readonly came: Operation
}

function together(operations: readonly Operation[]): Row[] {
  const bySeq = operations.toSorted((a, b) => a.seq - b.seq)
  return [...Map.groupBy(bySeq, ({ operation }) => operation).values()].toReversed().flatMap((entries) => {
    const [asked] = entries
    const came = entries.at(-1)
    return asked && came ? [{ asked, came }] : []
  })
}

const chain = (isIntact: boolean): Child =>
  isIntact ? badge('closed', 'chain intact') : badge('open', 'chain broken: entries were changed')

const columns = [
  { head: 'When', class: 'straight', cell: ({ asked }: Row) => exactly(asked.at) },
  { head: 'Who', cell: ({ asked }: Row) => [asked.actor, h('div', { class: 'faint' }, asked.role)] },
  {
    head: 'What',
    cell: ({ asked, came }: Row) => [
      h('strong', {}, asked.what),
      came.refused !== undefined && h('div', { class: 'why' }, `refused: ${came.refused}`),
    ],
  },
  { head: 'Of', cell: targetOf },
  { head: 'Why', class: 'grow', cell: ({ asked }: Row) => asked.reason },
  { head: 'Effect', class: 'straight', cell: effectOf },
]

/** The id of a saga is told by its parts. */
function targetOf({ asked: { target } }: Row): Child {
  const [, saga = '', name = '', row = ''] = /^([\w-]+):(\w+):([0-9a-f-]{36}):[0-9a-f]{20}$/.exec(target) ?? []
  if (saga !== '')
    return [h('a', { href: hrefOf(['sagas', target]) }, saga), h('div', { class: 'id quiet' }, `${name} ${row}`)]
  return target.startsWith('bulk:')
    ? h('a', { class: 'id', href: hrefOf(['bulk']) }, target)
    : h('span', { class: 'id' }, target)
}

function effectOf({ asked, came }: Row): Child {
  const numbers = asked === came ? `no. ${asked.seq}` : `no. ${asked.seq}, ${came.seq}`
  return h(
    'details',
    {},
    h('summary', {}, numbers),
    asked.before !== undefined && [h('h3', {}, 'Before'), jsonOf(asked.before, `Before ${numbers}`)],
    came.after !== undefined && [h('h3', {}, 'After'), jsonOf(came.after, `After ${numbers}`)],
    h('h3', {}, 'Hashes'),
    [...new Set([asked.hash, came.hash])].map((hash) => h('p', { class: 'id faint' }, hash)),
  )
}
