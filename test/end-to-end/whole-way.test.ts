// npm start as a process: messages in through the real client, the story out through the status API.

import { readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hasEnded, type Installation, until } from '../../local/installation.js'
import { asBinary, asXml } from '../dataverse/write-context.js'
import { readContext } from '../../src/dataverse/read-context.js'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import { replay } from '../../testkit/replay.js'
import { withInstallation } from './with-installation.js'

let installation: Installation
let data: string
withInstallation({ DATAVERSE_EVENTS_TOPIC: 'dataverse-topic/sagas' }, (its, folder) => {
  installation = its
  data = folder
})

const contact = (email: string | undefined = 'ada@example.org') => ({
  rowId: randomUUID(),
  firstName: 'Ada',
  lastName: 'Berg',
  email,
})

const get = (path: string) => fetch(`${installation.at.app}/api${path}`)
const sagaOf = async (rowId: string) =>
  (await installation.sagas('2020-01-01')).find((saga) => saga.rowId === rowId && hasEnded(saga))

const json = async (path: string) => JSON.parse(await (await get(path)).text())

async function deadLetterOf(text: string) {
  return until('the message is dead-lettered', async () => {
    const receiver = installation.client.createReceiver('dataverse-events', { subQueueType: 'deadLetter' })
    const letters = await receiver.peekMessages(20).finally(() => receiver.close())
    return letters.find(({ body }) => (Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body)) === text)
  })
}

describe('an account that changed', () => {
  it('goes to the ERP as it stands now, and is acknowledged on its row', async () => {
    const rowId = randomUUID()

    await installation.send(await installation.createAccount(rowId, { name: 'Nordwind' }))
    const { id } = await until('the saga has ended', () => sagaOf(rowId))

    expect(id).toMatch(/^account-sync:account:/)
    const row = await (await fetch(`${installation.at.dataverse}/api/data/v9.2/accounts(${rowId})`)).json()
    expect(row).toMatchObject({ name: 'Nordwind', dvs_erpid: `A-${rowId.slice(0, 8)}` })
  })
})

