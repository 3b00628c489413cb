// Who we are to a partner: fetched when first needed, kept until shortly before it expires, forgotten when the partner does not take it.
//
// Never: a secret in an error's words, or a token over a connection that anybody can read.

import { DefaultAzureCredential } from '@azure/identity'
import * as oauth from 'oauth4webapi'
import type { Authentication } from '../saga/partner.js'
import { unreachable } from '../saga/unreachable.js'

/** Reads the secret that an app setting holds. */
export type ReadSecret = (setting: string) => Promise<string>

export interface Certificate {
  readonly cert?: string
  readonly key?: string
  readonly pfx?: Buffer
}

export interface Credentials {
  /** What every request carries. @throws Error whose words hold no secret */
  headers(): Promise<Record<string, string>>
  /** What the connection is made with. */
  certificate(): Promise<Certificate>
  /** The partner did not take them. */
  forget(): void
}

/** Milliseconds for a token endpoint to answer. */
const tokenTimeout = 10_000
/** The part of its life after which a token is replaced: one that expires on its way is a 401. */
const usedUp = 0.8

interface Lent {
  readonly headers: Record<string, string>
  /** Milliseconds. */
  readonly lifetime: number
}

export function credentialsFor(
  authentication: Authentication | undefined,
  address: string,
  secret: ReadSecret,
): Credentials {
  switch (authentication?.kind) {
    case undefined:
      return keeping(() => always({}))
    case 'apiKey':
      return keeping(async () => always({ [authentication.header]: await secret(authentication.keySetting) }))
    case 'basic':
      return keeping(async () => {
        const { userSetting, passwordSetting } = authentication
        const pair = `${await secret(userSetting)}:${await secret(passwordSetting)}`
        return always({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
      })
    case 'managedIdentity':
      return keeping(() => (isOnThisMachine(address) ? always({}) : ownToken(authentication.resource ?? address)))
    case 'clientCredentials':
      return keeping(() => clientToken(authentication, secret))
    case 'clientCertificate': {
      const certificate = async () => readCertificate(await secret(authentication.certificateSetting))
      return { ...keeping(() => always({})), certificate }
    }
    default:
      return unreachable(authentication)
  }
}

/** Fetches once for all who ask meanwhile, and again when it is used up or forgotten. */
function keeping(fetch: () => Promise<Lent>): Credentials {
  let kept: { readonly lent: Promise<Lent>; until: number } | undefined
  return {
    certificate: () => Promise.resolve({}),
    forget: () => (kept = undefined),
    async headers() {
      if (!kept || Date.now() >= kept.until) {
        const fresh = { lent: fetch(), until: Infinity }
        kept = fresh
        fresh.lent.then(
          ({ lifetime }) => (fresh.until = Date.now() + lifetime * usedUp),
          () => kept === fresh && (kept = undefined),
        )
      }
      return (await kept.lent).headers
    },
  }
}

const always = (headers: Record<string, string>): Promise<Lent> => Promise.resolve({ headers, lifetime: Infinity })

let identity: DefaultAzureCredential | undefined

async function ownToken(resource: string): Promise<Lent> {
  identity ??= new DefaultAzureCredential()
  const { token, expiresOnTimestamp } = await identity.getToken(`${new URL(resource).origin}/.default`)
  return bearer(token, expiresOnTimestamp - Date.now())
}

async function clientToken(
  { tokenUrlSetting, clientIdSetting, clientSecretSetting, scope }: Authentication & { kind: 'clientCredentials' },
  secret: ReadSecret,
): Promise<Lent> {
  const tokenUrl = await secret(tokenUrlSetting)
  const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl }
  const client = { client_id: await secret(clientIdSetting) }
  try {
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretPost(await secret(clientSecretSetting)),
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
  } catch (error) {
    // The library's errors carry the whole answer; its code is what may be told.
    const code =
      error instanceof oauth.ResponseBodyError ? error.error : error instanceof Error ? error.name : 'unknown'
    throw new Error(`the token endpoint gave no token (${code})`, { cause: error })
  }
}

function bearer(token: string, lifetime: number): Lent {
  return { headers: { authorization: `Bearer ${token}` }, lifetime }
}

/** Plain http is meant for one's own machine; there is nobody to prove oneself to. */
export function isOnThisMachine(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
}

function readCertificate(text: string): Certificate {
  return text.includes('-----BEGIN') ? { cert: text, key: text } : { pfx: Buffer.from(text, 'base64') }
}
