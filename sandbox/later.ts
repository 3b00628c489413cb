// Answers that a partner gives later: to the address that came with the call, over HTTP or through the queue partner-replies.

import { setTimeout } from 'node:timers/promises'
import { ServiceBusClient } from '@azure/service-bus'
import { z } from 'zod'
import type { Answer, Asked } from './partner-server.js'

export interface Later {
  /** Milliseconds. */
  readonly later: number
  readonly by: 'callback' | 'queue'
}

/** How many times, half a second apart, an answer is tried to be delivered. */
const mostTries = 120

const called = z.looseObject({ callback: z.url() })
const refusal = z.looseObject({ error: z.looseObject({ code: z.string(), message: z.string() }) })

export class LaterAnswers {
  readonly #connectionString: string | undefined
  #client: ServiceBusClient | undefined

  /** @param connectionString of the namespace with the queue partner-replies; without it there are only callbacks. */
  constructor(connectionString: string | undefined) {
    this.#connectionString = connectionString
  }

  /** Whether the call says where it can be answered. */
  canAnswer({ body }: Asked): boolean {
    return called.safeParse(body).success
  }

  /** Never rejects: an answer that can't be delivered is lost, as a partner's may be. */
  async answer({ body }: Asked, { status, body: said }: Answer, { later, by }: Later): Promise<void> {
    const { callback } = called.parse(body)
    const isRefused = status >= 400
    const text = JSON.stringify(isRefused ? { reason: reasonIn(said) } : (said ?? null))
    await setTimeout(later)
    for (let tries = 0; tries < mostTries; tries++) {
      try {
        if (by === 'queue') return await this.#send(text, { callback, ...(isRefused && { outcome: 'refused' }) })
        const { ok } = await fetch(`${callback}${isRefused ? '?outcome=refused' : ''}`, { method: 'POST', body: text })
        if (ok) return
      } catch {
        // Not there just now.
      }
      await setTimeout(500)
    }
  }

  async #send(body: string, applicationProperties: Record<string, string>): Promise<void> {
    if (this.#connectionString === undefined) throw new Error('The sandbox was started without --service-bus.')
    this.#client ??= new ServiceBusClient(this.#connectionString)
    const sender = this.#client.createSender('partner-replies')
    try {
      await sender.sendMessages({ body: Buffer.from(body), applicationProperties })
    } finally {
      await sender.close()
    }
  }
}

function reasonIn(body: unknown): string {
  const read = refusal.safeParse(body)
  return read.success ? `${read.data.error.code}: ${read.data.error.message}` : 'refused'
}
