// A pretend Key Vault for secrets, at the other end of the real client: a challenge first, then versions, the newest of which is told.
//
// Never: writes a secret down. They are kept in memory; the ledger knows only who asked for which version.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Ledger } from './ledger.js'
import { parsed } from './master-data.js'
import { type Answer, type Asked, Refusal } from './partner-server.js'

interface Version {
  readonly id: string
  readonly value: string
  /** Seconds since 1970. */
  readonly created: number
}

const secret = z.object({ value: z.string() })

/** Any token will do, but there must be one: the client sends it only after it was asked to. */
const challenge: Answer = {
  status: 401,
  headers: {
    'www-authenticate':
      'Bearer authorization="https://login.microsoftonline.com/local", resource="https://vault.azure.net"',
  },
}

export class Vault {
  readonly #versions = new Map<string, readonly Version[]>()

  set(name: string, value: string): Version {
    const version = { id: randomUUID().replaceAll('-', ''), value, created: Math.floor(Date.now() / 1_000) }
    this.#versions.set(name, [version, ...this.versions(name)])
    return version
  }

  /** The newest first. */
  versions(name: string): readonly Version[] {
    return this.#versions.get(name) ?? []
  }

  readonly answer =
    (ledger: Ledger) =>
    ({ method, path, headers, body }: Asked): Answer => {
      if (!headers['authorization']?.startsWith('Bearer ')) return challenge
      const [root, name = '', version] = path
      const tell = (one: Version): Answer => ({ status: 200, body: bundleOf(one, name, headers['host'] ?? '') })
      if (root === 'secrets' && method === 'PUT') return tell(this.set(name, parsed(secret, body).value))
      if (root !== 'secrets' || method !== 'GET' || name === '')
        throw new Refusal(404, 'NotFound', 'There is nothing here.')
      if (version === 'versions') {
        const value = this.versions(name).map((one) => ({
          ...bundleOf(one, name, headers['host'] ?? ''),
          value: undefined,
        }))
        return { status: 200, body: { value, nextLink: null } }
      }
      const found = this.versions(name).find(({ id }) => version === undefined || id === version)
      if (!found) throw new Refusal(404, 'SecretNotFound', `A secret with the name '${name}' was not found.`)
      ledger.add({ effect: 'tell', subject: name, key: null, detail: { version: found.id } })
      return tell(found)
    }
}

const bundleOf = ({ id, value, created }: Version, name: string, host: string) => ({
  value,
  id: `http://${host}/secrets/${name}/${id}`,
  attributes: { enabled: true, created, updated: created, recoveryLevel: 'Purgeable' },
  tags: {},
})

/** Lets in who shows one of the keys in `header`; everybody while there are none. */
export function lettingIn(
  header: string,
  keys: () => readonly string[],
  answer: (asked: Asked) => Answer,
): (asked: Asked) => Answer {
  return (asked) => {
    const known = keys()
    if (known.length > 0 && !known.includes(asked.headers[header] ?? ''))
      throw new Refusal(401, 'KEY_WRONG', `There is no such ${header}.`)
    return answer(asked)
  }
}
