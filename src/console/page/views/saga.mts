// One saga: where it stands, why it waits and until when, what it did and undid, every call, and what a person can say to it.

import type { Call, Possible, SagaDetail, WaitsFor } from '../answers.mjs'
import { get } from '../api.mjs'
import { callList } from '../calls.mjs'
import { possibleFor, say, words } from '../commands.mjs'
import { caller, WhoAndWhy } from '../caller.mjs'
import { ask } from '../dialog.mjs'
import { type Child, h } from '../dom.mjs'
import { follow } from '../live.mjs'
import { badge } from '../phases.mjs'
import { hrefOf, searchOf } from '../router.mjs'
import { timeline } from '../timeline.mjs'
import { exactly, lasting, since } from '../time.mjs'
import { Asked, type Page, problemOf, type View } from '../view.mjs'

const keysOf: Readonly<Record<string, string>> = { r: 'retry', e: 'edit', h: 'hold', u: 'cancel' }

export function sagaView(page: Page, id: string): View {
  const path = `sagas/${encodeURIComponent(id)}`
  let reveal: string | undefined
  let step: string | undefined
  const saga = new Asked(page, () => get('saga', path))
  const calls = new Asked(page, () => get('calls', `${path}/calls${searchOf({ reveal })}`))
  const definitions = new Asked(page, () => get('definitions', 'definitions'))
  /** What was revealed stays until the saga moves on; each look at values is logged, so none is taken unasked. */
  let callsOf: string | undefined
  const load = async () => {
    const isThere = await saga.load()
    if (!isThere || saga.value?.updatedAt === callsOf) return isThere
    callsOf = saga.value?.updatedAt
    reveal = undefined
    return calls.load()
  }
  const press = (command: string) => {
    const first = saga.value && possibleFor(saga.value).find((one) => one.command === command && one.allowed)
    if (first && saga.value) void speak(saga.value, first)
  }

  return {
    title: id,
    start() {
      void load()
      void definitions.load()
      const stop = follow(`${path}/events`, load)
      const ticking = window.setInterval(() => page.draw(), 1_000)
      return () => {
        stop()
        clearInterval(ticking)
      }
    },
    keys: Object.fromEntries(
      Object.entries(keysOf).map(([key, command]) => [
        key,
        { says: words[command]?.title ?? command, press: () => press(command) },
      ]),
    ),
    render: () => saga.show(draw),
  }

  function draw(value: SagaDetail): Child {
    const declared = definitions.value?.definitions.find(
      (one) => one.saga === value.saga && one.version === value.version,
    )
    return [
      head(value),
      h(
        'div',
        { class: 'saga' },
        h(
          'div',
          { class: 'main' },
          waiting(value),
          undoneBecause(value),
          timeline({
            saga: value,
            declared: declared?.steps,
            selected: step,
            select: (name) => select(step === name ? undefined : name),
          }),
          calls.show((told) =>
            callList({
              ...told,
              step,
              reveal: caller()?.role === 'Admin' ? () => void askToReveal() : undefined,
              showAll: () => select(undefined),
            }),
          ),
        ),
        h(
          'aside',
          {},
          commandPanel(value, caller()?.role === 'Reader', (one) => void speak(value, one)),
          said(value),
          facts(value),
        ),
      ),
    ]
  }

  function select(name: string | undefined): void {
    step = name
    page.draw()
  }

  async function askToReveal(): Promise<void> {
    const who = new WhoAndWhy({ shortest: 3 })
    const given = await ask({
      title: 'Reveal values',
      act: 'Reveal',
      objection: () => who.objection(),
      render: (redraw) => [
        h('p', {}, 'You will see the values as they are now; when the saga moves on they are masked again.'),
        who.fields(redraw),
      ],
      submit: () => who.reason,
    })
    if (given === undefined) return
    reveal = given
    await calls.load()
  }

  async function speak(value: SagaDetail, one: Possible): Promise<void> {
    try {
      const answer = await say(value, one, lastInputOf(calls.value?.calls, one))
      const title = words[one.command]?.title ?? one.command
      if (answer) page.say(`${title}: ${answer.followed ? 'followed' : 'it listens when it waits the next time'}.`)
    } catch (error) {
      page.say(problemOf(error).message, 'bad')
    }
    await load()
  }
}

const lastInputOf = (calls: readonly Call[] = [], { step }: Possible): unknown =>
  calls.findLast((call) => call.step === step && call.what === 'do')?.input

const head = ({ id, saga, version, table, rowId, phase, trace }: SagaDetail) =>
  h(
    'header',
    { class: 'heading saga-head' },
    h(
      'div',
      {},
      h('p', { class: 'over' }, h('a', { href: hrefOf(['definitions']) }, saga), ` version ${version}`),
      h('h1', { tabindex: '-1' }, `${table} `, h('a', { class: 'id', href: hrefOf(['records', table, rowId]) }, rowId)),
      h('p', { class: 'id quiet' }, id),
      trace === undefined
        ? null
        : h('p', {}, h('a', { href: trace, target: '_blank', rel: 'noreferrer' }, 'Its trace ↗')),
    ),
    h('div', { class: 'beside' }, badge(phase)),
  )