describe('a created contact', () => {
  it('travels through all partners, and its saga tells how', async () => {
    const ada = contact()

    await installation.send(await installation.createContact(ada))
    const { id } = await until('the saga has ended', () => sagaOf(ada.rowId))
    const story = await (await get(`/sagas/${id}`)).json()

    expect(id).toMatch(new RegExp(`^contact-onboarding:contact:${ada.rowId}:[0-9a-f]{20}$`))
    expect(story).toMatchObject({
      saga: 'contact-onboarding',
      phase: 'completed',
      owed: [],
      steps: [
        { name: 'snapshot', partner: 'dataverse', outcome: 'applied', attempts: 1 },
        { name: 'register', partner: 'master-data', outcome: 'applied', attempts: 1 },
        { name: 'store-key', partner: 'dataverse', outcome: 'applied', attempts: 1 },
        { name: 'create-customer', partner: 'erp', outcome: 'applied', attempts: 1 },
      ],
    })
    expect(JSON.stringify(story)).not.toMatch(/Berg|example\.org/)
  })

  it('that the ERP refuses is undone in reverse', async () => {
    const ada = contact('')

    await installation.send(await installation.createContact(ada))
    const { id } = await until('the saga has ended', () => sagaOf(ada.rowId))

    expect(await (await get(`/sagas/${id}`)).json()).toMatchObject({
      phase: 'compensated',
      steps: [
        { name: 'snapshot' },
        { name: 'register', undo: { outcome: 'applied' } },
        { name: 'store-key', undo: { outcome: 'applied' } },
        { name: 'create-customer', outcome: 'refused', reason: expect.stringContaining('EMAIL_MISSING') },
      ],
    })
    const { masterData, dataverse } = await installation.ledgers()
    const effects = [...masterData, ...dataverse]
      .filter(({ subject }) => subject === ada.rowId)
      .toSorted((a, b) => a.seq - b.seq)
      .map(({ effect }) => effect)
    expect(effects).toEqual(['create', 'register', 'update', 'update', 'retire'])
  })

  it('has a history that replays on the code of today, and not on a changed saga', async () => {
    const ada = contact('')

    await installation.send(await installation.createContact(ada))
    const { id } = await until('the saga has ended', () => sagaOf(ada.rowId))
    const history = await json(`/sagas/${id}/history?reveal=a+test`)

    replay(contactOnboarding, history)
    const [snapshot, register, storeKey, createCustomer] = contactOnboarding.steps
    const swapped = [snapshot, register, createCustomer, storeKey].flatMap((step, stage) =>
      step ? [{ ...step, stage }] : [],
    )
    expect(() => replay({ ...contactOnboarding, steps: swapped }, history)).toThrow(
      "the history has the answer to 'do store-key 1', today's saga asks for 'do create-customer 1'",
    )
    const { status, stdout } = spawnSync('node', ['dist/local/replay.js', installation.at.app], { encoding: 'utf8' })
    expect(stdout).toMatch(/^green +\d+ of \d+ histories replay on today's sagas$/m)
    expect(status).toBe(0)
  })

  it('whose message comes three times runs once, even when the first run is over', async () => {
    const ada = contact()
    const message = await installation.createContact(ada)

    await installation.send(message)
    await installation.send(message)
    await until('the saga has ended', () => sagaOf(ada.rowId))
    await installation.send(message)
    const other = contact()
    await installation.send(await installation.createContact(other))
    await until('a later saga has ended', () => sagaOf(other.rowId))

    const { masterData } = await installation.ledgers()
    expect(masterData.filter(({ subject }) => subject === ada.rowId)).toHaveLength(1)
  })

  it('whose partner answers late, never, or nonsense gets there under one key', async () => {
    const ada = contact()
    const message = await installation.createContact(ada)
    const when = { contains: ada.rowId }
    await installation.addFaults('masterData', [
      { when, times: 1, do: { drop: 'after' } },
      { when, times: 1, do: { garbage: true } },
    ])
    await installation.addFaults('erp', [{ when, times: 1, do: { status: 503, retryAfter: 1 } }])

    await installation.send(message)
    const saga = await until('the saga has ended', () => sagaOf(ada.rowId))

    expect(saga.phase).toBe('completed')
    expect(saga.steps.map(({ attempts }) => attempts)).toEqual([1, 3, 1, 2])
    const { masterData } = await installation.ledgers()
    expect(masterData.filter(({ subject }) => subject === ada.rowId)).toHaveLength(1)
  })
})

describe('the same change', () => {
  const events = (body: Buffer) =>
    fetch(`${installation.at.app}/api/events`, { method: 'POST', body: new Uint8Array(body) })

  it('that is posted to the queue, the topic and the webhook, in all three forms, starts one saga', async () => {
    const ada = contact()
    const { body } = await installation.createContact(ada)
    const context = readContext(body)

    await installation.send({ body })
    await installation.send({ body: asXml(context) })
    await installation.client.createSender('dataverse-topic').sendMessages({ body: asBinary(context) })
    const answers = await Promise.all([events(body), events(asXml(context)), events(asBinary(context))])
    await until('the saga has ended', () => sagaOf(ada.rowId))
    const told = await Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]))

    expect(told.map(([status]) => status)).toEqual([202, 202, 202])
    expect(told[0]).toEqual(told[1])
    expect(told[0]?.[1]).toEqual({
      events: [expect.stringMatching(/^[0-9a-f]{20}$/)],
      instances: [expect.stringMatching(new RegExp(`^contact-onboarding:contact:${ada.rowId}:`))],
    })
    expect((await installation.sagas('2020-01-01')).filter(({ rowId }) => rowId === ada.rowId)).toHaveLength(1)
    const { masterData } = await installation.ledgers()
    expect(masterData.filter(({ subject }) => subject === ada.rowId)).toHaveLength(1)
  })

  it('that can not be read is told to whom posts it', async () => {
    const answers = await Promise.all([events(Buffer.from('{')), events(Buffer.alloc(2_000_000, ' '))])
    const told = await Promise.all(answers.map(async (answer) => [answer.status, await answer.json()]))

    expect(told).toEqual([
      [400, expect.objectContaining({ code: 'EVENT_NOT_JSON' })],
      [413, expect.objectContaining({ code: 'EVENT_TOO_LARGE' })],
    ])
  })
})

describe('bad input', () => {
  it('that is no JSON goes to the dead-letter queue with a reason and what to do', async () => {
    await installation.send({ body: Buffer.from('{broken') })

    expect(await deadLetterOf('{broken')).toMatchObject({
      deadLetterReason: 'EVENT_NOT_JSON',
      deadLetterErrorDescription: expect.stringContaining('message format'),
    })
  })

  it('that is no RemoteExecutionContext goes there too, naming the member', async () => {
    await installation.send({ body: Buffer.from('{"hello":"world"}') })

    expect(await deadLetterOf('{"hello":"world"}')).toMatchObject({
      deadLetterReason: 'EVENT_NOT_A_CONTEXT',
      deadLetterErrorDescription: expect.stringContaining("'MessageName'"),
    })
  })

  it('for a table that no saga takes is completed', async () => {
    const before = await installation.sagas('2020-01-01')
    const ofAnAccount = readFileSync('test/messages/account-update.json', 'utf8')
    await installation.send({ body: Buffer.from(ofAnAccount.replaceAll('"account"', '"task"')) })
    const later = contact()
    await installation.send(await installation.createContact(later))
    await until('a later saga has ended', () => sagaOf(later.rowId))

    const after = await installation.sagas('2020-01-01')
    expect(after).toHaveLength(before.length + 1)
    const receiver = installation.client.createReceiver('dataverse-events')
    expect(await receiver.peekMessages(10)).toEqual([])
  })
})

