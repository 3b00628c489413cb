// Loads a compiled, unmodified Functions app and runs its functions, as the platform's worker would.
//
// Promises: settings in the environment win over local.settings.json; hooks run in the platform's order.
// Never: loads a second app. A process belongs to one, since modules are loaded once.

import { randomFillSync, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { globSync } from 'tinyglobby'
import type { Log } from '../log.js'
import { type OrchestratorRun, runThatReturned, runThatThrew } from '../orchestrator-run.js'
import { readHostJson, readLocalSettings, readPackageJson } from './app-files.js'
import {
  type InvocationModel,
  levelOf,
  type ProgrammingModel,
  provideCoreModule,
  type Registration,
  type Registry,
} from './core-module.js'
import { HostError, wordsOf } from './errors.js'
import { ExtendedSessions, type InvocationState } from './extended-sessions.js'
import { type FunctionApp, functionAppOf } from './function-app.js'
import { loadNatively } from './native-sdks.js'
import type { Binding, Invocation, Invoked, RegisteredFunction, Worker } from './worker.js'

export interface LoadOptions {
  readonly folder: string
  /** Where the app's HTTP endpoints are reached, as host:port. The durable client makes its URLs of it. */
  readonly hostname: string
  readonly log: Log
}

/** @throws HostError */
export const loadApp = async (options: LoadOptions): Promise<FunctionApp> => functionAppOf(await loadWorker(options))

/** @throws HostError */
export async function loadWorker({ folder, hostname, log }: LoadOptions): Promise<Worker> {
  const { main, esm } = readPackageJson(folder)
  prepareEnvironment(folder, hostname)
  const hostJson = readHostJson(folder)
  const registry = provideCoreModule(log)
  const files = globSync(main, { cwd: folder, absolute: true }).toSorted()
  if (files.length === 0) throw HostError.of('MAIN_MATCHES_NOTHING', { main, folder })
  const asTheyAre = loadNatively()
  try {
    for (const file of files) await loadFile(file, esm)
  } finally {
    asTheyAre()
  }
  const { model } = registry
  if (!model || registry.registrations.size === 0) throw HostError.of('NO_FUNCTIONS', { main })
  const shared = { hookData: {}, appHookData: {} }
  for (const hook of registry.hooks.appStart) await hook({ ...shared, functionAppDirectory: folder })
  const { HttpUri: streamUri } = await model.getCapabilities({ RawHttpBodyBytes: 'true' })
  registry.frozen = true
  const running = new Invoker(registry, model, shared.appHookData, log)
  return {
    hostJson,
    functions: [...registry.registrations.values()].map(functionOf).filter(({ name }) => !isDisabled(name)),
    streamUri,
    invoke: (name, invocation) => running.invoke(name, invocation),
    replay: (name, invocation, session) => running.replay(name, invocation, session),
    resume: (_, session, news, known) => running.resume(session, news, known),
    turns: () => Promise.resolve(),
    async stop() {
      for (const hook of registry.hooks.appTerminate) await hook(shared)
    },
  }
}

/** By the app setting that the platform has for it. */
function isDisabled(name: string): boolean {
  const { env } = process
  const setting = env[`AzureWebJobs.${name}.Disabled`] ?? env[`AzureWebJobs_${name}_Disabled`] ?? ''
  return /^(true|1)$/i.test(setting)
}

function prepareEnvironment(folder: string, hostname: string): void {
  process.chdir(folder)
  const { env } = process
  for (const [name, value] of Object.entries(readLocalSettings(folder))) env[name] ??= value
  env['FUNCTIONS_WORKER_RUNTIME'] ??= 'node'
  env['AZURE_FUNCTIONS_ENVIRONMENT'] ??= 'Development'
  env['WEBSITE_HOSTNAME'] = hostname
  // The durable client would otherwise ask a proxy for 127.0.0.1.
  for (const name of ['NO_PROXY', 'no_proxy'])
    env[name] = [env[name], '127.0.0.1', 'localhost'].filter(Boolean).join(',')
}

async function loadFile(file: string, esm: boolean): Promise<void> {
  try {
    if (file.endsWith('.mjs') || (esm && !file.endsWith('.cjs'))) await import(pathToFileURL(file).href)
    else createRequire(file)(file)
  } catch (error) {
    throw HostError.of('ENTRY_POINT_FAILED', { file, why: wordsOf(error) }, { cause: error })
  }
}

function functionOf({ name, bindings, retryOptions }: Registration): RegisteredFunction {
  const all = Object.entries(bindings).map(([key, binding]): Binding => ({ ...binding, key }))
  // A binding is known by its type; its key is made up by the library.
  const trigger = all.find(({ type }) => /trigger$/i.test(type))
  if (!trigger) throw HostError.of('TRIGGER_UNSUPPORTED', { function: name, type: 'none' })
  const others = all.filter((one) => one !== trigger)
  return {
    name,
    trigger,
    inputs: others.filter(({ direction }) => direction === 'in'),
    outputs: others.filter(({ direction }) => direction === 'out'),
    retryOptions,
  }
}

class Invoker {
  readonly #registry: Registry
  readonly #model: ProgrammingModel
  readonly #appHookData: object
  readonly #log: Log
  readonly #sessions = new ExtendedSessions()

  constructor(registry: Registry, model: ProgrammingModel, appHookData: object, log: Log) {
    this.#registry = registry
    this.#model = model
    this.#appHookData = appHookData
    this.#log = log
  }

  async invoke(name: string, invocation: Invocation): Promise<Invoked> {
    const { model, context, result } = await this.#run(name, invocation)
    if (result.error !== null && result.error !== undefined) throw errorOf(result.error)
    const { returnValue, outputData = [] } = await model.getResponse(context, result.result)
    return {
      returnValue,
      isNothing: result.result === undefined || result.result === null,
      outputs: Object.fromEntries(outputData.map((one) => [one.name, one.data])),
    }
  }

  async replay(name: string, invocation: Invocation, session?: string): Promise<OrchestratorRun> {
    const { core, context, result } = await this.#run(name, invocation)
    if (result.error !== null && result.error !== undefined) return runThatThrew(errorOf(result.error).message, context)
    if (session !== undefined) this.#sessions.keep(session, context, core)
    return runThatReturned(result.result, context)
  }

  resume(session: string, news: string, known: number): Promise<OrchestratorRun | undefined> {
    return this.#sessions.resume(session, news, known)
  }

  async #run(
    name: string,
    { inputs, triggerMetadata = {}, retryContext, invocationId = randomUUID() }: Invocation,
  ): Promise<Run> {
    const registration = this.#registry.registrations.get(name)
    if (!registration) throw new Error(`There is no function '${name}'.`)
    const core: InvocationState & { request: object | undefined; [member: string]: unknown } = {
      invocationId,
      metadata: { name, bindings: registration.bindings },
      state: undefined,
      request: {
        invocationId,
        functionId: name,
        inputData: Object.entries(inputs).map(([key, data]) => ({ name: key, data })),
        triggerMetadata,
        ...(retryContext && { retryContext }),
        traceContext: { traceParent: newTraceParent(), traceState: '', attributes: {} },
      },
      log: (level: string, _category: string, message: string) => this.#log(levelOf(level), name, message),
    }
    const model = this.#model.getInvocationModel(core)
    const { context, inputs: given } = await model.getArguments()
    const hooks = { hookData: {}, appHookData: this.#appHookData, invocationContext: context }

    core.state = 'preInvocationHooks'
    // What is new stands first: after a spread V8 makes a hidden class for each object (docs/performance.md).
    const before = { functionCallback: registration.handler, inputs: given, ...hooks }
    for (const hook of this.#registry.hooks.preInvocation) await hook(before)

    core.state = 'invocation'
    const after: { result: unknown; error: unknown } & typeof hooks = { result: null, error: null, ...hooks }
    try {
      after.result = await model.invokeFunction(context, before.inputs, before.functionCallback)
    } catch (error) {
      after.error = error
    }

    core.state = 'postInvocationHooks'
    for (const hook of this.#registry.hooks.postInvocation) await hook(after)
    core.state = undefined
    // An orchestrator that stays in memory keeps the rest.
    core.request = undefined
    return { core, model, context, result: after }
  }
}

interface Run {
  readonly core: InvocationState
  readonly model: InvocationModel
  readonly context: object
  readonly result: { readonly result: unknown; readonly error: unknown }
}

/** A thrown value that is no error becomes one, with the value as its words. */
function errorOf(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(typeof thrown === 'string' ? thrown : JSON.stringify(thrown))
}

/** W3C trace context: version, trace id, span id, not sampled. */
function newTraceParent(): string {
  if (usedChance === chance.length) {
    randomFillSync(chance)
    usedChance = 0
  }
  const digits = chance.toString('hex', usedChance, usedChance + 24)
  usedChance += 24
  return `00-${digits.slice(0, 32)}-${digits.slice(32)}-00`
}

/** Random bytes for some trace parents: to ask for them one by one costs twenty times as much. */
const chance = Buffer.alloc(256 * 24)
let usedChance = chance.length
