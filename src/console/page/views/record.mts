// One row of Dataverse: what each partner holds of it, and every saga that it had.

import { get } from '../api.mjs'
import { textOf } from '../dialog.mjs'
import { type Child, h } from '../dom.mjs'
import { follow } from '../live.mjs'
import { badge } from '../phases.mjs'
import { go, hrefOf, searchOf } from '../router.mjs'
import { ago, exactly } from '../time.mjs'
import { Asked, empty, heading, type Page, table, type View } from '../view.mjs'

export function recordView(page: Page, name: string | undefined, rowId: string | undefined): View {
  if (name === undefined || rowId === undefined)
    return { title: 'Records', start: () => () => undefined, render: () => [heading('Records'), lookUp('contact', '')] }
  const path = `records/${encodeURIComponent(name)}/${encodeURIComponent(rowId)}`
  const record = new Asked(page, () => get('record', path))
  const sagas = new Asked(page, () => get('sagas', `sagas${searchOf({ table: name, rowId, limit: '50' })}`))
  const load = async () => (await Promise.all([record.load(), sagas.load()])).every(Boolean)
  return {
    title: `${name} ${rowId}`,
    start() {
      void load()
      return follow(`sagas/events${searchOf({ table: name, rowId })}`, load)
    },
    render: () => [
      heading([`${name} `, h('span', { class: 'id' }, rowId)]),
      lookUp(name, rowId),
      record.show(({ partners }) =>
        partners.length === 0
          ? empty('No partner was asked anything about this row', 'Or its sagas are no longer kept.')
          : table(
              'What each partner holds',
              [
                { head: 'Partner', cell: (one) => h('strong', {}, one.partner) },
                { head: 'State', cell: (one) => badge(one.state) },
                { head: 'Since', cell: (one) => exactly(one.since) },
                {
                  head: 'By',
                  cell: (one) => [`${one.step} of ${one.saga} `, h('span', { class: 'faint' }, `v${one.version}`)],
                },
                {
                  head: 'Saga',
                  cell: (one) => h('a', { class: 'id', href: hrefOf(['sagas', one.instance]) }, short(one.instance)),
                },
              ],
              partners,
              (one) => `${one.partner} ${one.saga} ${one.step}`,
            ),
      ),
      h('h2', {}, 'Its sagas'),
      sagas.show(({ sagas: all }) =>
        all.length === 0
          ? empty('No saga has run for this row', 'Is the table right? It is the logical name, such as contact.')
          : table(
              'Sagas of this row',
              [
                { head: 'Phase', cell: (one) => badge(one.phase) },
                {
                  head: 'Saga',
                  cell: (one) => [
                    h('a', { href: hrefOf(['sagas', one.id]) }, one.saga),
                    ' ',
                    h('span', { class: 'id faint' }, short(one.id)),
                  ],
                },
                { head: 'Why', class: 'grow', cell: (one) => one.waitsFor?.why ?? one.undoneBecause ?? '' },
                { head: 'Started', class: 'number', cell: (one) => ago(one.startedAt) },
              ],
              all,
              ({ id }) => id,
            ),
      ),
    ],
  }
}

/** The part of an id that differs between the sagas of one row. */
const short = (id: string) => id.split(':').at(-1) ?? id

function lookUp(name: string, rowId: string): Child {
  let [wanted, row] = [name, rowId]
  return h(
    'form',
    {
      class: 'filters',
      role: 'search',
      'aria-label': 'A record',
      onsubmit: (event) => {
        event.preventDefault()
        if (wanted.trim() && row.trim()) go(hrefOf(['records', wanted.trim(), row.trim().toLowerCase()]))
      },
    },
    h('input', {
      'aria-label': 'Table',
      placeholder: 'table',
      value: name,
      oninput: (event) => (wanted = textOf(event)),
    }),
    h('input', {
      'aria-label': 'Row id',
      class: 'id grow',
      placeholder: 'row id',
      value: rowId,
      oninput: (event) => (row = textOf(event)),
    }),
    h('button', {}, 'Look up'),
  )
}
