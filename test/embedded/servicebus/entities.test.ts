// Declaring and removing entities while the broker runs: what comes of their messages, and of the clients that are connected.

import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../../local/installation.js'
import { aQueue, aSubscription, aTopic, bodies, drain, TestNamespace } from './namespace.js'
import { accept, arrival, StillNamespace, take } from './still-namespace.js'

let bus: TestNamespace | undefined
afterEach(async () => {
  await bus?.end()
  bus = undefined
})

const open = async (...definitions: ConstructorParameters<typeof TestNamespace>[0][number][]) =>
  (bus = await new TestNamespace(definitions).open())

describe('entities', () => {
  it('come and go while the broker runs, and are there again after a restart', async () => {
    const own = await open()
    const { namespace } = own.broker
    await namespace.declare(aTopic('t'))
    await namespace.declare(aSubscription('t', 's'))
    await namespace.declare(aQueue('q'))
    await own.client.createSender('t').sendMessages({ body: 1 })
    await own.client.createSender('q').sendMessages({ body: 2 })
    await namespace.remove('q')
    await own.restart()

    expect(bodies(await drain(own.client.createReceiver('t', 's')))).toEqual([1])
    await expect(own.client.createSender('q').sendMessages({ body: 3 })).rejects.toMatchObject({
      code: 'MessagingEntityNotFound',
    })
  })

  it('that are removed take with them what is locked, the ids that they knew and the states of their sessions', async () => {
    const queue = aQueue('q', { requiresSession: true, duplicateWindow: 600_000 })
    const own = await new StillNamespace(queue).open()
    const send = () => own.at('q').enqueue([arrival('a', { message_id: 'a', group_id: 's' })])
    await send()
    await own.at('q').setSessionState('s', Buffer.from('state'))
    take(own.at('q'), accept(own.at('q'), 's'))

    await own.namespace.remove('q')
    await own.namespace.declare(queue)

    expect(own.countsOf('q')).toEqual({})
    expect(own.at('q').sessionState('s')).toBeUndefined()
    await send()
    expect(own.countsOf('q')).toEqual({ active: 1 })
  })

  it('that are declared while they are being removed are there, empty, also after a restart', async () => {
    const own = await new StillNamespace().open()
    await own.namespace.declare(aQueue('q'))
    await own.at('q').enqueue([arrival('a')])

    await Promise.all([own.namespace.remove('q'), own.namespace.declare(aQueue('q'))])

    expect(own.countsOf('q')).toEqual({})
    await own.restart()
    expect(own.countsOf('q')).toEqual({})
  })
})

describe.each<readonly [string, (own: TestNamespace) => Promise<void>, readonly number[]]>([
  [
    'declared again with other settings',
    (own) => own.broker.namespace.declare(aQueue('q', { lockDuration: 30_000 })),
    [1, 2, 3],
  ],
  [
    'removed and declared anew',
    async (own) => {
      await own.broker.namespace.remove('q')
      await own.broker.namespace.declare(aQueue('q'))
      // When this is answered, who is connected has heard of it.
      await own.client.createSender('other').sendMessages([])
    },
    [2, 3],
  ],
])('a queue that is %s', (_, change, kept) => {
  it('loses nothing of what is sent to it afterwards, by whoever was connected or comes', async () => {
    const own = await open(aQueue('q'), aQueue('other'))
    const connected = own.client.createSender('q')
    await connected.sendMessages({ body: 1 })

    await change(own)
    await connected.sendMessages({ body: 2 })
    const newcomer = own.connect()
    await newcomer.createSender('q').sendMessages({ body: 3 })
    await newcomer.close()

    expect(bodies(await drain(own.client.createReceiver('q')))).toEqual(kept)
  })

  it('is received from by who was connected', async () => {
    const own = await open(aQueue('q'), aQueue('other'))
    const got: unknown[] = []
    own.client.createReceiver('q').subscribe({
      processMessage: async ({ body }) => void got.push(body),
      processError: async () => undefined,
    })
    await own.client.createSender('q').sendMessages({ body: 1 })
    await until('the first has come', async () => got.length === 1)

    await change(own)
    await own.client.createSender('q').sendMessages({ body: 2 })

    await until('the second has come', async () => got.length === 2)
    expect(got).toEqual([1, 2])
  })
})
