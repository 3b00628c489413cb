// What an orchestrator asks for, or is answered, that can't be: it fails, and the process that it runs in lives on.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { EntityId, type OrchestrationContext, type Task } from 'durable-functions'
import { describe, expect, it, onTestFinished } from 'vitest'
import { endOf, openLives } from './hub-lives.js'

type Turns = Generator<Task, unknown, unknown>

/** More than a key of the store can hold. */
const longId = 'x'.repeat(3_000)

const handedOver = {
  orchestrations: {
    *callsHttp({ df }: OrchestrationContext): Turns {
      return yield df.callHttp({ method: 'GET', url: df.getInput<string>() ?? '' })
    },
    *callsOrchestration({ df }: OrchestrationContext): Turns {
      return yield df.callSubOrchestrator('callsHttp', null, longId)
    },
    *callsEntity({ df }: OrchestrationContext): Turns {
      return yield df.callEntity(new EntityId('Thing', longId), 'get')
    },
  },
  activities: {},
  entities: { Thing: () => undefined },
}

describe('an orchestration fails', () => {
  it.each([
    { what: 'a Location that is none', headers: { location: 'http://' } },
    { what: 'a Retry-After beyond all dates', headers: { location: '/job', 'retry-after': '99999999999999999' } },
  ])('whose HTTP call is accepted with $what', async ({ headers }) => {
    const server = createServer((_, response) => void response.writeHead(202, headers).end('{}'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const { hub } = (await openLives(handedOver)).begin()

    const id = await hub.start('callsHttp', JSON.stringify(`http://127.0.0.1:${port}/`))

    expect(await endOf(hub, id)).toMatchObject({ status: 'Failed', output: expect.stringContaining('Invalid') })
  })

  it.each(['callsOrchestration', 'callsEntity'])('whose id of another is too long to be kept: %s', async (name) => {
    const { hub } = (await openLives(handedOver)).begin()

    const id = await hub.start(name, null)

    expect(await endOf(hub, id)).toMatchObject({
      status: 'Failed',
      output: expect.stringContaining('an id has more than 1000 bytes'),
    })
  })
})
