// Messages that could not be taken: why, what they were about, and the way back or out, each with a reason.

import type { DeadLetter } from '../answers.mjs'
import { get, post } from '../api.mjs'
import { resubmitMany } from '../bulk.mjs'
import { WhoAndWhy } from '../caller.mjs'
import { ask } from '../dialog.mjs'
import { type Child, h } from '../dom.mjs'
import { hrefOf, searchOf } from '../router.mjs'
import { ago, exactly } from '../time.mjs'
import { Asked, empty, heading, type Page, type View } from '../view.mjs'

const every = 5_000

export function deadLettersView(page: Page): View {
  const letters = new Asked(page, () => get('deadLetters', `dead-letters${searchOf({ limit: '100' })}`))
  const settle = async (letter: DeadLetter, how: 'resubmit' | 'discard') => {
    if (await askToSettle(letter, how)) page.say(how === 'resubmit' ? 'Resubmitted.' : 'Discarded.', 'good')
    await letters.load()
  }
  return {
    title: 'Dead letters',
    start() {
      void letters.load()
      const polling = window.setInterval(() => document.hidden || void letters.load(), every)
      return () => clearInterval(polling)
    },
    render: () => [
      heading('Dead letters'),
      letters.show(({ deadLetters, next }) =>
        deadLetters.length === 0
          ? empty('Every message was taken', 'What can not be read or routed comes here, unchanged, with a reason.')
          : [
              ...[...Map.groupBy(deadLetters, ({ code }) => code)].map(([code, own]) =>
                h(
                  'section',
                  { key: code, 'aria-label': code },
                  h(
                    'header',
                    { class: 'group' },
                    h('h2', {}, h('code', {}, code), h('span', { class: 'quiet' }, ` ${own.length}`)),
                    own.length > 1 &&
                      h('button', { type: 'button', onclick: () => void resubmitMany(page, { code }) }, 'Resubmit all'),
                  ),
                  h('ul', { class: 'letters rows' }, ...own.map((letter) => oneLetter(letter, settle))),
                ),
              ),
              next !== undefined && h('p', { class: 'quiet' }, 'There are more than are shown.'),
            ],
      ),
    ],
  }
}

const oneLetter = (letter: DeadLetter, settle: (letter: DeadLetter, how: 'resubmit' | 'discard') => Promise<void>) =>
  h(
    'li',
    { key: `${letter.queue}:${letter.sequenceNumber}` },
    h(
      'div',
      {},
      h('p', { class: 'reason' }, letter.description),
      h(
        'p',
        { class: 'quiet' },
        `${letter.queue} no. ${letter.sequenceNumber} · `,
        ago(letter.enqueuedAt),
        ` · ${letter.size.toLocaleString()} bytes · delivered ${letter.deliveryCount}×`,
      ),
      about(letter),
    ),
    h(
      'div',
      { class: 'acts' },
      h('button', { type: 'button', onclick: () => void settle(letter, 'resubmit') }, 'Resubmit'),
      h('button', { type: 'button', class: 'dangerous', onclick: () => void settle(letter, 'discard') }, 'Discard'),
    ),
  )

function about({ event, lineage, messageId }: DeadLetter): Child {
  return [
    event &&
      h(
        'p',
        {},
        `${event.message} of `,
        h('a', { class: 'id', href: hrefOf(['records', event.table, event.rowId]) }, `${event.table} ${event.rowId}`),
      ),
    lineage &&
      h('p', { class: 'quiet' }, `Resubmitted ${lineage.resubmits}× before; it came of message ${lineage.from}.`),
    !event && h('p', { class: 'quiet' }, 'Its body can not be read. Message ', h('span', { class: 'id' }, messageId)),
  ]
}

async function askToSettle(letter: DeadLetter, how: 'resubmit' | 'discard'): Promise<boolean> {
  const who = new WhoAndWhy()
  const done = await ask({
    title: how === 'resubmit' ? 'Resubmit this message' : 'Discard this message',
    act: how === 'resubmit' ? 'Resubmit' : 'Discard',
    isDangerous: how === 'discard',
    objection: () => who.objection(),
    render: (draw) => [
      h(
        'p',
        {},
        how === 'resubmit'
          ? 'It goes to the end of its queue, byte for byte, and this one is removed.'
          : 'It is removed for good: nothing is started for it.',
      ),
      h('p', { class: 'quiet' }, `${letter.code}, of `, exactly(letter.enqueuedAt)),
      who.fields(draw),
    ],
    async submit() {
      const path = `dead-letters/${encodeURIComponent(letter.sequenceNumber)}/${how}${searchOf({ queue: letter.queue })}`
      await post('done', path, who.body())
      return true
    },
  })
  return done === true
}
