// Commands to many sagas, as jobs that the server works off: how far they are, what refused, and a way to stop.

import type { Job } from '../answers.mjs'
import { get, post } from '../api.mjs'
import { WhoAndWhy } from '../caller.mjs'
import { ask } from '../dialog.mjs'
import { type Child, h } from '../dom.mjs'
import { badge } from '../phases.mjs'
import { hrefOf } from '../router.mjs'
import { exactly } from '../time.mjs'
import { Asked, empty, heading, type Page, type View } from '../view.mjs'

const every = 1_500

export function bulkView(page: Page): View {
  const jobs = new Asked(page, () => get('jobs', 'bulk'))
  const stop = async (job: Job) => {
    if (await askToStop(job)) page.say('It stops after what is under way.', 'good')
    await jobs.load()
  }
  return {
    title: 'Bulk jobs',
    start() {
      void jobs.load()
      const polling = window.setInterval(() => document.hidden || void jobs.load(), every)
      return () => clearInterval(polling)
    },
    render: () => [
      heading('Bulk jobs'),
      jobs.show(({ jobs: all }) =>
        all.length === 0
          ? empty(
              'No bulk job yet',
              'Begin one from a group in the ',
              h('a', { href: hrefOf(['inbox']) }, 'inbox'),
              ', or from dead letters of one reason.',
            )
          : h('ul', { class: 'jobs rows' }, ...all.map((job) => oneJob(job, stop))),
      ),
    ],
  }
}

function oneJob(job: Job, stop: (job: Job) => Promise<void>): Child {
  const { id, command, actor, reason, state, total, done, refused, failed, failedCount, startedAt, endedAt } = job
  return h(
    'li',
    { key: id },
    h(
      'div',
      {},
      h('p', { class: 'reason' }, h('strong', {}, command), ` ${reason}`),
      h(
        'p',
        { class: 'quiet' },
        badge(state),
        ` ${actor} · `,
        exactly(startedAt),
        endedAt !== undefined && [' to ', exactly(endedAt)],
      ),
      h('progress', {
        max: Math.max(total, 1),
        value: done + refused + failedCount,
        'aria-label': `${command}: ${done} of ${total}`,
      }),
      h(
        'p',
        { class: 'quiet' },
        `${done.toLocaleString()} of ${total.toLocaleString()} done, ${refused.toLocaleString()} refused, ${failedCount.toLocaleString()} failed`,
      ),
      failed.length > 0 &&
        h(
          'details',
          {},
          h('summary', {}, 'What failed'),
          h(
            'ul',
            {},
            ...failed.map((one) =>
              h('li', { key: one.id }, h('a', { class: 'id', href: hrefOf(['sagas', one.id]) }, one.id), ` ${one.why}`),
            ),
          ),
        ),
    ),
    h(
      'div',
      { class: 'acts' },
      state === 'running' && h('button', { type: 'button', onclick: () => void stop(job) }, 'Stop'),
    ),
  )
}

async function askToStop({ id }: Job): Promise<boolean> {
  const who = new WhoAndWhy()
  const stopped = await ask({
    title: 'Stop this job',
    act: 'Stop',
    objection: () => who.objection(),
    render: (draw) => [h('p', {}, 'What it has done stays done.'), who.fields(draw)],
    async submit() {
      await post('done', `bulk/${encodeURIComponent(id)}/stop`, who.body())
      return true
    },
  })
  return stopped === true
}
