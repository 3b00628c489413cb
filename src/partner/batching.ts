// Requests that wait for their turn at a partner become one, where the partner takes many at once.
//
// Promises: each request gets an answer of its own. One that could not be sent together is sent alone: that many were asked at once is never why one is refused.

import type { PartnerRequest } from '../saga/action.js'
import type { Batch } from '../saga/partner.js'
import { meaningOf, type Reply } from './classify.js'
import { readRetryAfter } from './http.js'

interface Waiting {
  readonly asked: PartnerRequest
  readonly tell: (reply: Reply) => void
  readonly fail: (error: unknown) => void
}

type Send = (asked: PartnerRequest) => Promise<Reply>

export class Batching {
  readonly #batch: Batch
  readonly #inLine: (task: () => Promise<void>) => Promise<void>
  readonly #send: Send
  readonly #waiting: Waiting[] = []
  /** Those that were taken in the line, and have not come. */
  #turns = 0

  /** @param inLine calls its argument when the partner has a free place */
  constructor(batch: Batch, inLine: (task: () => Promise<void>) => Promise<void>, send: Send) {
    this.#batch = batch
    this.#inLine = inLine
    this.#send = send
  }

  fits(asked: PartnerRequest): boolean {
    return this.#batch.fits(asked)
  }

  ask(asked: PartnerRequest): Promise<Reply> {
    const answer = new Promise<Reply>((tell, fail) => void this.#waiting.push({ asked, tell, fail }))
    if (this.#turns * this.#batch.most < this.#waiting.length) {
      this.#turns += 1
      void this.#inLine(() => this.#take())
    }
    return answer
  }

  async #take(): Promise<void> {
    this.#turns -= 1
    const taken = this.#waiting.splice(0, this.#batch.most)
    try {
      const replies = await this.#together(taken.map(({ asked }) => asked))
      for (const [index, { tell }] of taken.entries()) tell(replies[index] ?? unanswered)
    } catch (error) {
      for (const { fail } of taken) fail(error)
    }
  }

  async #together(asked: readonly PartnerRequest[]): Promise<Reply[]> {
    const joined = asked.length > 1 ? this.#joined(asked) : undefined
    if (joined) {
      const reply = await this.#send(joined)
      if (!isRefusal(reply)) return this.#repliesIn(reply)
    }
    const replies: Reply[] = []
    for (const one of asked) replies.push(await this.#send(one))
    return replies
  }

  /** Undefined when one of them can't be written down: it is told so when it is sent alone. */
  #joined(asked: readonly PartnerRequest[]): PartnerRequest | undefined {
    try {
      return this.#batch.join(asked)
    } catch {
      return undefined
    }
  }

  /** What is said of the whole is said of each. */
  #repliesIn(reply: Reply): Reply[] {
    if (!('status' in reply) || reply.status >= 300) return Array.from({ length: this.#batch.most }, () => reply)
    try {
      return this.#batch.split(reply.body).map(({ status, body, retryAfter }) => {
        const retryAfterMs = readRetryAfter(retryAfter, Date.now())
        return { status, body, ...(retryAfterMs !== undefined && { retryAfterMs }) }
      })
    } catch {
      return []
    }
  }
}

const unanswered: Reply = { failed: 'the answer to the batch does not tell of it', sent: true }

/** The batch as such was not taken: too large, not known, malformed. */
const isRefusal = (reply: Reply) => 'status' in reply && meaningOf(reply) === 'refused'
