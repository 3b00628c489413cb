// An app as its triggers call it: what its worker runs, within the time that host.json allows, and its outputs written.

import { HostError } from './errors.js'
import type { TypedData } from './typed-data.js'
import type { Binding, Worker } from './worker.js'

/** Rejects also when a call takes too long, or when an output can't be written. */
export interface FunctionApp extends Worker {
  /** Who writes outputs that are no HTTP answer. */
  onOutput(write: WriteOutput): void
}

export type WriteOutput = (name: string, binding: Binding, data: TypedData | null | undefined) => Promise<void>

export function functionAppOf(worker: Worker): FunctionApp {
  const { hostJson, functions, streamUri } = worker
  const limit = hostJson.functionTimeout
  const written = new Map(
    functions.map(({ name, outputs }) => [name, outputs.filter(({ type }) => type.toLowerCase() !== 'http')]),
  )
  let write: WriteOutput = nowhere
  return {
    hostJson,
    functions,
    streamUri,
    onOutput: (given) => void (write = given),
    async invoke(name, invocation) {
      const invoked = await inTime(name, limit, worker.invoke(name, invocation))
      for (const output of written.get(name) ?? [])
        await write(name, output, output.key === '$return' ? invoked.returnValue : invoked.outputs[output.key])
      return invoked
    },
    replay: (name, invocation, session) => inTime(name, limit, worker.replay(name, invocation, session)),
    resume: (name, session, news, known) => inTime(name, limit, worker.resume(name, session, news, known)),
    turns: () => worker.turns(),
    stop: () => worker.stop(),
  }
}

const nowhere: WriteOutput = () => Promise.resolve()

/** What takes longer has failed, though nobody can stop it. */
async function inTime<Result>(name: string, ms: number, work: Promise<Result>): Promise<Result> {
  if (ms === Infinity) return work
  let timeout: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timeout = setTimeout(() => fail(HostError.of('FUNCTION_TIMEOUT', { function: name, ms })), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timeout))
}
