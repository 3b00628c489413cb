// The HTTP API of operators: every operation that openapi.json describes is called, and its answer held against the description.

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'
import { type Installation, until } from '../../local/installation.js'
import type { Route } from '../../src/operators/route.js'
import { routes } from '../../src/operators/routes.js'
import { withInstallation } from './with-installation.js'

/** Planted as personal data: of the contacts that fare well, and badly. */
const canary = { firstName: 'Zephyrine', lastName: 'Quetzalcoatl', email: 'zephyrine.quetzalcoatl@canary.example' }
const seen = /zephyrine|quetzalcoatl|canary\.example/i

const keys = { READER_KEY: 'the-reader', OPERATOR_KEY: 'the-operator', ADMIN_KEY: 'the-admin' }

/** An ERP that says no to everybody, and whom it means. */
const refusing: Server = createServer((request, response) => {
  let text = ''
  request.on('data', (part) => (text += String(part)))
  request.on('end', () => {
    const { name, email } = JSON.parse(text)
    const error = { code: 'NAME_TAKEN', message: `${name} <${email}> is known as "${name}" already` }
    response.writeHead(422, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
})
const environment: Record<string, string> = { ...keys, ERP_API_KEY: 'any' }
beforeAll(async () => {
  refusing.listen(0, '127.0.0.1')
  await once(refusing, 'listening')
  const address = refusing.address()
  environment['ERP_URL'] = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
})
afterAll(() => void refusing.close())

let installation: Installation
withInstallation(environment, (its) => (installation = its))

type Role = keyof typeof keys

const ask = (path: string, as: Role = 'READER_KEY', init: RequestInit = {}) =>
  fetch(`${installation.at.app}/api/${path}`, {
    ...init,
    headers: { 'x-functions-key': keys[as], 'content-type': 'application/json' },
  })
const post = (path: string, body: object, as: Role = 'OPERATOR_KEY') =>
  ask(path, as, { method: 'POST', body: JSON.stringify(body) })

const json = async (response: Response) => JSON.parse(await response.text())

const person = { actor: 'ops@example.org', reason: 'a test' }

const page = z.object({ sagas: z.array(z.looseObject({ id: z.string(), rowId: z.string(), phase: z.string() })) })

async function sagaOf(rowId: string, phase: string) {
  return until(`the saga is ${phase}`, async () => {
    const { sagas } = page.parse(await json(await ask(`sagas?rowId=${rowId}`)))
    return sagas.find((saga) => saga.phase === phase)
  })
}

/** Of a contact that the ERP has refused, and of one that can't be undone. */
let compensated: { id: string; rowId: string }
let held: { id: string; rowId: string }

beforeAll(async () => {
  const rows = [randomUUID(), randomUUID()] as const
  const [first, second] = rows
  const messages = await Promise.all(rows.map((rowId) => installation.createContact({ rowId, ...canary })))
  await installation.addFaults('masterData', [
    { when: { path: '/records/', contains: 'retire' }, times: 1, do: { status: 400 } },
  ])
  if (messages[1]) await installation.send(messages[1])
  held = await sagaOf(second, 'held')
  if (messages[0]) await installation.send(messages[0])
  compensated = await sagaOf(first, 'compensated')
  await installation.send({ body: Buffer.from('{broken') })
})

async function firstEvent(path: string): Promise<unknown> {
  const response = await ask(path)
  const parts = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (!/^data: .*$/m.test(text)) {
    const { value, done } = (await parts?.read()) ?? { done: true }
    if (done) break
    text += value ?? ''
  }
  await parts?.cancel()
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(text).toMatch(/^retry: \d+\n\nevent: saga\n/)
  return JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? 'null')
}

const deadLetter = () =>
  until('the message is dead-lettered', async () => {
    const { deadLetters } = await json(await ask('dead-letters'))
    return deadLetters[0]?.sequenceNumber
  })

const bulkId = () =>
  until('there is a bulk command', async () => {
    const { jobs } = await json(await ask('bulk'))
    return jobs[0]?.id
  })

/** How each operation is called. */
const operations: Readonly<Record<string, () => Promise<Response> | Promise<{ readonly event: unknown }>>> = {
  listSagas: () => ask(`sagas?phase=compensated&partner=erp&text=NAME_TAKEN&limit=5`),
  countSagas: () => ask('sagas/counts?phase=open'),
  listCauses: () => ask('sagas/causes'),
  watchSagas: async () => {
    const event = firstEvent('sagas/events?phase=held')
    const say = async () => (await post(`sagas/${held.id}/hold`, person)).status
    await until('it is on hold', async () => (await say()) !== 500)
    return { event: await event }
  },
  tellSaga: () => ask(`sagas/${held.id}`),
  watchSaga: async () => ({ event: await firstEvent(`sagas/${compensated.id}/events`) }),
  tellHistory: () => ask(`sagas/${held.id}/history`),
  listCalls: () => ask(`sagas/${held.id}/calls`),
  previewCommand: () => post(`sagas/${held.id}/retry/preview`, person),
  commandSaga: () => post(`sagas/${held.id}/resume`, person),
  tellRecord: () => ask(`records/contact/${compensated.rowId}`),
  listPartners: () => ask('partners'),
  listDefinitions: () => ask('definitions'),
  listDeadLetters: () => ask('dead-letters'),
  resubmitDeadLetter: async () => post(`dead-letters/${await deadLetter()}/resubmit?queue=dataverse-events`, person),
  discardDeadLetter: async () => post(`dead-letters/${await deadLetter()}/discard?queue=dataverse-events`, person),
  startBulk: () => post('bulk', { ...person, command: 'hold', ids: [held.id] }),
  listBulk: () => ask('bulk'),
  tellBulk: async () => ask(`bulk/${await bulkId()}`),
  stopBulk: async () => {
    // Sagas that are not there take their time all the same.
    const ids = Array.from({ length: 50 }, (_, index) => held.id.slice(0, -2) + String(index).padStart(2, '0'))
    const slow = { ...person, command: 'hold', ids, perSecond: 1 }
    const { id } = await json(await post('bulk', slow))
    return post(`bulk/${id}/stop`, person)
  },
  listOperations: () => ask('operations'),
  tellMe: () => ask('me'),
  tellOpenApi: () => ask('openapi.json'),
  takeEvent: async () => {
    const { body } = await installation.createContact({ rowId: randomUUID(), ...canary })
    return ask('events', 'READER_KEY', { method: 'POST', body: new Uint8Array(body) })
  },
  takeCallback: () => ask('callbacks/nonsense', 'READER_KEY', { method: 'POST', body: '{}' }),
  listReconciliations: () => ask('reconciliations'),
  startReconciliations: () => post('reconciliations', {}),
  tellHealth: () => ask('health'),
}

const described = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        operationId: z.string(),
        responses: z.record(
          z.string(),
          z.object({
            content: z.record(z.string(), z.object({ schema: z.looseObject({ 'x-event': z.unknown().optional() }) })),
          }),
        ),
      }),
    ),
  ),
  components: z.looseObject({}),
})

