// What operators do, on a running installation: one saga by a plan, many at once, dead letters; and the log of it all.

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Installation, until } from '../../local/installation.js'
import { bulkJob, deadLetterPage, operationPage } from '../../src/operators/schemas/acts.js'
import { preview } from '../../src/operators/schemas/commands.js'
import { sagaPage, sagaStatus } from '../../src/operators/schemas/sagas.js'
import { withInstallation } from './with-installation.js'

let installation: Installation
withInstallation({}, (its) => (installation = its))

const api = (path: string) => `${installation.at.app}/api/${path}`
const by = { actor: 'ada@contoso.com', reason: 'the ERP is back' }

async function get<Read>(path: string, document: z.ZodType<Read>): Promise<Read> {
  return document.parse(await (await fetch(api(path))).json())
}

async function post(path: string, body: object) {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(api(path), { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, body: z.looseObject({}).parse(await response.json()) }
}

/** Contacts whose sagas wait for longer than any test, since the ERP asks for that. */
async function waitingSagas(count: number): Promise<string[]> {
  await installation.addFaults('erp', [
    { when: { path: '/customers' }, times: count, do: { status: 425, retryAfter: 100 } },
  ])
  const rows = Array.from({ length: count }, () => randomUUID())
  for (const rowId of rows)
    await installation.send(
      await installation.createContact({ rowId, firstName: 'Ada', lastName: 'Lovelace', email: 'ada@example.com' }),
    )
  return until('they wait', async () => {
    const { sagas } = await get('sagas?phase=waiting&limit=500', sagaPage)
    const ids = sagas.filter(({ rowId }) => rows.some((row) => row === rowId)).map(({ id }) => id)
    return ids.length === count && ids
  })
}

const phaseOf = async (id: string) => (await get(`sagas/${id}`, sagaStatus)).phase
const reaches = (id: string, phase: string) => until(`it is ${phase}`, async () => (await phaseOf(id)) === phase)

const jobEnds = (id: string) =>
  until('the job has ended', async () => {
    const job = await get(`bulk/${id}`, bulkJob)
    return job.state !== 'running' && job
  })

async function begin(body: object): Promise<string> {
  const { status, body: answer } = await post('bulk', { ...by, ...body })
  expect(status).toBe(202)
  return z.string().parse(answer['id'])
}

describe('a command with the plan of its preview', () => {
  it('does what the plan told', async () => {
    const [id = ''] = await waitingSagas(1)
    const told = preview.parse((await post(`sagas/${id}/retry/preview`, {})).body)
    const calls = (await installation.ledgers()).erp.length

    expect(told).toMatchObject({ allowed: true, phaseAfter: 'completed', becomesIrreversible: [] })
    expect(told.calls).toMatchObject([
      { partner: 'erp', step: 'create-customer', what: 'do', method: 'POST', path: '/customers' },
    ])
    expect((await installation.ledgers()).erp.length).toBe(calls)
    expect((await post(`sagas/${id}/retry`, { ...by, plan: told.plan })).status).toBe(200)
    await reaches(id, 'completed')
  })

  it('is held before the first call that the plan has not told, and goes on when somebody says so', async () => {
    const [id = ''] = await waitingSagas(1)
    const { plan } = preview.parse((await post(`sagas/${id}/retry/preview`, {})).body)
    await installation.addFaults('erp', [{ when: { path: '/customers' }, times: 1, do: { status: 422 } }])
    await post(`sagas/${id}/retry`, { ...by, plan })
    await reaches(id, 'held')

    const { waitsFor } = await get(`sagas/${id}`, sagaStatus)
    expect(waitsFor?.why).toBe(
      "put on hold by the plan: 'undo store-key' would be asked, and nothing more is in the plan",
    )
    await post(`sagas/${id}/resume`, by)
    await reaches(id, 'compensated')
  })

  it('is refused as a whole when the saga has moved on since', async () => {
    const [id = ''] = await waitingSagas(1)
    const { plan } = preview.parse((await post(`sagas/${id}/cancel/preview`, {})).body)
    const { status, body } = await post(`sagas/${id}/retry`, { ...by, plan })

    expect({ status, code: body['code'] }).toEqual({ status: 409, code: 'COMMAND_ILLEGAL' })
    expect(await phaseOf(id)).toBe('waiting')
    await post(`sagas/${id}/retry`, by)
  })
})

describe('a bulk command', () => {
  it('is carried out on all that its filter finds, a few at a time; it can be stopped, and begun anew', async () => {
    const ids = await waitingSagas(25)
    const slow = await begin({
      command: 'retry',
      filter: { saga: 'contact-onboarding', phase: 'waiting' },
      perSecond: 2,
    })
    await until('it has begun', async () => (await get(`bulk/${slow}`, bulkJob)).done > 0)
    expect((await post(`bulk/${slow}/stop`, by)).status).toBe(200)
    const stopped = await jobEnds(slow)
    expect(stopped).toMatchObject({ state: 'stopped', command: 'retry', actor: by.actor, reason: by.reason, total: 25 })
    expect(stopped.done).toBeLessThan(25)

    const job = await jobEnds(await begin({ command: 'retry', ids, perSecond: 100 }))
    expect(job).toMatchObject({ state: 'done', total: 25, done: 25 - stopped.done, refused: stopped.done, failed: [] })
    for (const id of ids) await reaches(id, 'completed')
    const { erp } = await installation.ledgers()
    const rows = ids.map((id) => id.split(':')[2] ?? '')
    expect(erp.filter(({ key }) => rows.some((row) => key?.includes(row)))).toHaveLength(25)
    expect((await post(`bulk/${slow}/stop`, by)).status).toBe(409)
  })

  it('needs a reason, an actor, and something that it is about', async () => {
    const bodies = [
      { command: 'retry', filter: {}, ...by },
      { command: 'retry', ...by },
      { command: 'edit', step: 'register', filter: { phase: 'held' }, ...by },
      { command: 'skip', filter: { phase: 'held' }, ...by },
      { command: 'retry', filter: { phase: 'held' }, actor: 'ada' },
      { command: 'retry', filter: { phase: 'held' }, reason: 'because' },
    ]
    const answers = await Promise.all(bodies.map((body) => post('bulk', body)))

    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual(bodies.map(() => [400, 'BODY_MALFORMED']))
  })
})

describe('dead letters', () => {
  it('are listed with their reason, resubmitted one or many, and discarded', async () => {
    for (const body of ['{first', '{second', '{third']) await installation.send({ body: Buffer.from(body) })
    const listed = (count: number) =>
      until(`there are ${count}`, async () => {
        const { deadLetters } = await get('dead-letters?queue=dataverse-events', deadLetterPage)
        return deadLetters.length === count && deadLetters
      })
    const letters = await listed(3)
    expect(letters).toMatchObject(letters.map(() => ({ code: 'EVENT_NOT_JSON', size: expect.any(Number) })))

    const [first] = letters
    expect((await post(`dead-letters/${first?.sequenceNumber}/resubmit`, by)).status).toBe(200)
    // It is not better the second time.
    const again = await until('it is back', async () =>
      (await listed(3)).find(({ lineage }) => lineage?.from === `dataverse-events/${first?.sequenceNumber}`),
    )
    expect(again.lineage?.resubmits).toBe(1)
    const job = await jobEnds(await begin({ resubmit: { code: 'EVENT_NOT_JSON' }, perSecond: 100 }))
    expect(job).toMatchObject({ state: 'done', command: 'resubmit', total: 3, done: 3 })
    const twice = await until('all are back', async () => {
      const all = await listed(3)
      return all.every(({ lineage }) => lineage !== undefined) && all
    })
    expect(twice.filter(({ lineage }) => lineage?.resubmits === 2)).toHaveLength(1)

    for (const { sequenceNumber } of twice)
      expect((await post(`dead-letters/${sequenceNumber}/discard`, by)).status).toBe(200)
    await listed(0)
    expect((await post(`dead-letters/${first?.sequenceNumber}/discard`, by)).status).toBe(404)
  })
})

it('all of it stands in the operations log, before and after, with refusals, and the chain is intact', async () => {
  // What came of an act is durably on its way when the act is answered, and in the log a moment later.
  const { operations, intact } = await until('all that was begun has a result', async () => {
    const log = await get('operations?limit=500', operationPage)
    const entriesOf = (id: string) => log.operations.filter(({ operation }) => operation === id).length
    return log.operations.every(({ operation }) => entriesOf(operation) > 1) && log
  })
  const of = (what: string) => operations.filter((one) => one.what === what)

  expect(intact).toBe(true)
  expect(operations.every(({ actor, reason }) => actor === by.actor && reason === by.reason)).toBe(true)
  expect(of('retry').some(({ refused }) => refused?.startsWith('COMMAND_ILLEGAL'))).toBe(true)
  expect(of('retry').some(({ before }) => z.object({ phase: z.literal('waiting') }).safeParse(before).success)).toBe(
    true,
  )
  expect(of('bulk retry').length).toBeGreaterThan(4)
  expect(of('stop bulk')).toHaveLength(4)
  expect(of('resubmit')).toHaveLength(2)
  expect(of('discard')).toHaveLength(8)
})
