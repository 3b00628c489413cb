// Every registered saga, drawn, with how many instances live under each version: what may be taken out of the code, and what not yet.

import type { Definition, DefinedStep } from '../answers.mjs'
import { get } from '../api.mjs'
import { h } from '../dom.mjs'
import { drawing } from '../drawing.mjs'
import { hrefOf } from '../router.mjs'
import { lasting } from '../time.mjs'
import { Asked, empty, heading, type Page, table, type View } from '../view.mjs'

export function definitionsView(page: Page): View {
  const definitions = new Asked(page, () => get('definitions', 'definitions'))
  return {
    title: 'Definitions',
    start() {
      void definitions.load()
      return () => undefined
    },
    render: () => [
      heading('Definitions'),
      definitions.show(({ definitions: all }) =>
        all.length === 0 ? empty('No saga is registered', 'Sagas stand in src/app/index.ts.') : all.map(oneDefinition),
      ),
    ],
  }
}

const oneDefinition = (definition: Definition) => {
  const { saga, version, on, lane, deadline, steps, running, ended } = definition
  const facts = [
    `on ${on.message.join(' or ')} of ${on.table}`,
    on.columns && `when ${on.columns.join(', ')} change`,
    lane && 'one at a time for each row',
    deadline !== undefined && `within ${lasting(deadline)}`,
  ].filter(Boolean)
  return h(
    'section',
    { class: 'definition', key: `${saga} ${version}`, 'aria-label': `${saga} version ${version}` },
    h(
      'header',
      { class: 'group' },
      h('h2', {}, saga, h('span', { class: 'faint' }, ` v${version}`)),
      h(
        'p',
        {},
        h('a', { href: hrefOf(['sagas'], { saga, phase: 'open' }) }, h('b', {}, running.toLocaleString()), ' running'),
        h('span', { class: 'quiet' }, ` · ${ended.toLocaleString()} ended`),
      ),
    ),
    h('p', { class: 'quiet' }, facts.join(' · ')),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${saga} drawn` }, drawing(definition)),
    h(
      'details',
      {},
      h('summary', {}, 'Steps in words'),
      table(`Steps of ${saga}`, columns, steps, ({ name }) => name),
    ),
  )
}

const columns = [
  {
    head: 'Step',
    cell: ({ name, kind }: DefinedStep) => [
      h('strong', {}, name),
      kind === 'step' ? '' : h('span', { class: 'tag' }, kind),
    ],
  },
  { head: 'Asks', cell: ({ partner, action }: DefinedStep) => `${partner}: ${action}` },
  {
    head: 'Undo',
    cell: ({ undo }: DefinedStep) => ({ yes: 'yes', irreversible: 'can not be undone', none: 'needs none' })[undo],
  },
  { head: 'When it fails', class: 'grow', cell: ({ retry }: DefinedStep) => retry },
]
