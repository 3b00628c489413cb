// Access keys of HTTP functions. Without any, all that listens on this machine is open to it, as under the platform's local host.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export interface Keys {
  /** For functions, and for the durable management API. */
  readonly host: string | undefined
  /** For everything. */
  readonly master: string | undefined
}

/** From the settings FUNCTIONS_HOST_KEY and FUNCTIONS_MASTER_KEY. */
export const keysIn = (env: NodeJS.ProcessEnv): Keys => ({
  host: env['FUNCTIONS_HOST_KEY'] || undefined,
  master: env['FUNCTIONS_MASTER_KEY'] || undefined,
})

/** @param level of the function, in any case; an unknown one asks for as much as there is */
export function mayCall({ host, master }: Keys, level: string, request: IncomingMessage, url: URL): boolean {
  if (host === undefined && master === undefined) return true
  if (level.toLowerCase() === 'anonymous') return true
  const { 'x-functions-key': header } = request.headers
  const given = typeof header === 'string' ? header : (url.searchParams.get('code') ?? '')
  return isSame(given, master) || (level.toLowerCase() === 'function' && isSame(given, host))
}

function isSame(given: string, key: string | undefined): boolean {
  return key !== undefined && timingSafeEqual(digestOf(given), digestOf(key))
}

const digestOf = (text: string) => createHash('sha256').update(text).digest()
