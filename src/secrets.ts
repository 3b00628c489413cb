// The secrets that settings hold or refer to. Those of Key Vault are fetched when first needed, and kept for some minutes.
//
// Promises: whoever asks at the same time waits for one request. While the vault does not answer, what it told before is used on; when it says no, it is believed.
// Never: a secret in an error's words, or the identity's token over a connection that anybody can read.

import type { SecretClient } from '@azure/keyvault-secrets'
import { isOnThisMachine } from './partner/authentication.js'
import { SagaError } from './saga/errors.js'
import { secretIn, type VaultSecret } from './settings.js'

/** Milliseconds for which what the vault told is used without asking again. */
const keptFor = 600_000
/** Milliseconds until a vault that did not answer is asked again, while an older value is there. */
const pause = 60_000
/** Milliseconds until a secret is read again that was refused and read again already, and was still the same. */
const calm = 1_000
/** Older ones have signed nothing that is still waited for. */
const mostVersions = 5
/** Milliseconds for the vault to answer, its client's own retries included. */
const answerWithin = 10_000

/**
 * @param since milliseconds since 1970: what the vault told before will not do, since somebody has refused it then
 * @throws SagaError `SETTING_MISSING`, `SETTING_MALFORMED`, `SECRET_UNREADABLE`
 */
export async function readSecret(setting: string, since = 0): Promise<string> {
  const secret = secretIn(setting)
  return typeof secret === 'string' ? secret : keptOf(secret).read(since)
}

/**
 * All versions that the vault has not disabled, the newest first: for what was signed before a rotation, or by a worker that knows of one already.
 * @throws as `readSecret`
 */
export async function readVersions(setting: string): Promise<readonly string[]> {
  const secret = secretIn(setting)
  return typeof secret === 'string' ? [secret] : keptOf(secret).versions()
}

const kept = new Map<string, KeptSecret>()

function keptOf(secret: VaultSecret): KeptSecret {
  const key = `${secret.vault} ${secret.name}`
  const known = kept.get(key) ?? new KeptSecret(secret)
  kept.set(key, known)
  return known
}

/** One secret, whatever version of it is the newest. */
class KeptSecret {
  readonly #secret: VaultSecret
  #value: string | undefined
  /** When the vault was last asked for the value that is kept. */
  #askedAt = 0
  #calmUntil = 0
  #until = 0
  #fetching: Promise<string> | undefined
  #versions: { readonly told: Promise<readonly string[]>; readonly askedAt: number } | undefined

  constructor(secret: VaultSecret) {
    this.#secret = secret
  }

  async read(since: number): Promise<string> {
    const now = Date.now()
    const isFresh = now < this.#until && this.#askedAt >= since
    if (this.#value !== undefined && (isFresh || now < this.#calmUntil)) return this.#value
    this.#fetching ??= this.#fetch(now).finally(() => (this.#fetching = undefined))
    return this.#fetching
  }

  async #fetch(now: number): Promise<string> {
    const before = this.#value
    let value: string
    try {
      value = await this.#ask()
      this.#until = now + keptFor
    } catch (error) {
      this.#value = saysNo(error) ? undefined : before
      if (this.#value === undefined) throw this.#unreadable(error)
      value = this.#value
      this.#until = now + pause
    }
    if (value === before) this.#calmUntil = now + calm
    this.#askedAt = now
    this.#value = value
    return value
  }

  async #ask(): Promise<string> {
    const client = await clientOf(this.#secret.vault)
    const told = await client.getSecret(this.#secret.name, { abortSignal: AbortSignal.timeout(answerWithin) })
    return told.value ?? ''
  }

  /** Anybody's wrong token leads here, so the vault is asked once in a second at most. */
  versions(): Promise<readonly string[]> {
    const now = Date.now()
    if (!this.#versions || now >= this.#versions.askedAt + calm) this.#versions = { told: this.#askAll(), askedAt: now }
    return this.#versions.told
  }

  async #askAll(): Promise<readonly string[]> {
    const { vault, name } = this.#secret
    const options = { abortSignal: AbortSignal.timeout(answerWithin) }
    try {
      const client = await clientOf(vault)
      const found: { readonly version: string; readonly createdAt: number }[] = []
      for await (const { version, enabled, createdOn } of client.listPropertiesOfSecretVersions(name, options))
        if (version && enabled) found.push({ version, createdAt: Number(createdOn) })
      const newest = found.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, mostVersions)
      const told = await Promise.all(newest.map(({ version }) => client.getSecret(name, { ...options, version })))
      const values = told.map(({ value = '' }) => value)
      if (this.#value !== undefined) this.#value = values[0] ?? this.#value
      return values
    } catch (error) {
      throw this.#unreadable(error)
    }
  }

  #unreadable(error: unknown): SagaError {
    return SagaError.of('SECRET_UNREADABLE', { secret: this.#secret.name, why: codeOf(error) })
  }
}

/** What is used of the client. */
type Vault = Pick<SecretClient, 'getSecret' | 'listPropertiesOfSecretVersions'>

let client: Promise<Vault> | undefined

/** Made when it is first needed: on a developer's machine it never is. There is one vault, that of KEY_VAULT_URL. */
function clientOf(vault: string): Promise<Vault> {
  client ??= open(vault)
  return client
}

async function open(vault: string): Promise<Vault> {
  const { SecretClient } = await import('@azure/keyvault-secrets')
  const options = { retryOptions: { maxRetries: 2, retryDelayInMs: 300 } }
  if (isOnThisMachine(vault)) {
    // It asks for a token, as every vault does, but there is nobody to prove oneself to.
    const nobody = { getToken: () => Promise.resolve({ token: 'local', expiresOnTimestamp: Infinity }) }
    const insecure = { allowInsecureConnection: true, disableChallengeResourceVerification: true }
    return new SecretClient(vault, nobody, { ...options, ...insecure })
  }
  const { DefaultAzureCredential } = await import('@azure/identity')
  return new SecretClient(vault, new DefaultAzureCredential(), options)
}

/** Unlike one that does not answer, or can't for now. */
function saysNo(error: unknown): boolean {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 0
  return status >= 400 && status < 500 && status !== 408 && status !== 429
}

/** The words of the client's errors may quote more than is to be told; its codes name what happened. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
