// The app settings: read when they are needed, and all checked once when the app starts.

import { SagaError } from './saga/errors.js'
import { answersLater, type Partner, secretSettingsOf } from './saga/partner.js'

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

/** @throws SagaError `SETTING_MISSING` */
export function secretIn(setting: string, environment: Environment = process.env): string {
  const text = environment[setting]
  if (!text) throw SagaError.of('SETTING_MISSING', { setting })
  return text
}

/** Whether partners are told an address to answer to. */
export const hasCallbacks = ({ CALLBACK_URL: url, CALLBACK_SECRET: secret }: Environment = process.env): boolean =>
  Boolean(url) || Boolean(secret)

/** @throws SagaError `SETTING_MISSING` or `SETTING_MALFORMED` for the first setting that is not as it must be. */
export function checkSettings(partners: readonly Partner[], environment: Environment = process.env): void {
  serviceBusConnection(environment)
  for (const partner of partners) {
    addressIn(partner.addressSetting, environment)
    for (const setting of secretSettingsOf(partner)) secretIn(setting, environment)
  }
  if (partners.some(answersLater) || hasCallbacks(environment)) {
    addressIn('CALLBACK_URL', environment)
    secretIn('CALLBACK_SECRET', environment)
  }
}
