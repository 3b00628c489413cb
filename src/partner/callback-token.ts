// Proof that a partner's later answer belongs to a call of ours: the call's idempotency key, signed. Nothing has to be remembered for it.

import { createHmac, timingSafeEqual } from 'node:crypto'

/** Fit for a path segment of a URL. */
export function callbackToken(key: string, secret: string): string {
  return `${Buffer.from(key).toString('base64url')}.${signatureOf(key, secret).toString('base64url')}`
}

/** The key in a token that was signed with this secret; undefined for any other text. */
export function keyInToken(token: string, secret: string): string | undefined {
  const [encoded = '', signature = ''] = token.split('.')
  const key = Buffer.from(encoded, 'base64url').toString()
  const expected = signatureOf(key, secret)
  const given = Buffer.from(signature, 'base64url')
  return given.length === expected.length && timingSafeEqual(given, expected) ? key : undefined
}

const signatureOf = (key: string, secret: string) => createHmac('sha256', secret).update(key).digest()
