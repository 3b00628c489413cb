// Who we are to a partner: fetched when first needed, tokens kept until shortly before they expire, and others looked for when the partner does not take them.
//
// Never: a secret in an error's words, or a token over a connection that anybody can read.

import { isDeepStrictEqual } from 'node:util'
import type { TokenCredential } from '@azure/identity'
import * as oauth from 'oauth4webapi'
import type { Authentication } from '../saga/partner.js'
import { SagaError } from '../saga/errors.js'
import { unreachable } from '../saga/unreachable.js'

/**
 * Reads the secret that an app setting holds or refers to.
 * @param since milliseconds since 1970: one that was read from its source before will not do
 */
export type ReadSecret = (setting: string, since?: number) => Promise<string>

/** What a partner is shown. While nothing has changed it is the same object. */
export interface Shown {
  /** What every request carries. */
  readonly headers: Readonly<Record<string, string>>
  /** What the connection is made with. */
  readonly certificate?: Certificate
}

export interface Certificate {
  readonly cert?: string
  readonly key?: string
  readonly pfx?: Buffer
}

/** Rejects with an error whose words hold no secret. */
export interface Credentials {
  current(): Promise<Shown>
  /** What is to be shown instead of what the partner did not take: the same again, if there is nothing else. */
  insteadOf(refused: Shown): Promise<Shown>
}

/** Milliseconds for a token endpoint to answer. */
const tokenTimeout = 10_000
/** The part of its life after which a token is replaced: one that expires on its way is a 401. */
const usedUp = 0.8

const nobody: Shown = { headers: {} }

export function credentialsFor(
  authentication: Authentication | undefined,
  address: string,
  secret: ReadSecret,
): Credentials {
  switch (authentication?.kind) {
    case undefined:
      return always(nobody)
    case 'apiKey':
      return reading((since) => withKey(authentication, (setting) => secret(setting, since)))
    case 'basic':
      return reading(async (since) => {
        const { userSetting, passwordSetting } = authentication
        const pair = `${await secret(userSetting, since)}:${await secret(passwordSetting, since)}`
        return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } }
      })
    case 'clientCertificate':
      return reading(async (since) => ({
        headers: {},
        certificate: readCertificate(await secret(authentication.certificateSetting, since)),
      }))
    case 'managedIdentity':
      return isOnThisMachine(address) ? always(nobody) : keeping(() => ownToken(authentication.resource ?? address))
    case 'clientCredentials':
      return keeping(() => clientToken(authentication, secret))
    default:
      return unreachable(authentication)
  }
}

async function withKey(
  { header, keySetting, isOptional }: Authentication & { kind: 'apiKey' },
  secret: ReadSecret,
): Promise<Shown> {
  try {
    return { headers: { [header]: await secret(keySetting) } }
  } catch (error) {
    if (isOptional && error instanceof SagaError && error.code === 'SETTING_MISSING') return nobody
    throw error
  }
}

const always = (shown: Shown): Credentials => ({
  current: () => Promise.resolve(shown),
  insteadOf: () => Promise.resolve(shown),
})

/** Made of secrets each time: whoever reads those knows how long they are good. */
function reading(read: (since: number) => Promise<Shown>): Credentials {
  let last: Shown | undefined
  const show = async (since: number) => {
    const shown = await read(since)
    last = last && isDeepStrictEqual(shown, last) ? last : shown
    return last
  }
  return {
    current: () => show(0),
    async insteadOf(refused) {
      const shown = await show(0)
      return shown === refused ? show(Date.now()) : shown
    },
  }
}

interface Token {
  readonly shown: Shown
  /** Milliseconds. */
  readonly lifetime: number
}

