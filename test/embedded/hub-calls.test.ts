// The durable client of an app in the thread beside the hub's: what it asks goes there directly, and nothing listens on the port that it was told.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { InvocationContext } from '@azure/functions'
import { type DurableClient, getClient, input } from 'durable-functions'
import { beforeEach, describe, expect, it } from 'vitest'
import { callDirectly } from '../../embedded/hub-calls.js'
import { clientBindingOf } from '../../embedded/taskhub/client-binding.js'
import type { ApiAnswer, ApiRequest } from '../../embedded/taskhub/hub-api.js'

const hubUrl = 'http://127.0.0.1:9/durabletask/'
const asked: ApiRequest[] = []
let answers: ApiAnswer[] = []

callDirectly(process.cwd(), hubUrl, (request) => {
  asked.push(request)
  return Promise.resolve(answers.shift() ?? { status: 404, headers: {} })
})

beforeEach(() => void asked.splice(0))

const json = (status: number, body: unknown, headers = {}): ApiAnswer => ({
  status,
  headers,
  body: JSON.stringify(body),
})

function client(): DurableClient {
  const bound = input.durableClient()
  const context = new InvocationContext({ options: { extraInputs: [bound] } })
  const place = { hubName: 'Hub', origin: 'http://localhost:7071', key: 'k', rpcBaseUrl: hubUrl }
  context.extraInputs.set(bound, JSON.parse(clientBindingOf(place)))
  return getClient(context)
}

describe('a durable client', () => {
  it('starts an instance with its input, and is told of it', async () => {
    answers = [json(202, { id: 'a b' })]

    expect(await client().startNew('saga', { instanceId: 'a b', input: { name: 'Åsa' } })).toBe('a b')
    expect(asked).toEqual([
      {
        method: 'POST',
        url: '/durabletask/orchestrators/saga/a%20b',
        host: '127.0.0.1:9',
        body: '{"name":"Åsa"}',
        isByClient: true,
      },
    ])
  })

  it('reads an instance, or that there is none', async () => {
    const at = '2026-01-02T03:04:05Z'
    const rest = { name: 'saga', input: null, output: null, createdTime: at, lastUpdatedTime: at }
    answers = [json(200, { instanceId: 'x', runtimeStatus: 'Completed', ...rest })]

    expect(await client().getStatus('x')).toMatchObject({ instanceId: 'x', runtimeStatus: 'Completed' })
    await expect(client().getStatus('y')).rejects.toThrow('HTTP 404')
  })

  it('reads a list to its end, page by page', async () => {
    answers = [
      json(200, [{ instanceId: 'x' }], { 'x-ms-continuation-token': 'after x' }),
      json(200, [{ instanceId: 'y' }]),
    ]

    expect((await client().getStatusAll()).map(({ instanceId }) => instanceId)).toEqual(['x', 'y'])
    expect(asked.map(({ continuationToken }) => continuationToken)).toEqual([undefined, 'after x'])
  })
})

describe('what goes its usual way', () => {
  interface Axios {
    create(defaults: object): { get(url: string): Promise<{ readonly status: number }> }
  }
  const library = createRequire(createRequire(__filename).resolve('durable-functions'))
  const axios: Axios = library('axios')

  it('is a request to anybody else', async () => {
    const server = createServer((_, response) => void response.writeHead(204).end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0

    const other = axios.create({ validateStatus: null })
    expect(await other.get(`http://127.0.0.1:${port}/`)).toMatchObject({ status: 204 })
    expect(asked).toEqual([])
    server.close()
  })

  it('is one that has axios refuse some statuses', async () => {
    await expect(axios.create({}).get(`${hubUrl}instances/x`)).rejects.toThrow('ECONNREFUSED')
    expect(asked).toEqual([])
  })
})
