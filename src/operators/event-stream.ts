// Server-sent events, as the browser's EventSource reads them.

import { heartbeat } from './route.js'

/** Milliseconds after which a client comes back when the stream has ended. */
const comeBackAfter = 1_000

export async function* eventStream(name: string, items: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  yield encoder.encode(`retry: ${comeBackAfter}\n\n`)
  for await (const item of items)
    yield encoder.encode(item === heartbeat ? ': alive\n\n' : `event: ${name}\ndata: ${JSON.stringify(item)}\n\n`)
}