/** Fetches one token for all who ask meanwhile, and another when it is used up or refused. */
function keeping(fetch: () => Promise<Token>): Credentials {
  let kept: { readonly shown: Promise<Shown>; settled?: Shown; until: number } | undefined
  const current = () => {
    if (!kept || Date.now() >= kept.until) {
      const token = fetch()
      const fresh: NonNullable<typeof kept> = { shown: token.then(({ shown }) => shown), until: Infinity }
      kept = fresh
      token.then(
        ({ shown, lifetime }) => {
          fresh.settled = shown
          fresh.until = Date.now() + lifetime * usedUp
        },
        () => kept === fresh && (kept = undefined),
      )
    }
    return kept.shown
  }
  return {
    current,
    insteadOf(refused) {
      if (kept?.settled === refused) kept = undefined
      return current()
    },
  }
}

let identity: TokenCredential | undefined

async function ownToken(resource: string): Promise<Token> {
  identity ??= new (await import('@azure/identity')).DefaultAzureCredential()
  const token = await identity.getToken(`${new URL(resource).origin}/.default`)
  if (!token) throw new Error('the identity gave no token')
  return bearer(token.token, token.expiresOnTimestamp - Date.now())
}

type ClientCredentials = Authentication & { kind: 'clientCredentials' }

/** A secret that the token endpoint does not take may have been rotated meanwhile: it is read once more. */
async function clientToken(authentication: ClientCredentials, secret: ReadSecret): Promise<Token> {
  const { clientSecretSetting } = authentication
  const known = await secret(clientSecretSetting)
  try {
    try {
      return await grantedTo(authentication, secret, known)
    } catch (error) {
      const newest = isRefusal(error) ? await secret(clientSecretSetting, Date.now()) : known
      if (newest === known) throw error
      return await grantedTo(authentication, secret, newest)
    }
  } catch (error) {
    // The library's errors carry the whole answer; its code is what may be told.
    const code =
      error instanceof oauth.ResponseBodyError ? error.error : error instanceof Error ? error.name : 'unknown'
    throw new Error(`the token endpoint gave no token (${code})`, { cause: error })
  }
}

const isRefusal = (error: unknown) =>
  error instanceof oauth.ResponseBodyError || error instanceof oauth.WWWAuthenticateChallengeError

async function grantedTo(
  { tokenUrlSetting, clientIdSetting, scope }: ClientCredentials,
  secret: ReadSecret,
  clientSecret: string,
): Promise<Token> {
  const tokenUrl = await secret(tokenUrlSetting)
  const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl }
  const client = { client_id: await secret(clientIdSetting) }
  const response = await oauth.clientCredentialsGrantRequest(
    server,
    client,
    oauth.ClientSecretPost(clientSecret),
    scope === undefined ? {} : { scope },
    {
      signal: () => AbortSignal.timeout(tokenTimeout),
      ...(isOnThisMachine(tokenUrl) ? { [oauth.allowInsecureRequests]: true } : {}),
    },
  )
  const { access_token: token, expires_in: seconds } = await oauth.processClientCredentialsResponse(
    server,
    client,
    response,
  )
  return bearer(token, (seconds ?? 300) * 1_000)
}

function bearer(token: string, lifetime: number): Token {
  return { shown: { headers: { authorization: `Bearer ${token}` } }, lifetime }
}

/** Shorter ones are placeholders, and would be found in innocent words. */
const shortestSecret = 8

/** A partner may quote what it was shown, and what it says becomes a reason that many may read. */
export function withoutSecrets(body: unknown, { headers }: Shown): unknown {
  const secrets = Object.values(headers)
    .map((value) => value.replace(/^(Basic|Bearer) /, ''))
    .filter(({ length }) => length >= shortestSecret)
  if (body === undefined || secrets.length === 0) return body
  return JSON.parse(secrets.reduce((text, secret) => text.replaceAll(inJson(secret), '***'), JSON.stringify(body)))
}

const inJson = (text: string) => JSON.stringify(text).slice(1, -1)

/** Plain http is meant for one's own machine; there is nobody to prove oneself to. */
export function isOnThisMachine(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
}

function readCertificate(text: string): Certificate {
  return text.includes('-----BEGIN') ? { cert: text, key: text } : { pfx: Buffer.from(text, 'base64') }
}