describe('the status API', () => {
  it('answers problem documents', async () => {
    const unknown = await get(`/sagas/nothing:contact:${randomUUID()}:00000000000000000000`)
    const malformed = await get('/sagas?limit=many')

    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    expect(await unknown.json()).toMatchObject({ code: 'INSTANCE_UNKNOWN', status: 404 })
    expect([malformed.status, await malformed.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'QUERY_MALFORMED' }),
    ])
  })

  it('hands a person’s word to a saga that is held, and tells what became of it', async () => {
    const ada = contact('')
    const message = await installation.createContact(ada)
    await installation.addFaults('masterData', [
      { when: { path: '/records/', contains: 'retire' }, times: 1, do: { status: 400 } },
    ])
    await installation.send(message)
    const held = await until('the saga is held', async () =>
      (await installation.sagas('2020-01-01')).find(({ rowId, phase }) => rowId === ada.rowId && phase === 'held'),
    )
    const say = async (command: string, body: object) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      const answer = await fetch(`${installation.at.app}/api/sagas/${held.id}/${command}`, init)
      return [answer.status, JSON.parse(await answer.text())]
    }
    const person = { actor: 'ops@example.org', reason: 'the record was locked' }

    expect((await json(`/sagas/${held.id}`)).owed).toMatchObject([{ step: 'register', since: expect.any(String) }])
    expect(await say('retry', {})).toMatchObject([400, { code: 'BODY_MALFORMED' }])
    expect(await say('dance', person)).toMatchObject([400, { code: 'COMMAND_MALFORMED' }])
    expect(await say('skip', { ...person, step: 'register' })).toMatchObject([409, { code: 'COMMAND_ILLEGAL' }])
    expect(await say('retry', person)).toMatchObject([200, { command: 'retry', followed: true }])

    const ended = await until('the saga has ended', () => sagaOf(ada.rowId))
    expect(ended.phase).toBe('compensated')
    expect((await json(`/sagas/${held.id}`)).log).toMatchObject([
      { command: 'skip', refused: expect.any(String) },
      { command: 'retry', actor: 'ops@example.org' },
    ])
    expect(await say('retry', person)).toMatchObject([409, { code: 'COMMAND_ILLEGAL' }])
  })

  it('pages through the list, the newest first', async () => {
    const all = await json('/sagas?limit=500')
    const first = await json('/sagas?limit=2')
    const second = await json(`/sagas?limit=2&token=${first.next}`)

    expect([...first.sagas, ...second.sagas].map(({ id }) => id)).toEqual(
      all.sagas.slice(0, 4).map(({ id }: { id: string }) => id),
    )
  })

  it('finds the sagas of a row by the beginning of their ids', async () => {
    const { sagas } = await json('/sagas?limit=1')
    const { rowId, id } = sagas[0]

    const found = await json(`/sagas?prefix=contact-onboarding:contact:${rowId}`)

    expect(found.sagas.map((saga: { id: string }) => saga.id)).toEqual([id])
  })

  it('never shows the platform’s management URLs', async () => {
    expect(await (await get('/sagas?limit=500')).text()).not.toMatch(/webhooks|code=/)
  })
})

describe('the start', () => {
  it.each([
    ['SETTING_MALFORMED', { ERP_URL: 'erp' }, 'Setting ERP_URL is not an http or https address'],
    ['a port', { PORT: 'many' }, 'Setting PORT'],
  ])('stops with one clear line at %s', (_, environment, words) => {
    const { status, stderr } = spawnSync(process.execPath, ['dist/local/start.js'], {
      env: {
        ...process.env,
        PORT: '0',
        AMQP_PORT: '0',
        DATAVERSE_PORT: '0',
        MASTER_DATA_PORT: '0',
        ERP_PORT: '0',
        DATA_DIR: join(data, 'other'),
        ...environment,
      },
      encoding: 'utf8',
      timeout: 20_000,
    })

    expect(status).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(words)])
  })
})
