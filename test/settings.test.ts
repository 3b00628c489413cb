// Which settings stop the start, and what is said about them.

import { describe, expect, it } from 'vitest'
import { createCustomer } from '../src/app/partners/erp.js'
import { addressIn, checkSettings, secretIn, serviceBusConnection } from '../src/settings.js'

const erp = {
  name: 'erp',
  addressSetting: 'ERP_URL',
  actions: [],
  authentication: { kind: 'apiKey', header: 'x-api-key', keySetting: 'ERP_KEY' },
} as const
const good = {
  ServiceBusConnection: 'Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=a;SharedAccessKey=b',
  ERP_URL: 'https://erp.example.org/api/',
  ERP_KEY: 'secret',
}

describe('settings', () => {
  it('that are all there let the app start', () => {
    expect(() => checkSettings([erp], good)).not.toThrow()
    expect(addressIn('ERP_URL', good)).toBe('https://erp.example.org/api')
  })

  it.each([
    ['ERP_URL', { ERP_URL: undefined }, 'SETTING_MISSING', 'Setting ERP_URL is missing.'],
    ['ERP_KEY', { ERP_KEY: undefined }, 'SETTING_MISSING', 'Setting ERP_KEY is missing.'],
    ['ERP_URL', { ERP_URL: 'erp.example.org' }, 'SETTING_MALFORMED', 'Setting ERP_URL is not an http or https address'],
    ['ERP_URL', { ERP_URL: 'https://user:secret@erp.example.org' }, 'SETTING_MALFORMED', 'without credentials'],
    [
      'ServiceBusConnection',
      { ServiceBusConnection: undefined },
      'SETTING_MISSING',
      'ServiceBusConnection__fullyQualifiedNamespace',
    ],
    ['ServiceBusConnection', { ServiceBusConnection: 'secret' }, 'SETTING_MALFORMED', 'Endpoint=sb://'],
    [
      'NOTICE_WEBHOOK_SECRET',
      { NOTICE_WEBHOOK_URL: 'https://hooks.example.org/?code=a' },
      'SETTING_MISSING',
      'Setting NOTICE_WEBHOOK_SECRET is missing.',
    ],
    [
      'NOTICE_WEBHOOK_SECRET',
      { NOTICE_WEBHOOK_URL: 'https://hooks.example.org', NOTICE_WEBHOOK_SECRET: 'secret' },
      'SETTING_MALFORMED',
      'base64',
    ],
    [
      'NOTICE_WEBHOOK_URL',
      { NOTICE_WEBHOOK_URL: 'https://user:secret@example.org' },
      'SETTING_MALFORMED',
      'without credentials',
    ],
  ])('with a bad %s (%j) stop the start in one line that does not show the value', (_, change, code, words) => {
    const message = expect.stringContaining(words)
    expect(() => checkSettings([erp], { ...good, ...change })).toThrow(expect.objectContaining({ code, message }))
    expect(() => checkSettings([erp], { ...good, ...change })).not.toThrow(/secret|\n/)
  })

  it('refer to secrets by name, which takes a vault but is not looked up', () => {
    const KEY_VAULT_URL = 'https://contoso.vault.azure.net/'
    const ERP_KEY = 'vault:erp-api-key'

    expect(() => checkSettings([erp], { ...good, ERP_KEY, KEY_VAULT_URL })).not.toThrow()
    expect(secretIn('ERP_KEY', { ERP_KEY, KEY_VAULT_URL })).toEqual({
      vault: 'https://contoso.vault.azure.net',
      name: 'erp-api-key',
    })
    expect(secretIn('ERP_KEY', good)).toBe('secret')
  })

  it.each([
    [{}, 'SETTING_MISSING', 'Setting KEY_VAULT_URL, where ERP_KEY refers to, is missing.'],
    [{ KEY_VAULT_URL: 'http://contoso.vault.azure.net' }, 'SETTING_MALFORMED', 'Setting KEY_VAULT_URL is not an https'],
    [{ ERP_KEY: 'vault:erp/key' }, 'SETTING_MALFORMED', "Setting ERP_KEY is not 'vault:' and the name of a secret"],
  ])('that refer to a secret but with %j stop the start', (change, code, words) => {
    const message = expect.stringContaining(words)
    expect(() => checkSettings([erp], { ...good, ERP_KEY: 'vault:erp-api-key', ...change })).toThrow(
      expect.objectContaining({ code, message }),
    )
  })

  it('for callbacks are needed only when a partner answers later', () => {
    const later = { ...erp, actions: [{ ...createCustomer, answeredWithin: 60_000 }] }
    const callbacks = { CALLBACK_URL: 'https://sagas.example.org', CALLBACK_SECRET: 'secret' }

    expect(() => checkSettings([later], { ...good, ...callbacks })).not.toThrow()
    expect(() => checkSettings([later], good)).toThrow('Setting CALLBACK_URL is missing.')
    expect(() => checkSettings([later], { ...good, ...callbacks, CALLBACK_SECRET: '' })).toThrow(
      'Setting CALLBACK_SECRET is missing.',
    )
  })

  it('name Service Bus by connection string, or by host name for the app’s own identity', () => {
    expect(serviceBusConnection(good)).toEqual({ connectionString: good.ServiceBusConnection })
    expect(
      serviceBusConnection({ ServiceBusConnection__fullyQualifiedNamespace: 'contoso.servicebus.windows.net' }),
    ).toEqual({ namespace: 'contoso.servicebus.windows.net' })
  })
})
