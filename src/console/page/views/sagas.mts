// Sagas found by anything: words, phase, definition, partner, row, time, cause. The filter is the address, so that it can be kept and sent.

import type { Answers, SagaStatus } from '../answers.mjs'
import { get } from '../api.mjs'
import { sayToMany } from '../bulk.mjs'
import { textOf } from '../dialog.mjs'
import { type Child, h } from '../dom.mjs'
import { follow } from '../live.mjs'
import { badge, phasesInOrder } from '../phases.mjs'
import { go, hrefOf, searchOf } from '../router.mjs'
import { ago, lasting } from '../time.mjs'
import { Asked, empty, heading, type Page, table, type View } from '../view.mjs'

const filterNames = ['text', 'saga', 'phase', 'partner', 'table', 'rowId', 'since', 'until', 'cause', 'prefix'] as const
type Filter = Partial<Record<(typeof filterNames)[number], string>>

export function sagasView(page: Page, query: URLSearchParams): View {
  const filter: Filter = Object.fromEntries(
    filterNames.flatMap((name) => (query.get(name) ? [[name, query.get(name) ?? '']] : [])),
  )
  /** Of the pages that were asked for; the first has none. */
  let tokens: readonly (string | undefined)[] = [undefined]
  const list = new Asked(page, async () => {
    const pages = []
    for (const token of tokens) pages.push(await get('sagas', `sagas${searchOf({ ...filter, limit: '50', token })}`))
    return { sagas: pages.flatMap(({ sagas }) => sagas), next: pages.at(-1)?.next }
  })
  const counts = new Asked(page, () => get('counts', `sagas/counts${searchOf({ ...filter, phase: undefined })}`))
  const definitions = new Asked(page, () => get('definitions', 'definitions'))
  const load = async () => (await Promise.all([list.load(), counts.load()])).every(Boolean)
  const narrow = (change: Filter) => go(hrefOf(['sagas'], { ...filter, ...change }))

  return {
    title: 'Sagas',
    start() {
      void load()
      void definitions.load()
      return follow(`sagas/events${searchOf(filter)}`, load)
    },
    render: () => [
      heading('Sagas', manyActs()),
      phases(counts.value, filter),
      filters(filter, definitions.value?.definitions ?? [], narrow),
      list.show(({ sagas, next }) => [
        sagas.length === 0
          ? empty(
              'Nothing matches',
              'Widen the filter, or ',
              h('a', { href: hrefOf(['sagas']) }, 'show all sagas'),
              '.',
            )
          : table(`${sagas.length} sagas, newest first`, columns, sagas, ({ id }) => id),
        next !== undefined &&
          h(
            'button',
            {
              type: 'button',
              onclick: () => {
                tokens = [...tokens, next]
                void list.load()
              },
            },
            'Show more',
          ),
      ]),
    ],
  }

  function manyActs(): Child {
    const { phase } = filter
    const isNarrow = phase !== undefined && phase !== 'open'
    const all = Object.entries(counts.value?.byPhase ?? {})
    const count = all.filter(([name]) => phase?.split(',').includes(name)).reduce((sum, [, one]) => sum + one, 0)
    if (!isNarrow || count === 0 || !/held|waiting/.test(phase)) return undefined
    return h(
      'button',
      { type: 'button', onclick: () => void sayToMany(page, { command: 'retry', filter, count }) },
      `Retry all ${count.toLocaleString()}`,
    )
  }
}

function phases(counts: Answers['counts'] | undefined, filter: Filter): Child {
  const open = { held: 0, waiting: 0, compensating: 0, running: 0, pending: 0, ...counts?.byPhase }
  const link = (phase: string | undefined, words: Child, count: number | undefined) =>
    h(
      'li',
      { key: phase ?? 'all' },
      h(
        'a',
        { href: hrefOf(['sagas'], { ...filter, phase }), 'aria-current': filter.phase === phase ? 'true' : null },
        words,
        h('b', {}, count?.toLocaleString() ?? ''),
      ),
    )
  return h(
    'nav',
    { class: 'phase-bar', 'aria-label': 'Phases' },
    h(
      'ul',
      {},
      link(undefined, 'all', counts?.total),
      link('open', 'open', counts && open.held + open.waiting + open.compensating + open.running + open.pending),
      ...phasesInOrder
        .filter((phase) => counts?.byPhase[phase] || filter.phase === phase)
        .map((phase) => link(phase, badge(phase), counts?.byPhase[phase] ?? 0)),
    ),
  )
}

