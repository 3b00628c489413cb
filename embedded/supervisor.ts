// Keeps the host running that runs other people's code: begins it anew when that code ends its process, or holds its event loop for too long.
//
// Who is killed from outside stays dead: that was somebody's will. So does one that can't start at all.

import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { roomForTheYoung } from './garbage.js'
import type { Log } from './log.js'

/** What the host tells its supervisor: that it lives, and once where it listens. */
export const report = z.union([
  z.literal('alive'),
  z.object({ port: z.number(), amqpPort: z.number(), connectionString: z.string() }),
])
export type Report = z.infer<typeof report>
type Address = Exclude<Report, 'alive'>

/** Milliseconds between two signs of life. */
export const signOfLifeEvery = 2_000
/** Milliseconds without any after which the event loop counts as held. */
const patience = 10_000
/** Milliseconds after which earlier deaths are forgotten. */
const longLife = 60_000
/** The exit code of a host that could not start. */
export const couldNotStart = 78

/** A process that dies of these was ended by its own code; of others, by somebody. */
const ownSignals = new Set(['SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS', 'SIGFPE', 'SIGTRAP'])

/** Resolves with the exit code, when the host is not to run any more. */
export async function supervise(script: string, args: readonly string[], log: Log): Promise<number> {
  let address: Address | undefined
  let child: ChildProcess
  let isStopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      isStopping = true
      child.kill('SIGTERM')
    })
  for (let deaths = 0; ; ) {
    const bornAt = performance.now()
    const again = deaths > 0 ? ['--died-of-itself'] : []
    // Whoever has its address finds it there again.
    const ports = address ? ['--port', String(address.port), '--amqp-port', String(address.amqpPort)] : []
    child = fork(script, [...args, ...ports, ...again, '--supervised'], {
      execArgv: [...process.execArgv, ...roomForTheYoung],
    })
    const { code, signal, wasHeld } = await lifeOf(child, (told) => {
      if (!address) process.stdout.write(`HTTP  http://127.0.0.1:${told.port}\nAMQP  ${told.connectionString}\n`)
      address = told
    })
    const isOwn = wasHeld || (signal === null ? code !== couldNotStart : ownSignals.has(signal))
    if (isStopping || !isOwn) return code === 0 ? 0 : 1
    const why = wasHeld ? 'its event loop was held for too long' : `it died (${signal ?? `exit code ${code}`})`
    log('error', 'supervisor', `The host is started again, for ${why}.`)
    deaths = performance.now() - bornAt > longLife ? 1 : deaths + 1
    await sleep(Math.min(10_000, 50 * 2 ** Math.min(deaths, 10)))
    // Whoever stops it meanwhile finds no host that could be told.
    if (isStopping) return 0
  }
}

interface Death {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly wasHeld: boolean
}

function lifeOf(child: ChildProcess, onAddress: (address: Address) => void): Promise<Death> {
  return new Promise((resolve) => {
    let wasHeld = false
    const heldFor = () =>
      setTimeout(() => {
        wasHeld = true
        child.kill('SIGKILL')
      }, patience)
    let alarm = heldFor()
    child.on('message', (message) => {
      const told = report.safeParse(message)
      // The app runs in the host's process, and may say something of its own.
      if (!told.success) return
      clearTimeout(alarm)
      alarm = heldFor()
      if (told.data !== 'alive') onAddress(told.data)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(alarm)
      resolve({ code, signal, wasHeld })
    })
  })
}
