// Completes and abandons what a trigger received.
//
// rhea, below the client, writes the settlements of one turn of the event loop together, and gives two neighbours the outcome of the first: a message that
// failed would be completed with the one before it, and be lost. So one turn settles with one outcome.

import type { Log } from '../log.js'
import { wordsOf } from './errors.js'

export type Outcome = 'complete' | 'abandon'

/** What messages of its kind are settled with. */
export interface Settler<Message> {
  completeMessage(message: Message): Promise<void>
  abandonMessage(message: Message): Promise<void>
}

export class Settlements {
  readonly #log: Log
  readonly #name: string
  #outcome: Outcome | undefined

  /** @param name the function that the messages are for */
  constructor(log: Log, name: string) {
    this.#log = log
    this.#name = name
  }

  /** A lock that is lost is no misfortune: the app may have settled the message itself, or the message comes again. */
  async settle<Message extends { readonly messageId?: unknown }>(
    receiver: Settler<Message>,
    outcome: Outcome,
    messages: readonly Message[],
  ): Promise<void> {
    for (const message of messages)
      try {
        await this.#turnOf(outcome)
        await (outcome === 'complete' ? receiver.completeMessage(message) : receiver.abandonMessage(message))
      } catch (error) {
        this.#log(
          isLockLost(error) ? 'info' : 'warn',
          this.#name,
          `Message ${String(message.messageId)} was not settled by the host: ${wordsOf(error)}`,
        )
      }
  }

  async #turnOf(outcome: Outcome): Promise<void> {
    while (this.#outcome !== undefined && this.#outcome !== outcome) await new Promise(setImmediate)
    if (this.#outcome === outcome) return
    this.#outcome = outcome
    setImmediate(() => {
      this.#outcome = undefined
    })
  }
}

const isLockLost = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'MessageLockLost'