const names: Readonly<Record<WaitsFor['kind'], string>> = {
  retry: 'Waits for the next attempt',
  answer: 'Waits for the partner’s answer',
  lane: 'Waits in its lane',
  operator: 'Waits for a person',
  repair: 'Has stopped, and needs repair',
}

function waiting({ waitsFor, updatedAt }: SagaDetail): Child {
  if (!waitsFor) return undefined
  const until = 'until' in waitsFor ? waitsFor.until : undefined
  const left = until === undefined ? 0 : Date.parse(until) - Date.now()
  const tone = waitsFor.kind === 'operator' || waitsFor.kind === 'repair' ? 'bad' : 'wait'
  return h(
    'section',
    { class: `notice ${tone} waiting`, 'aria-label': 'Why it waits' },
    h(
      'p',
      { class: 'notice-title' },
      names[waitsFor.kind],
      left > 0 && h('span', { class: 'count' }, ` in ${lasting(left)}`),
    ),
    h('p', {}, linked(waitsFor.why)),
    until === undefined
      ? h('p', { class: 'quiet' }, `For ${since(updatedAt)}.`)
      : h('p', { class: 'quiet' }, left > 0 ? 'Until ' : 'Due since ', exactly(until)),
  )
}

/** Another saga that is named in a text, such as the one before it in its lane, is one step away. */
const linked = (text: string): Child =>
  text
    .split(/([\w-]+:\w+:[0-9a-f-]{36}:[0-9a-f]{20})/)
    .map((part, index) => (index % 2 === 0 ? part : h('a', { class: 'id', href: hrefOf(['sagas', part]) }, part)))

const undoneBecause = ({ undoneBecause: why }: SagaDetail): Child =>
  why !== undefined && h('p', { class: 'notice back' }, h('strong', {}, 'Undone because: '), why)

function commandPanel(saga: SagaDetail, isReader: boolean, speak: (one: Possible) => void): Child {
  const all = possibleFor(saga)
  const reasons = new Set(all.map(({ allowed, why }) => (allowed ? undefined : why)))
  const [forAll] = reasons.size === 1 ? reasons : []
  return h(
    'section',
    { class: forAll === undefined ? 'commands' : 'commands off', 'aria-labelledby': 'commands-title' },
    h('h2', { id: 'commands-title' }, 'Commands'),
    isReader && h('p', { class: 'quiet' }, 'Your role reads only.'),
    forAll !== undefined && h('p', { class: 'quiet', id: 'why-all' }, `None can be said: ${forAll}.`),
    h('ul', {}, ...all.map((one) => oneCommand(one, isReader || !one.allowed, forAll === undefined, () => speak(one)))),
  )
}

function oneCommand({ command, step, allowed, why }: Possible, isOff: boolean, saysWhy: boolean, speak: () => void) {
  const id = `why-${command}-${step ?? ''}`
  const word = words[command]
  return h(
    'li',
    { key: id },
    h(
      'button',
      {
        type: 'button',
        'aria-disabled': isOff ? 'true' : null,
        'aria-describedby': saysWhy ? id : 'why-all',
        class: word?.isDangerous ? 'dangerous' : null,
        onclick: () => (isOff ? undefined : speak()),
      },
      word?.title ?? command,
      step !== undefined && h('span', { class: 'step' }, step),
    ),
    saysWhy && h('small', { id }, allowed ? word?.does : why),
  )
}

const facts = ({ startedAt, updatedAt, endedAt, mergedInto, snapshot }: SagaDetail) =>
  h(
    'section',
    { class: 'facts', 'aria-labelledby': 'facts-title' },
    h('h2', { id: 'facts-title' }, 'Times'),
    h(
      'dl',
      {},
      fact('Started', exactly(startedAt)),
      endedAt === undefined ? fact('Changed', exactly(updatedAt)) : fact('Ended', exactly(endedAt)),
      endedAt === undefined
        ? fact('For', since(startedAt))
        : fact('Took', lasting(Date.parse(endedAt) - Date.parse(startedAt))),
      snapshot !== undefined && fact('Row read', h('span', { class: 'id' }, snapshot)),
      mergedInto !== undefined &&
        fact('Merged into', h('a', { class: 'id', href: hrefOf(['sagas', mergedInto]) }, mergedInto)),
    ),
  )

const fact = (name: string, value: Child) => [h('dt', {}, name), h('dd', {}, value)]

const said = ({ log, id }: SagaDetail) =>
  h(
    'section',
    { class: 'said', 'aria-labelledby': 'said-title' },
    h('h2', { id: 'said-title' }, 'What people said'),
    log.length === 0
      ? h('p', { class: 'quiet' }, 'Nobody has said anything to it.')
      : h(
          'ol',
          {},
          ...log
            .toReversed()
            .map((word) =>
              h(
                'li',
                { key: word.id },
                h('p', {}, h('strong', {}, words[word.command]?.title ?? word.command), ` ${word.step ?? ''}`),
                h('p', {}, word.reason),
                h('p', { class: 'quiet' }, word.actor, ' · ', exactly(word.at)),
                word.refused !== undefined && h('p', { class: 'why' }, `Not followed: ${word.refused}`),
              ),
            ),
        ),
    h('p', {}, h('a', { href: hrefOf(['operations'], { target: id }) }, 'In the operations log')),
  )
