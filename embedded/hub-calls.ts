// The app's durable client reaches the hub over the channel between the two threads. Sockets and HTTP, on both sides, would be a fifth of what a saga costs.
//
// durable-functions speaks through a client that it has axios create; this one is handed out in its place. Where an app brings both in a bundle of its own they are
// not found, and its client takes the port, on which the same API answers (taskhub/rpc-endpoint.ts).

import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { HubApi } from './taskhub/hub-api.js'

interface Axios {
  create(defaults?: Defaults): Client
}

/** As far as it matters here. */
interface Defaults {
  readonly validateStatus?: ((status: number) => boolean) | null
}

/** What durable-functions uses of a client. */
interface Client {
  get(url: string, config?: Config): Promise<unknown>
  delete(url: string, config?: Config): Promise<unknown>
  post(url: string, data?: unknown, config?: Config): Promise<unknown>
}

interface Config {
  readonly headers?: Readonly<Record<string, unknown>>
}

/**
 * Clients that are created from now on ask `askHub` for whatever is below `hubUrl`.
 * @param folder of the app, which brings its own libraries
 */
export function callDirectly(folder: string, hubUrl: string, askHub: HubApi): void {
  const axios = axiosOf(folder)
  if (!axios) return
  const { origin, host } = new URL(hubUrl)
  const createUsual = axios.create.bind(axios)
  const isOurs = (url: string) => url.startsWith(hubUrl)

  async function ask(method: string, url: string, data?: unknown, { headers = {} }: Config = {}): Promise<unknown> {
    const token = headers['x-ms-continuation-token']
    const answer = await askHub({
      method,
      url: url.slice(origin.length),
      host,
      ...(typeof token === 'string' ? { continuationToken: token } : {}),
      body: typeof data === 'string' ? data : '',
      isByClient: true,
    })
    return { status: answer.status, headers: answer.headers, data: dataIn(answer.body) }
  }

  axios.create = (defaults) => {
    const client = createUsual(defaults)
    if (!takesEveryStatus(defaults)) return client
    const get = client.get.bind(client)
    const remove = client.delete.bind(client)
    const post = client.post.bind(client)
    return Object.assign(client, {
      get: (url, config) => (isOurs(url) ? ask('GET', url, undefined, config) : get(url, config)),
      delete: (url, config) => (isOurs(url) ? ask('DELETE', url, undefined, config) : remove(url, config)),
      post: (url, data, config) => (isOurs(url) ? ask('POST', url, data, config) : post(url, data, config)),
    } satisfies Client)
  }
}

/** As the durable client has it; for others some answers would have to be errors. */
const takesEveryStatus = ({ validateStatus }: Defaults = {}) =>
  validateStatus === null || validateStatus?.(599) === true

/** As axios reads it: a text that is no JSON stays one. */
function dataIn(body: string | undefined): unknown {
  if (!body) return ''
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** The one that the app's durable-functions uses. */
function axiosOf(folder: string): Axios | undefined {
  try {
    const library = createRequire(join(folder, 'package.json')).resolve('durable-functions')
    const found: unknown = createRequire(library)('axios')
    return isAxios(found) ? found : undefined
  } catch {
    return undefined
  }
}

const isAxios = (found: unknown): found is Axios =>
  typeof found === 'function' && 'create' in found && typeof found.create === 'function'
