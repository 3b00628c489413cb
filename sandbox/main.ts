// A pretend Dataverse, master data system and ERP: node dist/sandbox/main.js --data DIR --dataverse-port N --master-data-port N --erp-port N [--service-bus CONNECTION]
//
// A port of 0 is any free one, `off` leaves that partner out. A parent process that forked it gets the addresses as a message; when it goes, the sandbox goes.

import { parseArgs } from 'node:util'
import { dataverse } from './dataverse.js'
import { erp } from './erp.js'
import { LaterAnswers } from './later.js'
import { Ledger, type Sequence } from './ledger.js'
import { masterData } from './master-data.js'
import { type Answer, type Asked, startPartner } from './partner-server.js'

const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.data/sandbox' },
    'dataverse-port': { type: 'string', default: '7081' },
    'master-data-port': { type: 'string', default: '7082' },
    'erp-port': { type: 'string', default: '7083' },
    /** Connection string; where partners send what they answer later. */
    'service-bus': { type: 'string' },
  },
})

const sequence: Sequence = { last: 0 }
const later = new LaterAnswers(values['service-bus'])

async function start(name: string, port: string, behaviour: (ledger: Ledger) => (asked: Asked) => Answer) {
  const ledger = new Ledger(values.data, name, sequence)
  if (port === 'off') return undefined
  const { url } = await startPartner({ port: Number(port), ledger, answer: behaviour(ledger), later })
  process.stdout.write(`${name.padEnd(12)} ${url}\n`)
  return url
}

async function main(): Promise<void> {
  const urls = {
    dataverse: await start('dataverse', values['dataverse-port'], dataverse),
    masterData: await start('master-data', values['master-data-port'], masterData),
    erp: await start('erp', values['erp-port'], erp),
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
