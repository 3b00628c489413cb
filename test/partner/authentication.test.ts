// How each partner is shown who we are, over real connections; one of them asks for a certificate.

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server } from 'node:net'
import { TLSSocket } from 'node:tls'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { credentialsFor, type ReadSecret } from '../../src/partner/authentication.js'
import { Gateway } from '../../src/partner/gateway.js'
import { SagaError } from '../../src/saga/errors.js'
import type { Authentication, Partner } from '../../src/saga/partner.js'

const open: Server[] = []
afterEach(() => {
  vi.unstubAllEnvs()
  for (const server of open.splice(0)) server.close()
})

async function listen(server: Server): Promise<number> {
  open.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

const serve = async (listener: RequestListener) => `http://127.0.0.1:${await listen(createServer(listener))}`

const gatewayReading = (address: string, authentication: Authentication, secret: ReadSecret) => {
  const partner: Partner = { name: 'erp', addressSetting: 'ERP_URL', actions: [], authentication }
  return new Gateway(partner, address, secret)
}
const gatewayTo = (address: string, authentication: Authentication, secrets: Record<string, string>) =>
  gatewayReading(address, authentication, async (name) => secrets[name] ?? '')
const get = { method: 'GET', path: '/' } as const

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** A token endpoint that gives `token-1`, `token-2`, …, each for so many seconds. */
async function tokenEndpoint(seconds: number) {
  const asked: string[] = []
  const url = await serve((request, response) => {
    void textOf(request).then((body) => {
      asked.push(body)
      const isKnown = body.includes('client_secret=right')
      const answer = isKnown
        ? { access_token: `token-${asked.length}`, token_type: 'Bearer', expires_in: seconds }
        : { error: 'invalid_client', error_description: 'who are you' }
      response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  return { url, asked }
}

it('a key that may be missing is shown where it is there', async () => {
  const seen: (string | undefined)[] = []
  const url = await serve(({ headers }, response) => {
    seen.push(headers['x-api-key']?.toString())
    response.end()
  })
  const key: Authentication = { kind: 'apiKey', header: 'x-api-key', keySetting: 'ERP_API_KEY', isOptional: true }
  const missing: ReadSecret = (setting) => Promise.reject(SagaError.of('SETTING_MISSING', { setting }))

  await gatewayTo(url, key, { ERP_API_KEY: 'k1' }).ask(get, {})
  await gatewayReading(url, key, missing).ask(get, {})
  const needed = await gatewayReading(
    url,
    { kind: 'apiKey', header: 'x-api-key', keySetting: 'ERP_API_KEY' },
    missing,
  ).ask(get, {})

  expect(seen).toEqual(['k1', undefined])
  expect(needed).toMatchObject({ sent: false })
})

const clientCredentials: Authentication = {
  kind: 'clientCredentials',
  tokenUrlSetting: 'URL',
  clientIdSetting: 'ID',
  clientSecretSetting: 'SECRET',
  scope: 'orders.write',
}

describe('a partner is shown', () => {
  it.each<[Authentication, string, string]>([
    [{ kind: 'apiKey', header: 'x-api-key', keySetting: 'KEY' }, 'x-api-key', 'k-1'],
    [{ kind: 'basic', userSetting: 'USER', passwordSetting: 'PASS' }, 'authorization', 'Basic YWRhOnB3OjE='],
  ])('%j as header %s: %s', async (authentication, header, value) => {
    const url = await serve((request, response) => response.end(JSON.stringify(request.headers)))
    const gateway = gatewayTo(url, authentication, { KEY: 'k-1', USER: 'ada', PASS: 'pw:1' })

    expect(await gateway.ask(get, {})).toMatchObject({ status: 200, body: { [header]: value } })
  })

  it('one token for all requests at once, and a new one when it did not take the old', async () => {
    const { url: tokens, asked } = await tokenEndpoint(3600)
    const url = await serve((request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer token-2' ? 200 : 401).end()
    })
    const gateway = gatewayTo(url, clientCredentials, { URL: tokens, ID: 'us', SECRET: 'right' })

    const replies = await Promise.all([gateway.ask(get, {}), gateway.ask(get, {}), gateway.ask(get, {})])

    expect(replies).toMatchObject([{ status: 200 }, { status: 200 }, { status: 200 }])
    expect(asked).toHaveLength(2)
    expect(asked[0]).toContain('grant_type=client_credentials')
    expect(asked[0]).toContain('scope=orders.write')
  })

  it('a new token before the old one expires', async () => {
    const { url } = await tokenEndpoint(0)
    const credentials = credentialsFor(clientCredentials, 'https://x', async (name) =>
      name === 'URL' ? url : name === 'SECRET' ? 'right' : 'us',
    )

    expect(await credentials.current()).toEqual({ headers: { authorization: 'Bearer token-1' } })
    expect(await credentials.current()).toEqual({ headers: { authorization: 'Bearer token-2' } })
  })

  it('nothing when there is no token: the request is not sent, and no secret is told', async () => {
    const { url: tokens } = await tokenEndpoint(3600)
    const gateway = gatewayTo('http://127.0.0.1:1', clientCredentials, { URL: tokens, ID: 'us', SECRET: 'wrong' })

    expect(await gateway.ask(get, {})).toEqual({
      failed: 'no credentials: the token endpoint gave no token (invalid_client)',
      sent: false,
    })
  })

  it('no token of the app’s own identity over plain http on this machine', async () => {
    const credentials = credentialsFor({ kind: 'managedIdentity' }, 'http://127.0.0.1:7081', async () => '')

    expect(await credentials.current()).toEqual({ headers: {} })
  })

  it('a certificate, and the next one as soon as there is one', async () => {
    const url = await certificateServer()
    const [ours, theirs] = ['ours', 'theirs'].map((name) =>
      readFileSync(`test/partner/certificates/${name}.pem`, 'utf8'),
    )
    let certificate = ours ?? ''
    const authentication: Authentication = { kind: 'clientCertificate', certificateSetting: 'CERT' }
    const gateway = gatewayReading(url, authentication, async () => certificate)

    const first = await gateway.ask(get, {})
    certificate = theirs ?? ''
    const second = await gateway.ask(get, {})

    expect([first, second]).toMatchObject([{ body: { you: 'saga-app' } }, { body: { you: '127.0.0.1' } }])
  })

  it('the same object while the secret is the same, so that connections are kept', async () => {
    const credentials = credentialsFor(
      { kind: 'clientCertificate', certificateSetting: 'CERT' },
      'https://x',
      async () => 'AAAA',
    )
    const shown = await credentials.current()

    expect(shown.certificate?.pfx).toEqual(Buffer.from('AAAA', 'base64'))
    expect(await credentials.current()).toBe(shown)
    expect(await credentials.insteadOf(shown)).toBe(shown)
  })
})

describe('a partner that does not take what it is shown', () => {
  /** A secret that was rotated: whoever read it before has the old one until somebody refuses that. */
  const rotated =
    (old: string, fresh: string): ReadSecret =>
    async (setting, since = 0) =>
      setting === 'KEY' || setting === 'SECRET' ? (since > 0 ? fresh : old) : setting

  async function partnerThatTakes(header: string, value: string) {
    const asked: IncomingHttpHeaders[] = []
    const url = await serve((request, response) => {
      asked.push(request.headers)
      response.writeHead(request.headers[header] === value ? 200 : 401).end()
    })
    return { url, asked }
  }

  const apiKey: Authentication = { kind: 'apiKey', header: 'x-api-key', keySetting: 'KEY' }

  it('is asked again at once with the newest key, under the same idempotency key', async () => {
    const { url, asked } = await partnerThatTakes('x-api-key', 'new')
    const gateway = gatewayReading(url, apiKey, rotated('old', 'new'))

    expect(await gateway.ask(get, { 'idempotency-key': 'k-1' })).toMatchObject({ status: 200 })
    expect(asked.map((headers) => [headers['x-api-key'], headers['idempotency-key']])).toEqual([
      ['old', 'k-1'],
      ['new', 'k-1'],
    ])
  })

  it('is asked again once only', async () => {
    const { url, asked } = await partnerThatTakes('x-api-key', 'another')
    const gateway = gatewayReading(url, apiKey, rotated('old', 'new'))

    expect(await gateway.ask(get, {})).toMatchObject({ status: 401 })
    expect(asked).toHaveLength(2)
  })

  it.each<[string, ReadSecret]>([
    ['the key is still the same', rotated('old', 'old')],
    [
      'the vault does not answer',
      async (_, since = 0) => {
        if (since > 0) throw new Error('no answer')
        return 'old'
      },
    ],
  ])('is not asked again when %s', async (_, secret) => {
    const { url, asked } = await partnerThatTakes('x-api-key', 'new')

    expect(await gatewayReading(url, apiKey, secret).ask(get, {})).toMatchObject({ status: 401 })
    expect(asked).toHaveLength(1)
  })

  it('and quotes it is not quoted', async () => {
    const url = await serve((request, response) => {
      const message = `There is no key "${String(request.headers['x-api-key'])}".`
      response.writeHead(403).end(JSON.stringify({ error: { code: 'WRONG', message } }))
    })

    const reply = await gatewayTo(url, apiKey, { KEY: 'canary"4711' }).ask(get, {})

    expect(reply).toMatchObject({ status: 403, body: { error: { message: 'There is no key "***".' } } })
  })

  it('is not asked at all with a key that can not be sent', async () => {
    const { url, asked } = await partnerThatTakes('x-api-key', 'new')

    const reply = await gatewayTo(url, apiKey, { KEY: 'canary\n' }).ask(get, {})

    expect(reply).toEqual({ failed: expect.not.stringContaining('canary'), sent: false })
    expect(asked).toEqual([])
  })

  it('lets the client’s own secret be read again when it is the token endpoint', async () => {
    const { url, asked } = await tokenEndpoint(3600)
    const secret: ReadSecret = (setting, since) =>
      setting === 'URL' ? Promise.resolve(url) : rotated('wrong', 'right')(setting, since)
    const partner = await partnerThatTakes('authorization', 'Bearer token-2')

    expect(await gatewayReading(partner.url, clientCredentials, secret).ask(get, {})).toMatchObject({ status: 200 })
    expect(asked).toHaveLength(2)
  })
})

/** Tells who asks. */
async function certificateServer(): Promise<string> {
  // Made for this test alone, good for a century. The server's is its own authority, which the client is told to bear.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  const theirs = readFileSync('test/partner/certificates/theirs.pem', 'utf8')
  const tls = { key: theirs, cert: theirs, requestCert: true, rejectUnauthorized: false }
  const server = createTlsServer(tls, ({ socket }, response) => {
    response.end(JSON.stringify({ you: socket instanceof TLSSocket ? socket.getPeerCertificate().subject.CN : '' }))
  })
  return `https://127.0.0.1:${await listen(server)}`
}
