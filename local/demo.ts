// npm run demo: contacts are created in Dataverse, their messages travel, some are refused by the ERP, some meet partners that fail.
// At the end every partner's ledger must agree with every saga's end; only then it exits with 0.

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { disagreements } from './compare-ledgers.js'
import type { NewContact } from '../sandbox/dataverse-message.js'
import { hasEnded, Installation, type Saga, until } from './installation.js'
import { startInstallation } from './processes.js'

const firstNames = ['Ada', 'Edsger', 'Grace', 'Barbara', 'Tony', 'Leslie', 'Radia', 'Niklaus', 'Frances', 'Donald']
const lastNames = ['Berg', 'Costa', 'Dubois', 'Eriksen', 'Fischer', 'Garcia', 'Horvat', 'Ivanova', 'Jansen', 'Kowalski']

/** Each is met once or twice, by the requests about one contact. */
const faults = [
  { partner: 'masterData', do: { status: 503, retryAfter: 1 } },
  { partner: 'erp', do: { status: 429, retryAfter: 1 } },
  { partner: 'masterData', do: { drop: 'after' } },
  { partner: 'erp', do: { drop: 'after' } },
  { partner: 'dataverse', do: { status: 500 } },
  { partner: 'erp', do: { drop: 'before' } },
] as const

const write = (text: string) => process.stdout.write(text)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { events: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
  })
  const events = Number(values.events)
  if (!Number.isInteger(events) || events < 1) throw new Error('--events is a whole number from 1.')
  const { installation, stop } = await connect()
  try {
    return await play(installation, events, Number(values.seed))
  } finally {
    await stop()
  }
}

/** The installation that runs already, or one of its own. */
async function connect(): Promise<{ installation: Installation; stop: () => Promise<void> }> {
  const { env } = process
  const local = (port: string, usual: number) => `http://127.0.0.1:${env[port] ?? usual}`
  const running = new Installation({
    app: local('PORT', 7071),
    amqpPort: Number(env['AMQP_PORT'] ?? 5672),
    dataverse: env['DATAVERSE_URL'] ?? local('DATAVERSE_PORT', 7081),
    masterData: env['MASTER_DATA_URL'] ?? local('MASTER_DATA_PORT', 7082),
    erp: env['ERP_URL'] ?? local('ERP_PORT', 7083),
    vault: env['KEY_VAULT_URL'] ?? local('VAULT_PORT', 7084),
  })
  if (await running.isHealthy()) return { installation: running, stop: () => running.close() }
  await running.close()
  write(`Nothing answers at ${running.at.app}: starting one for the demonstration.\n`)
  const data = mkdtempSync(join(tmpdir(), 'dataverse-saga-demo-'))
  const started = await startInstallation(data)
  return {
    installation: started.installation,
    async stop() {
      await started.stop()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

async function play(installation: Installation, events: number, seed: number): Promise<number> {
  const since = new Date().toISOString()
  const contacts = Array.from({ length: events }, (_, index) => contactOf(index, seed))
  write(`\nSending ${events} created contacts to the queue dataverse-events, every tenth message twice.\n\n`)
  const sent = Promise.all(contacts.map((contact, index) => sendOne(installation, contact, index)))
  const rows = new Set(contacts.map(({ rowId }) => rowId))
  const own = async () => (await installation.sagas(since)).filter(({ rowId }) => rows.has(rowId))
  await until(
    'all sagas have ended',
    async () => {
      const sagas = await own()
      showProgress(sagas, events)
      return sagas.length >= events && sagas.every(hasEnded)
    },
    { seconds: 120, everyMs: 250 },
  )
  await sent
  const sagas = await own()
  showTable(contacts, sagas)
  return showVerdict([...rows], sagas, disagreements([...rows], sagas, await installation.ledgers()))
}

/** Every fifth has no e-mail address, which the ERP refuses. */
function contactOf(index: number, seed: number): NewContact {
  const firstName = firstNames[(index * 3 + seed) % firstNames.length] ?? ''
  const lastName = lastNames[(index * 7 + seed + Math.floor(index / 10)) % lastNames.length] ?? ''
  const email = index % 5 === 4 ? undefined : `${firstName}.${lastName}@example.org`.toLowerCase()
  return { rowId: randomUUID(), firstName, lastName, email }
}

async function sendOne(installation: Installation, contact: NewContact, index: number): Promise<void> {
  const message = await installation.createContact(contact)
  const fault = index % 3 === 0 ? faults[(index / 3) % faults.length] : undefined
  if (fault)
    await installation.addFaults(fault.partner, [
      { when: { contains: contact.rowId }, times: 1 + (index % 2), do: fault.do },
    ])
  await installation.send(message)
  if (index % 10 === 9) await installation.send(message)
}

let lastShown = ''

/** Rewritten in place on a terminal; elsewhere a line whenever something has changed. */
function showProgress(sagas: readonly Saga[], events: number): void {
  const counts = new Map<string, number>()
  for (const { phase } of sagas) counts.set(phase, (counts.get(phase) ?? 0) + 1)
  const done = sagas.filter(hasEnded).length
  const width = 30
  const bar = '#'.repeat(Math.round((done / events) * width)).padEnd(width, '.')
  const line = `  [${bar}] ${[...counts].map(([phase, count]) => `${count} ${phase}`).join(', ')}`
  if (line === lastShown) return
  lastShown = line
  if (process.stdout.isTTY) write(`\r\u001b[K${line}${done === events ? '\n' : ''}`)
  else write(`${line}\n`)
}

function showTable(contacts: readonly NewContact[], sagas: readonly Saga[]): void {
  const row = (cells: readonly string[]) =>
    write(`  ${cells.map((cell, index) => cell.padEnd([22, 13, 10, 8, 8][index] ?? 0)).join('')}\n`)
  write('\n')
  row(['contact', 'end', 'attempts', 'undone', 'ms'])
  for (const { rowId, firstName, lastName } of contacts) {
    const saga = sagas.find((one) => one.rowId === rowId)
    if (!saga) continue
    const attempts = saga.steps.reduce((sum, step) => sum + step.attempts, 0)
    const undone = saga.steps.filter(({ undo }) => undo !== undefined).length
    const ms = Date.parse(saga.endedAt ?? saga.startedAt) - Date.parse(saga.startedAt)
    row([`${firstName} ${lastName}`, saga.phase, String(attempts), String(undone), String(ms)])
  }
}

function showVerdict(rows: readonly string[], sagas: readonly Saga[], differences: readonly string[]): number {
  const count = (phase: string) => sagas.filter((saga) => saga.phase === phase).length
  write(
    `\n  ${rows.length} events, ${sagas.length} sagas: ${count('completed')} completed, ${count('compensated')} compensated.\n`,
  )
  if (differences.length === 0) {
    write('  The ledgers of Dataverse, master data and ERP agree with every one of them.\n\n')
    return 0
  }
  write(`  The ledgers disagree:\n${differences.map((line) => `    ${line}\n`).join('')}\n`)
  return 1
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  },
)
