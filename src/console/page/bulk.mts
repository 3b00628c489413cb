// The same word to many sagas: a durable job at the server, at a pace, never a loop in this tab.

import { post } from './api.mjs'
import { WhoAndWhy } from './caller.mjs'
import { words } from './commands.mjs'
import { ask, field, textOf } from './dialog.mjs'
import { h } from './dom.mjs'
import { go, hrefOf } from './router.mjs'
import type { Page } from './view.mjs'

interface Many {
  readonly command: string
  readonly filter: Readonly<Record<string, string>>
  /** As far as is known. */
  readonly count: number
}

export async function sayToMany(page: Page, { command, filter, count }: Many): Promise<void> {
  await start(page, {
    title: `${words[command]?.title ?? command}: ${count.toLocaleString()} ${count === 1 ? 'saga' : 'sagas'}`,
    note: 'Those that can not follow any more when their turn comes refuse, and are counted.',
    body: { command, filter },
  })
}

/** Dead letters of one reason, or all. */
export async function resubmitMany(page: Page, resubmit: Readonly<Record<string, string>>): Promise<void> {
  await start(page, {
    title: resubmit['code'] === undefined ? 'Resubmit all dead letters' : `Resubmit all of ${resubmit['code']}`,
    note: 'Bytes and properties are kept; what is refused again comes back here.',
    body: { resubmit },
  })
}

async function start(page: Page, { title, note, body }: { title: string; note: string; body: object }): Promise<void> {
  const who = new WhoAndWhy()
  let pace = '5'
  const objection = () => {
    const isPace = Number(pace) > 0 && Number(pace) <= 100
    return isPace ? who.objection() : 'The pace is from 0.1 to 100 in a second.'
  }
  const job = await ask({
    title,
    act: 'Begin',
    objection,
    render: (draw) => [
      h('p', {}, note),
      who.fields(draw),
      field(
        'How many in a second',
        h('input', {
          type: 'number',
          name: 'pace',
          min: '0.1',
          max: '100',
          step: 'any',
          value: pace,
          oninput: (event) => {
            pace = textOf(event)
            draw()
          },
        }),
        'It runs at the server and can be stopped; closing this page changes nothing.',
      ),
    ],
    submit: () => post('bulkStarted', 'bulk', { ...body, ...who.body(), perSecond: Number(pace) }),
  })
  if (!job) return
  page.say('The job has begun.', 'good')
  go(hrefOf(['bulk']))
}
