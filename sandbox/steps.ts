// Registered steps: of each change of a table's rows the message is posted to a webhook, as Dataverse's system jobs do: after the change, again until it is taken.

import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { messageOf, type Operation } from './dataverse-message.js'

const step = z.object({
  table: z.string(),
  url: z.url(),
  /** Only updates of one of these columns are told, if any are named. */
  filteringAttributes: z.array(z.string()).default([]),
})
type Step = z.infer<typeof step>

export class Steps {
  #steps: Step[] = []

  register(given: unknown): void {
    this.#steps.push(step.parse(given))
  }

  clear(): void {
    this.#steps = []
  }

  tell(operation: Operation): void {
    const wanted = this.#steps.filter(
      ({ table, filteringAttributes: columns }) =>
        table === operation.table &&
        (operation.message !== 'Update' ||
          columns.length === 0 ||
          columns.some((column) => column in operation.values)),
    )
    for (const { url } of wanted) void post(url, messageOf(operation).body)
  }
}

async function post(url: string, body: Buffer): Promise<void> {
  for (let wait = 50; ; wait = Math.min(5_000, wait * 2)) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: new Uint8Array(body),
      })
      await response.text()
      // What is refused for good stays so.
      if (response.ok || (response.status >= 400 && response.status < 500 && response.status !== 429)) return
    } catch {
      // The webhook is away.
    }
    await setTimeout(wait)
  }
}
