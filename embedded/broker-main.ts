// The broker alone: npm run broker -- --port N --data DIR --config FILE [--control-port N] [--key NAME=KEY]

import { mkdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { systemClock } from './clock.js'
import { carryOn } from './crash-points.js'
import { collectTheOldSeldom, collectWell } from './garbage.js'
import { consoleLog } from './log.js'
import { startBroker } from './servicebus/broker.js'
import { readConfigFile } from './servicebus/config-file.js'
import { startControl } from './servicebus/control.js'
import { compactStore } from './store/compaction.js'
import { openStore } from './store/store.js'

collectWell()
collectTheOldSeldom()

const host = '127.0.0.1'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '5672' },
    data: { type: 'string', default: '.data' },
    /** The shape of the official emulator's Config.json. */
    config: { type: 'string' },
    'control-port': { type: 'string', default: '5673' },
    /** Answers without waiting for the disk: a power cut may then lose what was acknowledged. */
    'no-sync': { type: 'boolean', default: false },
    /** Checked when at least one is given. */
    key: { type: 'string', multiple: true, default: [] },
  },
})

/** `NAME=KEY`; a key may contain '='. */
function readKey(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at <= 0) throw new Error(`--key is '${text}', expected NAME=KEY.`)
  return [text.slice(0, at), text.slice(at + 1)]
}

async function main(): Promise<void> {
  const definitions = values.config === undefined ? [] : readConfigFile(readFileSync(values.config, 'utf8'))
  const keys = new Map(values.key.map(readKey))
  mkdirSync(values.data, { recursive: true })
  await compactStore(values.data)
  const store = openStore(values.data, { isDurable: !values['no-sync'] })
  const broker = await startBroker({
    store,
    clock: systemClock,
    reach: carryOn,
    log: consoleLog('info'),
    host,
    port: Number(values.port),
    ...(keys.size > 0 ? { keys } : {}),
  })
  for (const definition of definitions) await broker.namespace.declare(definition)
  const control = await startControl(broker.namespace, host, Number(values['control-port']))
  const [name, key] = [...keys][0] ?? ['RootManageSharedAccessKey', 'local']
  process.stdout.write(
    `AMQP     Endpoint=sb://${host}:${broker.port};SharedAccessKeyName=${name};SharedAccessKey=${key};UseDevelopmentEmulator=true\n` +
      `Control  http://${host}:${control.port}/entities\n`,
  )
  const stop = async () => {
    await control.close()
    await broker.close()
    await store.close()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
