// The page around the views: where to go, what to look for, the keyboard, and which view is seen.

import { askKeyWith, get } from './api.mjs'
import { caller, callerIs } from './caller.mjs'
import { ask, field, textOf } from './dialog.mjs'
import { h, show } from './dom.mjs'
import { pressed, shortcuts } from './keyboard.mjs'
import { type Liveness, tellLiveness } from './live.mjs'
import { go, hrefOf, type Route, routeOf } from './router.mjs'
import { zoneName } from './time.mjs'
import type { Page, View } from './view.mjs'
import { bulkView } from './views/bulk.mjs'
import { deadLettersView } from './views/dead-letters.mjs'
import { definitionsView } from './views/definitions.mjs'
import { inboxView } from './views/inbox.mjs'
import { operationsView } from './views/operations.mjs'
import { partnersView } from './views/partners.mjs'
import { recordView } from './views/record.mjs'
import { sagasView } from './views/sagas.mjs'
import { sagaView } from './views/saga.mjs'

/** In the order of the menu; the letter after `g` leads there. */
const places = [
  { name: 'inbox', title: 'Inbox', key: 'i' },
  { name: 'sagas', title: 'Sagas', key: 's' },
  { name: 'records', title: 'Records', key: 'r' },
  { name: 'partners', title: 'Partners', key: 'p' },
  { name: 'dead-letters', title: 'Dead letters', key: 'd' },
  { name: 'definitions', title: 'Definitions', key: 'f' },
  { name: 'bulk', title: 'Bulk jobs', key: 'b' },
  { name: 'operations', title: 'Operations', key: 'o' },
] as const

function viewOf({ name, rest, query }: Route): View {
  const [first, second] = rest
  switch (name) {
    case 'sagas':
      return first === undefined ? sagasView(page, query) : sagaView(page, first)
    case 'records':
      return recordView(page, first, second)
    case 'partners':
      return partnersView(page)
    case 'dead-letters':
      return deadLettersView(page)
    case 'definitions':
      return definitionsView(page)
    case 'bulk':
      return bulkView(page)
    case 'operations':
      return operationsView(page, query)
    default:
      return inboxView(page)
  }
}

const place = (id: string) => {
  const found = document.getElementById(id)
  if (!found) throw new Error(`The page has no element '${id}'.`)
  return found
}
const main = place('main')
const rail = place('rail')
const corner = place('corner')

let route = routeOf(location.hash)
let liveness: Liveness | undefined
let isDue = false

const page: Page = {
  draw() {
    if (isDue) return
    isDue = true
    requestAnimationFrame(() => {
      isDue = false
      show(main, view.render())
    })
  },
  say(text, tone = 'good') {
    const said = h('p', { class: `said-now ${tone}` }, text)
    corner.append(said)
    setTimeout(() => said.remove(), 6_000)
  },
}
let view = viewOf(route)
let stop = () => {}

function open(): void {
  stop()
  liveness = undefined
  route = routeOf(location.hash)
  view = viewOf(route)
  document.title = `${view.title} · Dataverse Saga`
  show(main, view.render())
  stop = view.start()
  drawRail()
  main.querySelector('h1')?.focus({ preventScroll: true })
  window.scrollTo(0, 0)
}

function drawRail(): void {
  const who = caller()
  show(
    rail,
    h('a', { class: 'brand', href: hrefOf(['inbox']) }, 'Dataverse ', h('b', {}, 'Saga')),
    h(
      'form',
      { role: 'search', 'aria-label': 'All', class: 'search', onsubmit: search },
      h('input', {
        id: 'search',
        type: 'search',
        autocomplete: 'off',
        spellcheck: 'false',
        'aria-label': 'Search by anything',
        placeholder: 'Search',
        'aria-keyshortcuts': '/',
      }),
      h('kbd', { 'aria-hidden': 'true' }, '/'),
    ),
    h(
      'nav',
      { 'aria-label': 'Console' },
      h(
        'ul',
        {},
        ...places.map(({ name, title }) =>
          h(
            'li',
            { key: name },
            h('a', { href: hrefOf([name]), 'aria-current': name === route.name ? 'page' : null }, title),
          ),
        ),
      ),
    ),
    h(
      'div',
      { class: 'foot' },
      liveness &&
        h(
          'p',
          { class: `liveness ${liveness}`, role: 'status' },
          { live: 'live', polling: 'asking every 3 s', offline: 'not reachable' }[liveness],
        ),
      who && h('p', { class: 'who' }, `${who.actor} · ${who.role}`),
      h('p', {}, `times in ${zoneName}; point at one for UTC`),
      h('p', {}, h('button', { type: 'button', class: 'plain', onclick: tellKeys }, 'Keyboard ', h('kbd', {}, '?'))),
    ),
  )
}

