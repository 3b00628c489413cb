// npm start: the app on the embedded runtime, and a sandbox to play with for every partner that is not pointed elsewhere.

import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { collectWell } from '../embedded/garbage.js'
import { type Runtime, startRuntime } from '../embedded/runtime.js'
import { telemetryTo } from './telemetry-settings.js'
import { connectionStringAt } from './installation.js'

const port = z.coerce.number().int().min(0).max(65_535)

/** Where everything listens and is kept. */
const place = z.object({
  PORT: port.default(7071),
  AMQP_PORT: port.default(5672),
  DATA_DIR: z.string().min(1).default('.data'),
  DATAVERSE_PORT: port.default(7081),
  MASTER_DATA_PORT: port.default(7082),
  ERP_PORT: port.default(7083),
  VAULT_PORT: port.optional(),
  TELEMETRY_PORT: port.optional(),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('warn'),
})

const sandboxAddresses = z.object({
  dataverse: z.string().optional(),
  masterData: z.string().optional(),
  erp: z.string().optional(),
  vault: z.string().optional(),
  telemetry: z.string().optional(),
})

async function main(): Promise<void> {
  const { env } = process
  const settings = readSettings()
  const data = resolve(settings.DATA_DIR)
  const sandbox = await startSandbox(settings, data)
  process.env['CALLBACK_URL'] ||= `http://127.0.0.1:${settings.PORT}`
  process.env['CALLBACK_SECRET'] ||= keptSecret(data)
  // Whoever reaches this machine's own address may do everything.
  process.env['OPERATOR_KEY_ROLE'] ||= 'Admin'
  // Not in host.json: the platform has no such thing for Node, and would warn of it.
  process.env['AzureFunctionsJobHost__extensions__durableTask__extendedSessionsEnabled'] ||= 'true'
  const runtime = await startRuntime({
    app: resolve(__dirname, '../..'),
    data,
    port: settings.PORT,
    amqpPort: settings.AMQP_PORT,
    log: settings.LOG_LEVEL,
    topics: env['NOTICES_TOPIC'] ? [{ topic: env['NOTICES_TOPIC'], subscription: 'all' }] : [],
  })
  tell(runtime, sandbox, data)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop(runtime, sandbox?.process))
}

function readSettings(): z.infer<typeof place> {
  const read = place.safeParse(process.env)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new Error(`Setting ${issue?.path.join('.')}: ${issue?.message}.`)
}

/** One that outlives a restart, as the addresses do that partners were given. */
function keptSecret(data: string): string {
  const file = join(data, 'callback-secret')
  if (!existsSync(file)) {
    mkdirSync(data, { recursive: true })
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 })
  }
  return readFileSync(file, 'utf8')
}

interface Sandbox {
  readonly process: ChildProcess
  /** Where its traces are read. */
  readonly traces?: string
}

/** Pretend partners for all whose address is not set; undefined when none is needed. */
async function startSandbox(settings: z.infer<typeof place>, data: string): Promise<Sandbox | undefined> {
  const { env } = process
  const ports = [
    portOr(env['DATAVERSE_URL'], settings.DATAVERSE_PORT),
    portOr(env['MASTER_DATA_URL'], settings.MASTER_DATA_PORT),
    portOr(env['ERP_URL'], settings.ERP_PORT),
    // Set to nothing, it is wanted nowhere.
    env['APPLICATIONINSIGHTS_CONNECTION_STRING'] === undefined ? String(settings.TELEMETRY_PORT ?? '7085,0') : 'off',
  ] as const
  if (ports.every((one) => one === 'off')) return undefined
  const [dataverse, masterData, erp, telemetry] = ports
  // The sandbox's ERP asks for a key, which its vault keeps. Only the app is told where that is: it may be anywhere.
  const vault =
    erp === 'off' ? 'off' : portOr(env['KEY_VAULT_URL'] || env['ERP_API_KEY'], settings.VAULT_PORT ?? '7084,0')
  const sandbox = fork(
    join(__dirname, '../sandbox/main.js'),
    [
      '--data',
      join(data, 'sandbox'),
      '--dataverse-port',
      dataverse,
      '--master-data-port',
      masterData,
      '--erp-port',
      erp,
      '--vault-port',
      vault,
      '--telemetry-port',
      telemetry,
      ...(settings.AMQP_PORT === 0 ? [] : ['--service-bus', connectionStringAt(settings.AMQP_PORT)]),
    ],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const [addresses] = await Promise.race([once(sandbox, 'message'), exitOf(sandbox)])
  const at = sandboxAddresses.parse(addresses)
  env['DATAVERSE_URL'] ||= at.dataverse
  env['MASTER_DATA_URL'] ||= at.masterData
  env['ERP_URL'] ||= at.erp
  if (at.vault !== undefined) Object.assign(env, { KEY_VAULT_URL: at.vault, ERP_API_KEY: 'vault:erp-api-key' })
  if (at.telemetry !== undefined) Object.assign(env, telemetryTo(at.telemetry, data))
  return { process: sandbox, ...(at.telemetry !== undefined && { traces: `${at.telemetry}/traces/{id of a saga}` }) }
}

/** A partner whose address is set needs no pretence. */
const portOr = (address: string | undefined, otherwise: number | string) => (address ? 'off' : String(otherwise))

async function exitOf(sandbox: ChildProcess): Promise<never> {
  await once(sandbox, 'exit')
  throw new Error(
    'The sandbox did not start. DATAVERSE_PORT, MASTER_DATA_PORT, ERP_PORT, VAULT_PORT and TELEMETRY_PORT say where it listens.',
  )
}

function tell({ port: http, connectionString }: Runtime, sandbox: Sandbox | undefined, data: string): void {
  const { env } = process
  const url = `http://127.0.0.1:${http}`
  process.stdout.write(`
  Dataverse Saga is running.

    console       ${url}/api/console
    status        ${url}/api/sagas
    Service Bus   ${connectionString}
                  queue dataverse-events
    Dataverse     ${env['DATAVERSE_URL']}
    master data   ${env['MASTER_DATA_URL']}
    ERP           ${env['ERP_URL']}
    vault         ${env['KEY_VAULT_URL'] ?? 'none'}
    traces        ${sandbox?.traces ?? 'sent elsewhere, or nowhere'}
    data          ${data}

  Try, in another terminal:

    npm run demo -- --events 40
    curl '${url}/api/sagas?limit=3'

  Ctrl-C stops it; what is under way goes on at the next start.

`)
}

function stop(runtime: Runtime, sandbox: ChildProcess | undefined): void {
  process.stdout.write('Stopping.\n')
  runtime
    .close()
    .catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
    .finally(() => {
      if (sandbox?.connected) sandbox.disconnect()
      process.exit(0)
    })
}

/** One clear line; the port that is taken is the commonest reason. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error)
    return `Port ${String(error.port)} is in use. PORT and AMQP_PORT say where to listen instead.`
  return error.message
}

collectWell()
main().catch((error: unknown) => {
  process.stderr.write(`${wordsOf(error)}\n`)
  process.exit(1)
})
