// What a person can say to a saga: which words there are, what each needs, and the dialog in which it is said after its preview was seen.

import type { Answers, Possible, Preview, SagaDetail } from './answers.mjs'
import { post } from './api.mjs'
import { WhoAndWhy } from './caller.mjs'
import { ask, field, textOf } from './dialog.mjs'
import { type Child, h } from './dom.mjs'
import { isMasked, mask } from './json.mjs'
import { badge } from './phases.mjs'
import { problemOf } from './view.mjs'

interface Word {
  readonly title: string
  /** One line: what it does. */
  readonly does: string
  readonly value?: 'input' | 'output'
  readonly isDangerous?: boolean
}

export const words: Readonly<Record<string, Word>> = {
  retry: { title: 'Retry', does: 'Asks again now, under the same key.' },
  edit: {
    title: 'Edit the input',
    does: 'Asks again with another input, under a new key.',
    value: 'input',
  },
  supply: {
    title: 'Supply the result',
    does: 'The step counts as applied, with the output that you give.',
    value: 'output',
  },
  skip: { title: 'Skip', does: 'Goes on without this step.' },
  hold: { title: 'Hold', does: 'Begins nothing new until it is resumed.' },
  resume: { title: 'Resume', does: 'Goes on where it was put on hold.' },
  cancel: { title: 'Undo everything', does: 'Undoes what was done, in reverse.', isDangerous: true },
  writeOff: {
    title: 'Write off',
    does: 'Ends a debt: the partner keeps the effect.',
    isDangerous: true,
  },
}

/** In our order. A command that can be said of some steps is shown for those; one of none is shown once, with why not. */
export function possibleFor({ commands }: SagaDetail): readonly Possible[] {
  return Object.keys(words).flatMap((kind) => {
    const own = commands.filter(({ command }) => command === kind)
    const allowed = own.filter((one) => one.allowed)
    // Of one step only, a retry of the step and a retry of everything are the same.
    if (allowed.length === 2 && allowed.some(({ step }) => step === undefined)) return allowed.slice(-1)
    return allowed.length > 0
      ? allowed
      : own.slice(0, 1).map(({ command, why }) => ({ command, allowed: false, ...(why !== undefined && { why }) }))
  })
}

/** What the API answers when it was said. @param value what the field for an input begins with */
export async function say(
  { id }: SagaDetail,
  { command, step }: Possible,
  value: unknown,
): Promise<Answers['followed'] | undefined> {
  const word = words[command] ?? { title: command, does: '' }
  const path = `sagas/${encodeURIComponent(id)}/${command}`
  const who = new WhoAndWhy()
  let text = JSON.stringify(value ?? {}, undefined, 2)
  let preview: Preview | undefined
  let without: string | undefined
  let due: number | undefined
  let redraw: (() => void) | undefined
  const body = () => ({ ...(step !== undefined && { step }), ...(word.value && { [word.value]: JSON.parse(text) }) })
  const foresee = () => {
    clearTimeout(due)
    due = window.setTimeout(async () => {
      try {
        preview = await post('preview', `${path}/preview`, body())
      } catch (error) {
        preview = undefined
        without = error instanceof SyntaxError ? 'The value is not JSON yet.' : problemOf(error).message
      }
      redraw?.()
    }, 200)
  }
  foresee()
  const said = await ask({
    title: step === undefined ? word.title : `${word.title}: ${step}`,
    act: word.title,
    isDangerous: word.isDangerous ?? false,
    objection: () =>
      objectionToText(word, text) ?? who.objection() ?? (preview?.allowed === false ? preview.why : undefined),
    render(draw) {
      redraw = draw
      const take = (event: Event) => {
        text = textOf(event)
        foresee()
        draw()
      }
      return [
        h('p', { class: 'quiet' }, word.does),
        word.value && valueField(word.value, text, take),
        who.fields(draw),
        foreseen(preview, without),
      ]
    },
    submit: () => post('followed', path, { ...body(), ...who.body(), ...(preview && { plan: preview.plan }) }),
  })
  clearTimeout(due)
  return said
}

const valueField = (name: 'input' | 'output', text: string, take: (event: Event) => void) =>
  field(
    name === 'input' ? 'Input, as JSON' : 'Output, as JSON',
    h('textarea', { name: 'value', rows: 9, spellcheck: 'false', oninput: take }, text),
  )

/** What will come of it: the calls, what becomes irreversible, and the phase after. */
const foreseen = (preview: Preview | undefined, without?: string): Child =>
  h(
    'section',
    { class: 'preview', 'aria-label': 'Preview', 'aria-live': 'polite' },
    h('h3', {}, 'What will happen'),
    preview ? foretold(preview) : h('p', { class: 'quiet' }, without ?? 'Rehearsing…'),
  )

const foretold = ({ allowed, why, calls, becomesIrreversible, phaseAfter }: Preview): Child =>
  allowed
    ? [
        calls.length === 0
          ? h('p', {}, 'No partner is called.')
          : h(
              'ol',
              { class: 'calls-to-come' },
              ...calls.map(({ partner, action, step, what, method, path, isPerhaps }) =>
                h(
                  'li',
                  {},
                  h(
                    'span',
                    {},
                    what === 'do' ? step : `${what} ${step}`,
                    h('span', { class: 'quiet' }, ` · ${partner}: ${action}${isPerhaps ? ', if it is needed' : ''}`),
                  ),
                  method ? h('code', {}, `${method} ${path ?? ''}`) : null,
                ),
              ),
            ),
        becomesIrreversible.length > 0 &&
          h('p', { class: 'warning' }, h('strong', {}, 'No way back from: '), becomesIrreversible.join(', ')),
        h('p', {}, 'If all goes well it is then ', badge(phaseAfter)),
      ]
    : h('p', { class: 'warning' }, why ?? 'It can not be followed now.')

function objectionToText({ value }: Word, text: string): string | undefined {
  if (!value) return undefined
  try {
    return isMasked(JSON.parse(text)) ? `Replace ${mask} by real values: your role does not see them.` : undefined
  } catch {
    return `This is not JSON yet.`
  }
}
