// A pretend Dataverse, master data system and ERP, a vault with the ERP's key, and Application Insights:
// node dist/sandbox/main.js --data DIR --dataverse-port N --master-data-port N --erp-port N --vault-port N --telemetry-port N [--service-bus CONNECTION]
//
// A port of 0 is any free one, of several the first that is free is taken, `off` leaves that one out; an ERP without the vault asks for no key. A parent process that forked it gets the addresses as a message; when it goes, the sandbox goes.

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startApplicationInsights } from './application-insights.js'
import { dataverse } from './dataverse.js'
import { erp } from './erp.js'
import { LaterAnswers } from './later.js'
import { Ledger, type Sequence } from './ledger.js'
import { masterData } from './master-data.js'
import { type Answer, type Asked, startPartner } from './partner-server.js'
import { lettingIn, Vault } from './vault.js'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.data/sandbox' },
    'dataverse-port': { type: 'string', default: '7081' },
    'master-data-port': { type: 'string', default: '7082' },
    'erp-port': { type: 'string', default: '7083' },
    'vault-port': { type: 'string', default: 'off' },
    'telemetry-port': { type: 'string', default: 'off' },
    /** Connection string; where partners send what they answer later. */
    'service-bus': { type: 'string' },
  },
})

const sequence: Sequence = { last: 0 }
const later = new LaterAnswers(values['service-bus'])

async function start(name: string, port: string, behaviour: (ledger: Ledger) => (asked: Asked) => Answer) {
  const ledger = new Ledger(values.data, name, sequence)
  if (port === 'off') return undefined
  const { url } = await onOneOf(port, (one) => startPartner({ port: one, ledger, answer: behaviour(ledger), later }))
  process.stdout.write(`${name.padEnd(12)} ${url}\n`)
  return url
}

/** The first of the ports that nobody else has. */
async function onOneOf<Server>(ports: string, startOn: (port: number) => Promise<Server>): Promise<Server> {
  const [port, ...others] = ports.split(',')
  try {
    return await startOn(Number(port))
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
    if (!isTaken || others.length === 0) throw error
    return onOneOf(others.join(','), startOn)
  }
}

async function startTelemetry(port: string): Promise<string | undefined> {
  if (port === 'off') return undefined
  const { url } = await onOneOf(port, (one) => startApplicationInsights(one, join(values.data, 'telemetry')))
  process.stdout.write(`${'telemetry'.padEnd(12)} ${url}\n`)
  return url
}

async function main(): Promise<void> {
  const vault = new Vault()
  if (values['vault-port'] !== 'off') vault.set('erp-api-key', randomUUID())
  const newestKey = () =>
    vault
      .versions('erp-api-key')
      .slice(0, 1)
      .map(({ value }) => value)
  const urls = {
    dataverse: await start('dataverse', values['dataverse-port'], dataverse),
    masterData: await start('master-data', values['master-data-port'], masterData),
    erp: await start('erp', values['erp-port'], (ledger) => lettingIn('x-api-key', newestKey, erp(ledger))),
    vault: await start('vault', values['vault-port'], vault.answer),
    telemetry: await startTelemetry(values['telemetry-port']),
  }
  if (!process.send) return
  process.send(urls)
  process.on('disconnect', () => process.exit(0))
  // Ctrl-C reaches the whole group; the parent still needs its partners while it stops.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
