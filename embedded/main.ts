// Runs any compiled Functions app on the embedded runtime: node dist/embedded/main.js --app DIR --port N --amqp-port N --data DIR
//
// It runs twice: as the supervisor that was called, and as the host that the supervisor starts.

import { parseArgs } from 'node:util'
import { collectWell } from './garbage.js'
import { consoleLog } from './log.js'
import { type Runtime, startRuntime } from './runtime.js'
import { couldNotStart, type Report, signOfLifeEvery, supervise } from './supervisor.js'

const { values } = parseArgs({
  options: {
    app: { type: 'string', default: '.' },
    port: { type: 'string', default: '7071' },
    'amqp-port': { type: 'string', default: '5672' },
    data: { type: 'string', default: '.data' },
    /** Warnings and errors only. */
    quiet: { type: 'boolean', default: false },
    // What the supervisor says.
    supervised: { type: 'boolean', default: false },
    'died-of-itself': { type: 'boolean', default: false },
  },
})
collectWell()
const level = values.quiet ? 'warn' : 'info'

if (values.supervised) void host()
else void supervise(__filename, process.argv.slice(2), consoleLog(level)).then((code) => process.exit(code))

const tell = (message: Report) => void process.send?.(message)

async function host(): Promise<void> {
  // Nobody is left to start it again, or to stop it.
  process.once('disconnect', () => process.exit(1))
  let runtime: Runtime | undefined
  const signOfLife = async () => {
    await runtime?.isAlive()
    tell('alive')
  }
  setInterval(() => void signOfLife(), signOfLifeEvery).unref()
  try {
    runtime = await startRuntime({
      app: values.app,
      data: values.data,
      port: Number(values.port),
      amqpPort: Number(values['amqp-port']),
      log: level,
      diedOfItself: values['died-of-itself'],
    })
    const { port, amqpPort, connectionString, close } = runtime
    tell({ port, amqpPort, connectionString })
    let stopping: Promise<void> | undefined
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        stopping ??= close().then(() => process.exit(0))
      })
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(couldNotStart)
  }
}
