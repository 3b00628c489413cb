// Who uses the console, as far as the API knows, and what a person says with everything that they do: why, and where only a key is known, who.

import type { Me } from './answers.mjs'
import { field, textOf } from './dialog.mjs'
import { type Child, h } from './dom.mjs'

let known: Me | undefined
export const caller = () => known
export function callerIs(me: Me): void {
  known = me
}

const nameKey = 'dataverse-saga-actor'

/** For one dialog: the fields, what is missing in them, and what they add to a request. */
export class WhoAndWhy {
  readonly #shortest: number
  #reason = ''
  #name = localStorage.getItem(nameKey) ?? ''

  constructor({ shortest = 1 } = {}) {
    this.#shortest = shortest
  }

  get reason(): string {
    return this.#reason
  }

  fields(draw: () => void): Child {
    return [
      field(
        'Reason',
        h('input', {
          name: 'reason',
          autocomplete: 'off',
          maxlength: 300,
          autofocus: true,
          oninput: (event) => {
            this.#reason = textOf(event).trim()
            draw()
          },
        }),
        'Kept for ever in the operations log, with your name.',
      ),
      !known?.isIdentified &&
        field(
          'Your name',
          h('input', {
            name: 'actor',
            autocomplete: 'email',
            maxlength: 200,
            value: this.#name,
            oninput: (event) => {
              this.#name = textOf(event).trim()
              localStorage.setItem(nameKey, this.#name)
              draw()
            },
          }),
          'A function key does not tell who you are.',
        ),
    ]
  }

  objection(): string | undefined {
    if (this.#reason.length < this.#shortest) return 'A reason is needed.'
    return !known?.isIdentified && this.#name === '' ? 'Your name is needed.' : undefined
  }

  body(): { readonly reason: string; readonly actor?: string } {
    return { reason: this.#reason, ...(!known?.isIdentified && this.#name !== '' && { actor: this.#name }) }
  }
}
