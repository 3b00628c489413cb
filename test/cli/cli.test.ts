// npx saga as a process, against an installation: what it prints, and how it ends.

import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { exit } from '../../cli/exit.js'
import { type Installation, until } from '../../local/installation.js'
import { withInstallation } from '../end-to-end/with-installation.js'

let installation: Installation
let data: string
withInstallation({}, (its, folder) => {
  installation = its
  data = folder
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

const saga = (...parameters: string[]) => run(parameters, { SAGA_URL: installation.at.app })

function run(parameters: readonly string[], environment: Record<string, string>): Promise<Ended> {
  const env = { ...process.env, ...environment }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['dist/cli/main.js', ...parameters], { env }, (_, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

async function contact(email: string): Promise<string> {
  const rowId = randomUUID()
  await installation.send(await installation.createContact({ rowId, firstName: 'Ada', lastName: 'Berg', email }))
  return rowId
}
const sagaIn = (rowId: string, ...phases: string[]) =>
  until(`the saga is ${phases.join(' or ')}`, async () =>
    (await installation.sagas('2020-01-01')).find((one) => one.rowId === rowId && phases.includes(one.phase)),
  )

/** A saga that waits for an ERP that does not want to. */
async function waiting(): Promise<{ rowId: string; id: string }> {
  const email = `${randomUUID()}@example.org`
  await installation.addFaults('erp', [{ when: { contains: email }, times: 1, do: { status: 503, retryAfter: 900 } }])
  const rowId = await contact(email)
  const { id } = await sagaIn(rowId, 'waiting')
  return { rowId, id }
}

describe('npx saga', () => {
  it('lists sagas, and shows one by the id of its row', async () => {
    const { rowId, id } = await waiting()

    const listed = await saga('list', '--phase', 'waiting', '--row', rowId)
    const shown = await saga('show', rowId, '--calls')

    expect(listed).toMatchObject({
      code: exit.ok,
      out: expect.stringMatching(new RegExp(`waiting +\\d+ s +${id} +.*503`)),
    })
    expect(shown.code).toBe(exit.ok)
    expect(shown.out).toMatch(/create-customer +erp +deferred +1/)
    expect(shown.out).toMatch(/possible now: .*retry create-customer/)
    expect(shown.out).toMatch(/register +1 +applied/)
  })

  it('prints with --json what the API answers', async () => {
    const { id } = await waiting()

    const { saga: name, calls } = JSON.parse((await saga('show', id, '--calls', '--json')).out)
    const { sagas } = JSON.parse((await saga('list', '--limit', '1', '--json')).out)

    expect([name, calls[0].step, sagas.length]).toEqual(['contact-onboarding', 'snapshot', 1])
  })

  it('tells what a retry would do, does it with a reason, and watches the saga to its end', async () => {
    const { id } = await waiting()
    const watching = saga('watch', id)

    const foreseen = await saga('retry', id, '--preview')
    const silent = await saga('retry', id)
    const retried = await saga(
      'retry',
      id,
      'create-customer',
      '--reason',
      'it is back',
      '--actor',
      'kim@contoso.example',
    )

    expect(foreseen).toMatchObject({
      code: exit.ok,
      out: expect.stringMatching(/create-customer +erp.*POST \/customers/),
    })
    expect(silent).toMatchObject({ code: exit.usage, err: expect.stringContaining('--reason') })
    expect(retried).toMatchObject({ code: exit.ok, out: 'retry: followed\n' })
    expect(await watching).toMatchObject({
      code: exit.ok,
      out: expect.stringMatching(/waiting[^]*completed; done: snapshot/),
    })
    expect((await saga('show', id)).out).toContain('kim@contoso.example: retry create-customer: it is back')
    expect(await saga('retry', id, '--reason', 'again')).toMatchObject({
      code: exit.no,
      err: expect.stringContaining('COMMAND_ILLEGAL'),
    })
  })

  it('undoes a saga, and says no when it ends otherwise than completed', async () => {
    const { id } = await waiting()

    expect((await saga('undo', id, '--reason', 'a test contact')).code).toBe(exit.ok)
    expect(await saga('watch', id)).toMatchObject({ code: exit.no, out: expect.stringContaining('cancelled') })
  })

  it('skips a step', async () => {
    const { rowId, id } = await waiting()

    expect((await saga('skip', id, 'create-customer', '--reason', 'no invoices for them')).code).toBe(exit.ok)
    expect((await sagaIn(rowId, 'completed')).id).toBe(id)
  })

  it('lists dead letters, and removes one with a reason', async () => {
    await installation.send({ body: Buffer.from('{broken') })
    const letter = await until('the message is dead-lettered', async () => {
      const { deadLetters } = JSON.parse((await saga('dead-letters', '--json')).out)
      return deadLetters[0]
    })

    expect((await saga('dead-letters')).out).toMatch(/EVENT_NOT_JSON/)
    expect((await saga('dead-letters', 'discard', letter.sequenceNumber, '--reason', 'a test')).code).toBe(exit.ok)
    expect(JSON.parse((await saga('dead-letters', '--json')).out).deadLetters).toEqual([])
  })

  it('replays a history of the API, of a file and of a folder, and sees when one differs', async () => {
    const { id } = await sagaIn(await contact('ada@example.org'), 'completed')
    const file = 'test/histories/contact-onboarding-completed.json'
    const other = join(data, 'other.json')
    writeFileSync(other, readFileSync(file, 'utf8').replaceAll('"applied"', '"refused"'))

    expect(await saga('replay', id, file)).toMatchObject({ code: exit.ok, out: expect.stringContaining('2 of 2') })
    expect(await saga('replay', 'test/histories')).toMatchObject({
      code: exit.ok,
      out: expect.stringMatching(/^green/),
    })
    expect(await saga('replay', other)).toMatchObject({ code: exit.no, out: expect.stringMatching(/^red/) })
  })

  it('prints the description of the API', async () => {
    const { code, out } = await saga('openapi')

    expect([code, JSON.parse(out).openapi]).toEqual([exit.ok, '3.1.0'])
  })
})

describe('npx saga ends', () => {
  it.each<[string, string[], number, RegExp]>([
    ['well with its help', ['help'], exit.ok, /Ends with/],
    ['well with its help, when nothing is said', [], exit.ok, /npx saga COMMAND/],
    ['with 2 when it does not know the command', ['dance'], exit.usage, /no command 'dance'/],
    ['with 2 when it does not know the option', ['list', '--fast'], exit.usage, /--fast/],
    ['with 2 when it is not told which saga', ['show'], exit.usage, /Say which saga/],
    ['with 2 when the API does not understand', ['list', '--limit', 'many'], exit.usage, /QUERY_MALFORMED/],
    ['with 1 when there is no such saga', ['show', randomUUID()], exit.no, /No saga has run/],
  ])('%s', async (_, parameters, code, words) => {
    const ended = await saga(...parameters)

    expect([ended.code, ended.out + ended.err]).toEqual([code, expect.stringMatching(words)])
  })

  it('with 4 when it is not let in', async () => {
    const body = { type: 'x', code: 'ROLE_MISSING', status: 403, title: 'No.', detail: 'Ask for the role.' }
    const server = createServer((_, answer) => answer.writeHead(403).end(JSON.stringify(body))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined

    const ended = await run(['list'], { SAGA_URL: `http://127.0.0.1:${port}` })
    server.close()

    expect(ended).toMatchObject({
      code: exit.forbidden,
      err: expect.stringContaining('ROLE_MISSING: No. Ask for the role.'),
    })
  })

  it('with 3 when nobody answers', async () => {
    expect(await run(['list'], { SAGA_URL: 'http://127.0.0.1:1' })).toMatchObject({
      code: exit.unreachable,
      err: expect.stringContaining('can not be reached'),
    })
  })
})
