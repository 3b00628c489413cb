// Who may connect: shared access signatures, checked when keys are configured. Without keys every token is welcome.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { unauthorized } from './errors.js'

/** Shared access keys, by name. */
export type AccessKeys = ReadonlyMap<string, string>

/**
 * `SharedAccessSignature sr={audience}&sig={HMAC-SHA256}&se={seconds since 1970}&skn={name of the key}`
 * @throws BrokerError `amqp:unauthorized-access`
 */
export function checkToken(token: string, keys: AccessKeys, now: number): void {
  const fields = new URLSearchParams(token.replace(/^SharedAccessSignature /, '').replaceAll('+', '%2B'))
  const [audience = '', signature = '', expiry = '', name = ''] = ['sr', 'sig', 'se', 'skn'].map(
    (one) => fields.get(one) ?? '',
  )
  const key = keys.get(name)
  if (key === undefined) throw unauthorized(`There is no shared access key '${name}'.`)
  const expected = createHmac('sha256', key)
    .update(`${encodeURIComponent(audience)}\n${expiry}`)
    .digest()
  const given = Buffer.from(signature, 'base64')
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw unauthorized(`The token was not signed with the key '${name}'.`)
  if (Number(expiry) * 1_000 <= now) throw unauthorized('The token has expired.')
}
