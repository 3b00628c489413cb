// A system that sagas call: where it is, what it can do, how it lets us in, and how much of us it bears.

import type { AnyAction, PartnerRequest } from './action.js'

export interface Partner {
  readonly name: string
  /** The app setting that holds the address, for example `ERP_URL`. */
  readonly addressSetting: string
  readonly actions: readonly AnyAction[]
  /** Nobody in particular if absent. */
  readonly authentication?: Authentication
  readonly limits?: Limits
  /** How requests that wait for their turn become one; each goes alone if absent. */
  readonly batch?: Batch
}

/** Who we are to the partner. Secrets are named by the app settings that hold them, or that refer to them in Key Vault (`vault:NAME`). */
export type Authentication =
  /** The app's own identity in Entra ID. Never sent without TLS: a partner on this machine, over plain http, gets none. */
  | {
      readonly kind: 'managedIdentity'
      /** For example `https://contoso.crm4.dynamics.com`; the partner's own address if absent. */
      readonly resource?: string
    }
  /** OAuth 2.0 client credentials (RFC 6749 §4.4). */
  | {
      readonly kind: 'clientCredentials'
      readonly tokenUrlSetting: string
      readonly clientIdSetting: string
      readonly clientSecretSetting: string
      readonly scope?: string
    }
  | {
      readonly kind: 'apiKey'
      readonly header: string
      readonly keySetting: string
      /** Where the setting is not there, no key is shown: for a partner that asks for one in some installations only. */
      readonly isOptional?: true
    }
  | { readonly kind: 'basic'; readonly userSetting: string; readonly passwordSetting: string }
  /** TLS with our own certificate: PKCS #12 in base64, as Key Vault gives it, or certificate and key as PEM. */
  | { readonly kind: 'clientCertificate'; readonly certificateSetting: string }

/** Per worker: with several workers the partner meets as many times as much. */
export interface Limits {
  /** Requests at the same time; unlimited if absent. */
  readonly concurrency?: number
  /** Requests in any second; unlimited if absent. */
  readonly perSecond?: number
  /** Milliseconds from the request to the end of the answer; 30 s if absent. */
  readonly answerWithin?: number
  /** Bytes of an answer; 1 MiB if absent. */
  readonly largestAnswer?: number
}

/** A request that carries others. Only what waits for a free place within `limits` is put together. */
export interface Batch {
  /** At most so many in one. */
  readonly most: number
  fits(request: PartnerRequest): boolean
  join(requests: readonly PartnerRequest[]): PartnerRequest
  /** The answers, in the order of the requests. @throws for a body that is no answer to a batch */
  split(body: unknown): readonly BatchAnswer[]
}

export interface BatchAnswer {
  readonly status: number
  readonly body: unknown
  /** The header, as it came. */
  readonly retryAfter?: string
}

/** The app settings that say who we are to the partner. */
export function secretSettingsOf({ authentication }: Partner): string[] {
  return Object.entries(authentication ?? {}).flatMap(([name, setting]) =>
    name.endsWith('Setting') ? [String(setting)] : [],
  )
}

/** Whether these must be there before it can be called. */
export const needsSecrets = ({ authentication }: Partner): boolean =>
  !(authentication?.kind === 'apiKey' && authentication.isOptional)

/** Whether the partner must have an address to answer to later, by a message of its own. */
export const answersLater = ({ actions }: Partner) =>
  actions.some(({ answeredWithin, mayAnswerAtOnce }) => answeredWithin !== undefined && !mayAnswerAtOnce)