describe('openapi.json', () => {
  it('describes every answer as it is, and none of them tells a value', async () => {
    const document = described.parse(await json(await ask('openapi.json')))
    const ajv = new Ajv2020({ strict: false })
    addFormats.default(ajv)
    ajv.addSchema({ $id: 'api', components: document.components })
    const isValid = (schema: object, value: unknown) => {
      const check = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')))
      return check(value) ? undefined : ajv.errorsText(check.errors)
    }
    const all = Object.values(document.paths).flatMap((methods) => Object.values(methods))
    expect(all.map(({ operationId }) => operationId).filter((id) => !operations[id])).toEqual([])

    const wrong: string[] = []
    for (const { operationId, responses } of all) {
      const answer = await operations[operationId]?.()
      if (!answer) continue
      if ('event' in answer) {
        const schema = z.looseObject({}).parse(responses['200']?.content['text/event-stream']?.schema['x-event'])
        const why = isValid(schema, answer.event)
        if (why !== undefined) wrong.push(`${operationId}: ${why}`)
        if (seen.test(JSON.stringify(answer.event))) wrong.push(`${operationId} tells a value`)
        continue
      }
      const text = await answer.text()
      const [type = ''] = (answer.headers.get('content-type') ?? '').split(';')
      const schema = (responses[answer.status] ?? responses['default'])?.content[type]?.schema
      const why = schema ? isValid(schema, JSON.parse(text)) : `no answer of ${answer.status} ${type} is described`
      if (why !== undefined) wrong.push(`${operationId}: ${why}: ${text.slice(0, 300)}`)
      if (!answer.ok && operationId !== 'takeCallback') wrong.push(`${operationId}: ${answer.status} ${text}`)
      if (seen.test(text)) wrong.push(`${operationId} tells a value: ${text}`)
    }
    expect(wrong).toEqual([])
  })
})

