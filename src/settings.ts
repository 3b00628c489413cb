// The app settings: read when they are needed, and all checked once when the app starts.

import { SagaError } from './saga/errors.js'
import { answersLater, needsSecrets, type Partner, secretSettingsOf } from './saga/partner.js'

type Environment = Readonly<Record<string, string | undefined>>

/** The address of a partner, without a slash at its end. */
export function addressIn(setting: string, environment: Environment = process.env): string {
  const text = environment[setting]
  if (!text) throw SagaError.of('SETTING_MISSING', { setting })
  const expected = 'an http or https address without credentials, query or fragment'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw SagaError.of('SETTING_MALFORMED', { setting, expected })
  return text.replace(/\/+$/, '')
}

export type ServiceBusConnection = { readonly connectionString: string } | { readonly namespace: string }

/** How to reach Service Bus: by connection string, or by host name and the app's own identity. */
export function serviceBusConnection(environment: Environment = process.env): ServiceBusConnection {
  const connectionString = environment['ServiceBusConnection']
  if (connectionString) {
    if (!/(^|;)Endpoint=\w+:\/\/[^;]+/i.test(connectionString))
      throw SagaError.of('SETTING_MALFORMED', {
        setting: 'ServiceBusConnection',
        expected: "a connection string that begins with 'Endpoint=sb://'",
      })
    return { connectionString }
  }
  const namespace = environment['ServiceBusConnection__fullyQualifiedNamespace']
  if (!namespace)
    throw SagaError.of('SETTING_MISSING', {
      setting: 'ServiceBusConnection (or ServiceBusConnection__fullyQualifiedNamespace)',
    })
  if (!/^[a-z0-9.-]+$/i.test(namespace))
    throw SagaError.of('SETTING_MALFORMED', {
      setting: 'ServiceBusConnection__fullyQualifiedNamespace',
      expected: 'a host name such as contoso.servicebus.windows.net',
    })
  return { namespace }
}

/** A secret by its name in a vault. */
export interface VaultSecret {
  readonly vault: string
  readonly name: string
}

const reference = 'vault:'

/**
 * A setting holds the secret itself, or `vault:NAME` for one that Key Vault keeps: where a secret lies is for each deployment to say, not for the code.
 * @throws SagaError `SETTING_MISSING` or `SETTING_MALFORMED`
 */
export function secretIn(setting: string, environment: Environment = process.env): string | VaultSecret {
  const text = environment[setting]
  if (!text) throw SagaError.of('SETTING_MISSING', { setting })
  if (!text.startsWith(reference)) return text
  const name = text.slice(reference.length)
  if (!/^[0-9a-z-]{1,127}$/i.test(name)) {
    const expected = `'${reference}' and the name of a secret, which has letters, digits and hyphens only`
    throw SagaError.of('SETTING_MALFORMED', { setting, expected })
  }
  return { vault: vaultIn(setting, environment), name }
}

function vaultIn(referring: string, environment: Environment): string {
  if (!environment['KEY_VAULT_URL'])
    throw SagaError.of('SETTING_MISSING', { setting: `KEY_VAULT_URL, where ${referring} refers to,` })
  const url = addressIn('KEY_VAULT_URL', environment)
  if (/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:|$))/i.test(url)) return url
  const expected = 'an https address; plain http is for this machine alone'
  throw SagaError.of('SETTING_MALFORMED', { setting: 'KEY_VAULT_URL', expected })
}

/** The page that shows the trace of a saga; undefined where nobody has said which. */
export const traceAddress = (id: string, { TRACES_URL: address }: Environment = process.env): string | undefined =>
  address ? address.replace('{id}', encodeURIComponent(id)) : undefined

/** Whether partners are told an address to answer to. */
export const hasCallbacks = ({ CALLBACK_URL: url, CALLBACK_SECRET: secret }: Environment = process.env): boolean =>
  Boolean(url) || Boolean(secret)

/** Who wants notices of sagas' lives. */
export function noticeTargets(environment: Environment = process.env): readonly ('webhook' | 'topic')[] {
  const { NOTICE_WEBHOOK_URL: webhook, NOTICES_TOPIC: topic } = environment
  return [...(webhook ? ['webhook' as const] : []), ...(topic ? ['topic' as const] : [])]
}

/** Where notices are posted to. Unlike a partner's address it may carry a key in its query. @throws SagaError `SETTING_MISSING` or `SETTING_MALFORMED` */
export function noticeWebhook(environment: Environment = process.env): string {
  const { NOTICE_WEBHOOK_URL: text } = environment
  if (!text) throw SagaError.of('SETTING_MISSING', { setting: 'NOTICE_WEBHOOK_URL' })
  if (/^https?:\/\/[^/@?]+([/?]|$)/.test(text) && URL.canParse(text)) return text
  const expected = 'an http or https address without credentials'
  throw SagaError.of('SETTING_MALFORMED', { setting: 'NOTICE_WEBHOOK_URL', expected })
}

/** The key that signs them, of the secret's text. @throws SagaError `SETTING_MALFORMED` */
export function noticeKey(secret: string): Uint8Array {
  const [, text] = /^whsec_([A-Za-z0-9+/]{32,}={0,2})$/.exec(secret) ?? []
  if (text !== undefined) return Buffer.from(text, 'base64')
  const expected = "'whsec_' and at least 24 bytes in base64"
  throw SagaError.of('SETTING_MALFORMED', { setting: 'NOTICE_WEBHOOK_SECRET', expected })
}

/** The topic that they are sent to. @throws SagaError `SETTING_MISSING` */
export function noticesTopic(environment: Environment = process.env): string {
  const { NOTICES_TOPIC: topic } = environment
  if (!topic) throw SagaError.of('SETTING_MISSING', { setting: 'NOTICES_TOPIC' })
  return topic
}

/** @throws SagaError `SETTING_MISSING` or `SETTING_MALFORMED` for the first setting that is not as it must be. */
export function checkSettings(partners: readonly Partner[], environment: Environment = process.env): void {
  serviceBusConnection(environment)
  for (const partner of partners) {
    addressIn(partner.addressSetting, environment)
    for (const setting of secretSettingsOf(partner))
      if (environment[setting] || needsSecrets(partner)) secretIn(setting, environment)
  }
  if (partners.some(answersLater) || hasCallbacks(environment)) {
    addressIn('CALLBACK_URL', environment)
    secretIn('CALLBACK_SECRET', environment)
  }
  if (noticeTargets(environment).includes('webhook')) {
    noticeWebhook(environment)
    const secret = secretIn('NOTICE_WEBHOOK_SECRET', environment)
    if (typeof secret === 'string') noticeKey(secret)
  }
}
