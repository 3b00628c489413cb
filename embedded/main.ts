// Runs any compiled Functions app on the embedded runtime: node dist/embedded/main.js --app DIR --port N --amqp-port N --data DIR

import { parseArgs } from 'node:util'
import { carryOn } from './crash-points.js'
import { consoleLog } from './log.js'
import { startRuntime } from './runtime.js'

const { values } = parseArgs({
  options: {
    app: { type: 'string', default: '.' },
    port: { type: 'string', default: '7071' },
    'amqp-port': { type: 'string', default: '5672' },
    data: { type: 'string', default: '.data' },
  },
})

startRuntime({
  app: values.app,
  data: values.data,
  port: Number(values.port),
  amqpPort: Number(values['amqp-port']),
  log: consoleLog('info'),
  reach: carryOn,
}).then(
  (runtime) => {
    process.stdout.write(`HTTP  http://127.0.0.1:${runtime.port}\nAMQP  ${runtime.connectionString}\n`)
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void runtime.close().then(() => process.exit(0)))
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  },
)
