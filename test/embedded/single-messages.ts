// What triggers for single messages do, wherever their queue is: of the app `triggers`, in a host of its own or beside one.

import type { ServiceBusClient } from '@azure/service-bus'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/installation.js'

const calls = z.array(
  z.object({ name: z.string(), input: z.unknown(), metadata: z.record(z.string(), z.unknown()).optional() }),
)

/** What a function of the app was called with so far. @param port of the host's HTTP */
export async function callsOf(name: string, port: number): Promise<z.infer<typeof calls>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/seen`)
  return calls.parse(await response.json()).filter((call) => call.name === name)
}

/** @param at known once the host runs */
export function takesSingleMessages(at: () => { readonly client: ServiceBusClient; readonly port: number }): void {
  const seen = (name: string) => callsOf(name, at().port)

  it('a subscription of a topic: tried again until it succeeds', async () => {
    await at()
      .client.createSender('news')
      .sendMessages([{ body: 'fails' }, { body: { a: 1 }, subject: 'x' }])

    const got = await until('all have come', async () => {
      const all = await seen('topic')
      return all.length >= 4 && all
    })

    expect(got.filter(({ input }) => input === 'fails').map(({ metadata }) => metadata?.['deliveryCount'])).toEqual([
      1, 2, 3,
    ])
    expect(got.find(({ input }) => input !== 'fails')).toMatchObject({ input: { a: 1 }, metadata: { label: 'x' } })
  })

  it('a queue: of calls that end together, those that fail come again and the others do not', async () => {
    const sender = at().client.createSender('mixed')
    for (let pair = 0; pair < 10; pair++) await sender.sendMessages([{ body: 'fails' }, { body: 'succeeds' }])

    const got = await until('all have come', async () => {
      const all = await seen('mixed')
      return all.length >= 30 && all
    })
    expect(got.filter(({ input }) => input === 'fails')).toHaveLength(20)
    expect(got.filter(({ input }) => input === 'succeeds')).toHaveLength(10)
  })
}
