// Every partner: whether it answers, how much it is asked and what waits for it, and which sagas it keeps from ending well.

import type { PartnerState } from '../answers.mjs'
import { get } from '../api.mjs'
import { type Child, h } from '../dom.mjs'
import { badge } from '../phases.mjs'
import { hrefOf } from '../router.mjs'
import { Asked, empty, heading, type Page, type View } from '../view.mjs'

const every = 3_000

export function partnersView(page: Page): View {
  const partners = new Asked(page, () => get('partners', 'partners'))
  return {
    title: 'Partners',
    start() {
      void partners.load()
      const polling = window.setInterval(() => document.hidden || void partners.load(), every)
      return () => clearInterval(polling)
    },
    render: () => [
      heading('Partners', h('span', { class: 'quiet' }, 'breaker, line and rate are those of the worker that answers')),
      partners.show(({ partners: all }) =>
        all.length === 0
          ? empty('No partner is declared', 'Partners stand in src/app/index.ts.')
          : h('ul', { class: 'board' }, ...all.map(onePartner)),
      ),
    ],
  }
}

const onePartner = (one: PartnerState) =>
  h(
    'li',
    { key: one.partner },
    h('header', {}, h('h2', {}, one.partner), badge(one.breaker)),
    h('p', { class: 'id quiet' }, one.address || 'its address is not set'),
    h(
      'dl',
      { class: 'figures' },
      figure(
        'rate',
        one.rate < 10 ? one.rate.toFixed(1) : Math.round(one.rate),
        gauge(one.rate, one.limits.perSecond, 'in a second'),
      ),
      figure('under way', one.inFlight, gauge(one.inFlight, one.limits.concurrency, 'at once')),
      figure('in line', one.waiting),
    ),
    h(
      'ul',
      { class: 'troubles' },
      trouble('held', one.held, hrefOf(['sagas'], { partner: one.partner, phase: 'held' })),
      trouble('owed', one.debts, hrefOf(['sagas'], { partner: one.partner, phase: 'held,compensating,indebted' })),
      trouble('inDoubt', one.doubts, hrefOf(['sagas'], { partner: one.partner, phase: 'open' })),
    ),
    h('p', { class: 'quiet' }, one.actions.join(', ')),
  )

const figure = (name: string, value: Child, beside?: Child) =>
  h('div', {}, h('dt', {}, name), h('dd', {}, h('b', {}, value), beside))

function gauge(value: number, most: number | undefined, unit: string): Child {
  if (most === undefined) return undefined
  const fill = h('i', {})
  fill.style.width = `${Math.min(100, (value / most) * 100)}%`
  return [
    h('span', { class: 'gauge', 'aria-hidden': 'true' }, fill),
    h('span', { class: 'faint' }, `of ${most} ${unit}`),
  ]
}

const trouble = (state: string, count: number, href: string) =>
  h(
    'li',
    {},
    count === 0
      ? h('span', { class: 'faint' }, `none ${state === 'inDoubt' ? 'in doubt' : state}`)
      : h('a', { href }, badge(state), h('b', {}, count.toLocaleString())),
  )
