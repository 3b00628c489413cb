// Starts `npm start`'s program on ports of its own, for those who need one to themselves.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { Installation, until } from './installation.js'

export interface Started {
  readonly installation: Installation
  readonly child: ChildProcess
  /** Ctrl-C, and waits until it is gone. */
  stop(): Promise<void>
}

/** `npm start`'s, compiled, wherever this file itself runs from. */
const startProgram = resolve(__dirname, __dirname.includes('dist') ? '.' : '../dist/local', 'start.js')

/** A port that was free a moment ago, and is none of those (32,768 and up) that the system gives to whoever asks for any, in the moment before it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/**
 * @param environment wins over the ports that are chosen here, and over the caller's own environment
 * @param program takes all it needs from its environment
 */
export async function startInstallation(
  data: string,
  environment: Record<string, string | undefined> = {},
  program = startProgram,
): Promise<Started> {
  const [http, amqp, dataverse, masterData, erp, vault] = await Promise.all([1, 2, 3, 4, 5, 6].map(freePort))
  const ports = {
    PORT: http,
    AMQP_PORT: amqp,
    DATAVERSE_PORT: dataverse,
    MASTER_DATA_PORT: masterData,
    ERP_PORT: erp,
    VAULT_PORT: vault,
  }
  const texts = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]))
  // Without telemetry, unless somebody wants it: its SDK takes a while to load.
  const untold = { APPLICATIONINSIGHTS_CONNECTION_STRING: '' }
  const env: Record<string, string | undefined> = {
    ...process.env,
    ...texts,
    ...untold,
    DATA_DIR: data,
    ...environment,
  }
  const child = spawn(process.execPath, [program], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const at = (address: string, port: string) => env[address] ?? `http://127.0.0.1:${env[port]}`
  const installation = new Installation({
    app: `http://127.0.0.1:${env['PORT']}`,
    amqpPort: Number(env['AMQP_PORT']),
    dataverse: at('DATAVERSE_URL', 'DATAVERSE_PORT'),
    masterData: at('MASTER_DATA_URL', 'MASTER_DATA_PORT'),
    erp: at('ERP_URL', 'ERP_PORT'),
    vault: at('KEY_VAULT_URL', 'VAULT_PORT'),
  })
  await until('the app is healthy', async () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('The app has ended.')
    return installation.isHealthy()
  })
  return {
    installation,
    child,
    async stop() {
      await installation.close()
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGINT')
      await once(child, 'exit')
    },
  }
}
