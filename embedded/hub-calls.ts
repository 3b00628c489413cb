// The app's durable client reaches the hub over the channel between the two threads. Sockets and HTTP, on both sides, would be a fifth of what a saga costs.
//
// durable-functions speaks through axios, whose adapter is there to be replaced. Where an app brings both in a bundle of its own they are not found, and its
// client takes the port, on which the same API answers (taskhub/rpc-endpoint.ts).

import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { HubApi } from './taskhub/hub-api.js'

/** What axios hands to its adapter, as far as it matters here. */
interface Asked {
  readonly url?: string
  readonly method?: string
  readonly data?: unknown
  readonly headers: Readonly<Record<string, unknown>>
  readonly validateStatus?: ((status: number) => boolean) | null
}

type Adapter = (asked: Asked) => Promise<unknown>

interface Axios {
  readonly defaults: { adapter: unknown }
  getAdapter(adapter: unknown): Adapter
}

/**
 * From now on what asks for something below `hubUrl` asks `askHub`.
 * @param folder of the app, which brings its own libraries
 */
export function callDirectly(folder: string, hubUrl: string, askHub: HubApi): void {
  const axios = axiosOf(folder)
  if (!axios) return
  const { origin, host } = new URL(hubUrl)
  const usual = axios.getAdapter(axios.defaults.adapter)
  const adapter: Adapter = async (asked) => {
    const { url = '', method = 'GET', data, headers } = asked
    if (!url.startsWith(hubUrl) || !takesEveryStatus(asked)) return usual(asked)
    const token = headers['x-ms-continuation-token']
    const answer = await askHub({
      method: method.toUpperCase(),
      url: url.slice(origin.length),
      host,
      ...(typeof token === 'string' ? { continuationToken: token } : {}),
      body: typeof data === 'string' ? data : '',
    })
    return { status: answer.status, statusText: '', headers: answer.headers, data: answer.body ?? '', config: asked }
  }
  axios.defaults.adapter = adapter
}

/** As the durable client does; for others an adapter would have to refuse some. */
const takesEveryStatus = ({ validateStatus }: Asked) => !validateStatus || validateStatus(599)

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
  typeof found === 'function' && 'defaults' in found && 'getAdapter' in found && typeof found.getAdapter === 'function'