/** An instance's id leads to it, a row's id to its record or its sagas; anything else is looked for. */
function search(event: Event): void {
  event.preventDefault()
  const input = place('search')
  const text = input instanceof HTMLInputElement ? input.value.trim() : ''
  const [, table, row] = text.split(':')
  if (/^[\w-]+:\w+:[0-9a-f-]{36}:[0-9a-f]{20}$/i.test(text)) go(hrefOf(['sagas', text]))
  else if (/^\w+[ /:][0-9a-f]{8}-[0-9a-f-]{27}$/i.test(text))
    go(hrefOf(['records', ...text.toLowerCase().split(/[ /:]/)]))
  else if (table !== undefined && row !== undefined) go(hrefOf(['sagas'], { prefix: text }))
  else if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(text)) go(hrefOf(['sagas'], { rowId: text.toLowerCase() }))
  else go(hrefOf(['sagas'], { text }))
  if (input instanceof HTMLInputElement) input.value = ''
  input.blur()
}

function tellKeys(): void {
  void ask({
    title: 'Keyboard',
    act: 'Good',
    render: () =>
      h(
        'dl',
        { class: 'keys' },
        ...[
          ...shortcuts,
          ...places.map(({ key, title }) => [`g ${key}`, title] as const),
          ...Object.entries(view.keys ?? {}).map(([key, { says }]) => [key, says] as const),
        ].map(([key, says]) => h('div', {}, h('dt', {}, h('kbd', {}, key)), h('dd', {}, says))),
      ),
    submit: () => true,
  })
}

/** Of the platform, where its authentication is switched on. */
const signIn = `/.auth/login/aad?${new URLSearchParams({ post_login_redirect_uri: location.pathname }).toString()}`

askKeyWith(async (isWrong) => {
  let key = ''
  const canSignIn = await fetch('/.auth/me').then(
    ({ status }) => status !== 404,
    () => false,
  )
  return ask({
    title: 'A function key is needed',
    act: 'Go on',
    objection: () => (key.trim() === '' ? 'Paste a key of this function app.' : undefined),
    render: (draw) => [
      isWrong && h('p', { class: 'notice bad', role: 'alert' }, 'That key was not accepted.'),
      canSignIn && h('p', {}, h('a', { href: signIn }, 'Sign in with Microsoft Entra ID'), ', or give a key.'),
      h('p', {}, 'It stays in this tab, until it is closed.'),
      field(
        'Function key',
        h('input', {
          type: 'password',
          name: 'key',
          autocomplete: 'off',
          autofocus: true,
          oninput: (event) => {
            key = textOf(event)
            draw()
          },
        }),
      ),
    ],
    submit: () => key.trim(),
  })
})

tellLiveness((now) => {
  if (now === liveness) return
  liveness = now
  drawRail()
})

const help = { '?': tellKeys, '/': () => place('search').focus() }
document.addEventListener('keydown', (event) =>
  pressed(event, {
    ...help,
    ...Object.fromEntries(places.map(({ name, key }) => [`g ${key}`, () => go(hrefOf([name]))])),
    ...Object.fromEntries(Object.entries(view.keys ?? {}).map(([key, { press }]) => [key, press])),
  }),
)
window.addEventListener('hashchange', open)

async function tellWho(): Promise<void> {
  callerIs(await get('me', 'me'))
  drawRail()
  page.draw()
}

open()
tellWho().catch(() => undefined)
