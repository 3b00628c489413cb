// Questions to the person: a modal dialog with a form. It is drawn anew as long as it is open, and resolves once.

import { type Child, h, show } from './dom.mjs'
import { failure, problemOf } from './view.mjs'
import type { Problem } from './api.mjs'

export interface Question<Answer> {
  readonly title: string
  /** Of the button that goes on. */
  readonly act: string
  readonly isDangerous?: boolean
  render(draw: () => void): Child
  /** Why it can not go on yet. */
  objection?(): string | undefined
  /** What is thrown is shown, and the dialog stays. */
  submit(): Promise<Answer> | Answer
}

/** Undefined when the person closes it. */
export function ask<Answer>(question: Question<Answer>): Promise<Answer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
  let problem: Problem | undefined
  let isBusy = false
  const body = h('form', { method: 'dialog', onsubmit: submit })
  const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, body)
  dialog.addEventListener('close', () => {
    dialog.remove()
    resolve(undefined)
  })
  document.body.append(dialog)
  draw()
  dialog.showModal()
  return promise

  function draw(): void {
    const why = question.objection?.()
    show(
      body,
      h('h2', { id: 'dialog-title' }, question.title),
      h('div', { class: 'dialog-body' }, question.render(draw), problem && failure(problem)),
      h(
        'footer',
        {},
        why === undefined ? null : h('p', { class: 'quiet', id: 'dialog-why' }, why),
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Close'),
        h(
          'button',
          {
            class: question.isDangerous ? 'primary dangerous' : 'primary',
            'aria-disabled': why !== undefined || isBusy ? 'true' : null,
            'aria-describedby': why === undefined ? null : 'dialog-why',
          },
          isBusy ? 'Working…' : question.act,
        ),
      ),
    )
  }

  function submit(event: Event): void {
    event.preventDefault()
    if (isBusy || question.objection?.() !== undefined) return draw()
    isBusy = true
    draw()
    Promise.resolve()
      .then(() => question.submit())
      .then(
        (answer) => {
          resolve(answer)
          dialog.close()
        },
        (error: unknown) => {
          problem = problemOf(error)
          isBusy = false
          draw()
        },
      )
  }
}

/** A labelled control; `note` stands under it. The control has a name. */
export function field(label: string, control: Element, note?: string) {
  const id = `note-${control.getAttribute('name')}`
  if (note !== undefined) control.setAttribute('aria-describedby', id)
  return h(
    'div',
    { class: 'field' },
    h('label', {}, h('span', {}, label), control),
    note !== undefined && h('small', { id }, note),
  )
}

export const textOf = ({ target }: Event): string =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
    ? target.value
    : ''