describe('a saga', () => {
  it('is found by each filter, and by none that it does not fit', async () => {
    const { id, rowId } = compensated
    const { causes } = await json(await ask('sagas/causes?phase=compensated'))
    expect(causes[0]).toMatchObject({
      step: 'create-customer',
      partner: 'erp',
      what: 'do',
      kind: 'compensated',
      sample: expect.arrayContaining([id]),
    })
    const found = async (query: string) =>
      page.parse(await json(await ask(`sagas?${query}`))).sagas.map((saga) => saga.id)

    for (const query of [
      `rowId=${rowId}`,
      `cause=${causes[0].cause}&rowId=${rowId}`,
      `text=name_taken&table=contact&rowId=${rowId}`,
      `prefix=${id}&saga=contact-onboarding`,
    ])
      expect([query, await found(query)]).toEqual([query, [id]])
    for (const query of ['phase=completed', 'table=account', 'partner=nobody', 'until=2020-01-01', 'text=Zephyrine'])
      expect([query, await found(query)]).toEqual([query, []])
  })

  it('tells which commands are legal now, and why the others are not', async () => {
    const { commands } = await json(await ask(`sagas/${compensated.id}`))
    expect(commands).not.toEqual([])
    for (const one of commands) expect(one).toMatchObject({ allowed: false, why: 'the saga is compensated' })

    const now = await json(await ask(`sagas/${held.id}`))
    const legal = now.commands.filter((one: { allowed: boolean }) => one.allowed)
    expect(legal.map((one: { command: string; step?: string }) => [one.command, one.step].join(' '))).toEqual(
      expect.arrayContaining(['retry ', 'retry register', 'writeOff register']),
    )
    const skip = now.commands.find(
      (one: { command: string; step?: string }) => one.command === 'skip' && one.step === 'register',
    )
    expect(skip).toEqual({ command: 'skip', step: 'register', allowed: false, why: 'the saga is being undone' })
  })

  it('shows its values to an Admin who says why, which is written down, and to nobody else', async () => {
    const plain = await json(await ask(`sagas/${held.id}/calls`, 'ADMIN_KEY'))
    const refused = await ask(`sagas/${held.id}/calls?reveal=curious`, 'OPERATOR_KEY')
    const revealed = await json(await ask(`sagas/${held.id}/calls?reveal=customer+asks`, 'ADMIN_KEY'))

    expect(plain.masked).toBe(true)
    expect(JSON.stringify(plain)).not.toMatch(seen)
    expect([refused.status, (await json(refused)).code]).toEqual([403, 'ROLE_MISSING'])
    expect(revealed.masked).toBe(false)
    expect(revealed.calls.find((call: { step: string }) => call.step === 'register')).toMatchObject({
      what: 'do',
      attempt: 1,
      outcome: 'applied',
      input: { name: `${canary.firstName} ${canary.lastName}`, email: canary.email },
      output: { id: expect.stringMatching(/^MD-/) },
    })
    const written = await until('it is written down', async () => {
      const { operations: log } = await json(await ask(`operations?target=${held.id}`))
      const reveals = log.filter(({ what }: { what: string }) => what.startsWith('reveal'))
      return reveals.length === 2 && reveals
    })
    expect(written).toMatchObject([
      { actor: 'admin key', role: 'Admin', reason: 'customer asks' },
      { actor: 'operator key', role: 'Operator', reason: 'curious', refused: expect.any(String) },
    ])
  })

  it('shows the values of a history to an Admin, for it is there to be replayed', async () => {
    const historyAs = async (key: Role) => (await ask(`sagas/${compensated.id}/history`, key)).text()

    expect(await historyAs('OPERATOR_KEY')).not.toMatch(seen)
    expect(await historyAs('ADMIN_KEY')).toMatch(seen)
  })

  it('keeps what a partner says of its row out of its reasons, whoever looks', async () => {
    const text = await (await ask(`sagas/${compensated.id}`, 'ADMIN_KEY')).text()

    expect(text).toContain('NAME_TAKEN')
    expect(text).not.toMatch(seen)
  })
})

