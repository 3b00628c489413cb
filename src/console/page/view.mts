// What every view is made of: something that is asked for, and the three ways in which it may not be there (yet).

import { Problem } from './api.mjs'
import { type Child, h } from './dom.mjs'

export interface View {
  readonly title: string
  /** Pure: what is known now. */
  render(): Child
  /** Begins to ask and to follow; what it returns stops that. */
  start(): () => void
  /** Keys of this view, besides those of the page. */
  readonly keys?: Readonly<Record<string, { readonly says: string; readonly press: () => void }>>
}

/** What a view has of the page around it. */
export interface Page {
  /** Something has changed: it is drawn again, once for many changes. */
  draw(): void
  /** Said in a corner, and to screen readers. */
  say(text: string, tone?: 'good' | 'bad'): void
}

/** Something that is asked for, and asked for again; what was there stays until the new is. */
export class Asked<Value> {
  value: Value | undefined
  problem: Problem | undefined
  readonly #page: Page
  readonly #ask: () => Promise<Value>
  #turn = 0

  constructor(page: Page, ask: () => Promise<Value>) {
    this.#page = page
    this.#ask = ask
  }

  /** Whether it came; never throws. */
  async load(): Promise<boolean> {
    this.#turn += 1
    const turn = this.#turn
    try {
      const value = await this.#ask()
      if (turn !== this.#turn) return true
      this.value = value
      this.problem = undefined
    } catch (error) {
      if (turn !== this.#turn) return false
      this.problem = problemOf(error)
    }
    this.#page.draw()
    return this.problem === undefined
  }

  /** What is there, or why not. */
  show(render: (value: Value) => Child): Child {
    const again = () => void this.load()
    if (this.value === undefined) return this.problem ? failure(this.problem, again) : loading()
    return [this.problem && failure(this.problem, again), render(this.value)]
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const why = error instanceof Error ? error.message : String(error)
  return new Problem(
    0,
    'NOT_REACHED',
    `The API can not be reached: ${why}.`,
    'What is shown may be old. It is asked again by itself.',
  )
}

const loading = () =>
  h('div', { class: 'loading', role: 'status', 'aria-label': 'Loading' }, h('i'), h('i'), h('i'), h('i'))

export const failure = ({ code, message, remedy }: Problem, again?: () => void) =>
  h(
    'div',
    { class: 'notice bad', role: 'alert' },
    h('p', {}, h('strong', {}, message), ' ', remedy),
    h('p', { class: 'quiet' }, code),
    again && h('button', { type: 'button', onclick: again }, 'Ask again'),
  )

export const empty = (title: string, ...words: readonly Child[]) =>
  h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), h('p', {}, ...words))

/** A view's heading; what stands after it lies at the other end of the line. */
export const heading = (title: Child, ...beside: readonly Child[]) =>
  h('header', { class: 'heading' }, h('h1', { tabindex: '-1' }, title), h('div', { class: 'beside' }, ...beside))

interface Column<Row> {
  readonly head: string
  readonly class?: string
  readonly cell: (row: Row) => Child
}

/** Rows are walked with `j` and `k`; the first link of a row is what Enter opens. */
export const table = <Row,>(
  caption: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
) =>
  h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    h(
      'table',
      {},
      h('caption', { class: 'unseen' }, caption),
      h(
        'thead',
        {},
        h('tr', {}, ...columns.map(({ head, class: name }) => h('th', { scope: 'col', class: name }, head))),
      ),
      h(
        'tbody',
        {},
        ...rows.map((row) =>
          h('tr', { key: keyOf(row) }, ...columns.map(({ cell, class: name }) => h('td', { class: name }, cell(row)))),
        ),
      ),
    ),
  )