const hour = 3_600_000
const times: Readonly<Record<string, number>> = {
  'the last hour': hour,
  'the last day': 24 * hour,
  'the last week': 168 * hour,
}

function filters(filter: Filter, definitions: Answers['definitions']['definitions'], narrow: (change: Filter) => void) {
  const partners = [...new Set(definitions.flatMap(({ steps }) => steps.map(({ partner }) => partner)))]
  const sagas = [...new Set(definitions.map(({ saga }) => saga))]
  const choice = (label: string, name: 'saga' | 'partner', all: readonly string[]) =>
    h(
      'select',
      { 'aria-label': label, key: name, onchange: (event) => narrow({ [name]: textOf(event) }) },
      h('option', { value: '' }, `any ${name}`),
      ...[...new Set([...all, filter[name] ?? ''])]
        .filter((one) => one !== '')
        .map((one) => h('option', { key: one, value: one, selected: one === filter[name] }, one)),
    )
  return h(
    'form',
    { class: 'filters', role: 'search', 'aria-label': 'Filter', onsubmit: (event) => event.preventDefault() },
    h('input', {
      type: 'search',
      'aria-label': 'Words in id or reason',
      placeholder: 'id, row, or words of a reason',
      value: filter.text ?? '',
      onchange: (event) => narrow({ text: textOf(event) }),
    }),
    choice('Saga', 'saga', sagas),
    choice('Partner', 'partner', partners),
    h(
      'select',
      {
        'aria-label': 'Started',
        onchange: (event) => {
          const length = times[textOf(event)]
          narrow({ since: length === undefined ? '' : new Date(Date.now() - length).toISOString() })
        },
      },
      h('option', { value: '' }, 'at any time'),
      ...Object.keys(times).map((words) => h('option', { key: words, value: words }, words)),
      filter.since &&
        h('option', { key: 'since', value: 'kept', selected: true }, `since ${filter.since.slice(0, 16)}Z`),
    ),
    ...(['cause', 'table', 'rowId', 'prefix', 'until'] as const)
      .filter((name) => filter[name])
      .map((name) =>
        h(
          'button',
          { type: 'button', class: 'plain', key: name, onclick: () => narrow({ [name]: '' }) },
          `${name === 'cause' ? 'one cause' : `${name} ${filter[name]}`} ×`,
        ),
      ),
  )
}

const columns = [
  { head: 'Phase', cell: ({ phase }: SagaStatus) => badge(phase) },
  {
    head: 'Saga',
    cell: ({ id, saga, version, table: name, rowId }: SagaStatus) => [
      h('a', { href: hrefOf(['sagas', id]) }, saga),
      h('span', { class: 'faint' }, ` v${version}`),
      h('div', { class: 'id quiet' }, `${name} ${rowId}`),
    ],
  },
  { head: 'Steps', class: 'wide', cell: stepsOf },
  {
    head: 'Where it stands',
    class: 'grow',
    cell: (saga: SagaStatus) => h('span', { class: 'two-lines' }, wordsOf(saga)),
  },
  { head: 'Started', class: 'number', cell: ({ startedAt }: SagaStatus) => ago(startedAt) },
  {
    head: 'Took',
    class: 'number',
    cell: ({ startedAt, endedAt }: SagaStatus) =>
      endedAt === undefined ? '' : lasting(Date.parse(endedAt) - Date.parse(startedAt)),
  },
]

/** One mark for each step: its outcome, or that of its undo. */
function stepsOf({ steps }: SagaStatus): Child {
  const done = steps.filter(({ outcome }) => outcome === 'applied' || outcome === 'skipped').length
  const undone = steps.filter(({ undo }) => undo?.outcome === 'applied').length
  return h(
    'span',
    {
      class: 'pips',
      role: 'img',
      'aria-label': `${done} of ${steps.length} done${undone > 0 ? `, ${undone} undone` : ''}`,
    },
    ...steps.map(({ outcome, undo }) => h('i', { class: undo?.outcome === 'applied' ? 'undone' : outcome })),
  )
}

function wordsOf({ waitsFor, undoneBecause, steps, owed, mergedInto }: SagaStatus): string {
  if (waitsFor) return waitsFor.why
  const [debt] = owed
  if (debt) return `${debt.partner} still holds ${debt.step}: ${debt.reason}`
  if (undoneBecause !== undefined) return undoneBecause
  if (mergedInto !== undefined) return `done by ${mergedInto}`
  const asked = steps.find(({ outcome, startedAt }) => outcome === 'pending' && startedAt !== undefined)
  return asked ? `asks ${asked.partner}: ${asked.action}` : ''
}