describe('a row', () => {
  it('tells what each partner holds of it', async () => {
    const undone = await json(await ask(`records/contact/${compensated.rowId}`))
    const owed = await json(await ask(`records/contact/${held.rowId.toUpperCase()}`))

    expect(undone).toMatchObject({
      instances: [compensated.id],
      partners: [
        { partner: 'dataverse', state: 'undone', step: 'store-key', instance: compensated.id },
        { partner: 'master-data', state: 'undone', step: 'register' },
      ],
    })
    expect(owed.partners.find(({ partner }: { partner: string }) => partner === 'master-data')).toMatchObject({
      state: 'owed',
      step: 'register',
    })
  })
})

describe('a caller', () => {
  const roles = ['Reader', 'Operator', 'Admin']
  const entries = Object.entries<Route>(routes)

  it.each(entries)('of %s is let in as the table says', async (_, { method, path, access }) => {
    const url = `${installation.at.app}/api/${path.replaceAll(/\{\w+\}/g, 'nothing')}`
    const statusFor = async (key: string | undefined) => {
      const response = await fetch(url, { method, headers: key === undefined ? {} : { 'x-functions-key': key } })
      await response.body?.cancel()
      return response.status
    }

    const isForMachines = access === 'anonymous' || access === 'key'
    const told = await Promise.all([undefined, ...Object.values(keys)].map((key) => statusFor(key)))
    const isLetIn = told.map((status) => status !== 401 && status !== 403)
    const least = roles.indexOf(access)
    expect(isLetIn).toEqual([isForMachines, ...roles.map((__, rank) => isForMachines || rank >= least)])
    expect(told[0] === 401).toBe(!isForMachines)
  })

  it.each([
    ['without a key', 'GET', 'sagas', undefined, 401],
    ['with another key', 'GET', 'sagas', 'nobody', 401],
    ['with the key of a Reader', 'GET', 'sagas', keys.READER_KEY, 200],
    ['with the key of a Reader', 'POST', 'sagas/x/retry', keys.READER_KEY, 403],
    ['with the key of an Operator', 'POST', 'sagas/x/retry', keys.OPERATOR_KEY, 404],
    ['with the key of an Admin', 'POST', 'sagas/x/retry', keys.ADMIN_KEY, 404],
  ])('%s: %s %s', async (_, method, path, key, status) => {
    const response = await fetch(`${installation.at.app}/api/${path}`, {
      method,
      headers: {
        ...(key !== undefined && { 'x-functions-key': key }),
        'x-ms-client-principal': 'e30=',
        'content-type': 'application/json',
      },
      ...(method === 'POST' && { body: JSON.stringify(person) }),
    })

    const type = status === 200 ? 'application/json' : 'application/problem+json'
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type])
  })

  it('who tries what they may not leaves a trace', async () => {
    await post('reconciliations', {}, 'READER_KEY')

    const entry = await until('it is written down', async () => {
      const { operations: log } = await json(await ask('operations?target=/api/reconciliations'))
      return log[0]
    })
    expect(entry).toMatchObject({ actor: 'reader key', role: 'Reader', refused: expect.stringContaining('Operator') })
  })
})
