// Loads a compiled, unmodified Functions app and runs its functions, as the platform's worker would.
//
// Promises: settings in the environment win over local.settings.json; hooks run in the platform's order.
// Never: loads a second app. A process belongs to one, since modules are loaded once.

import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { globSync } from 'tinyglobby'
import type { Log } from '../log.js'
import { type HostJson, readHostJson, readLocalSettings, readPackageJson } from './app-files.js'
import {
  type BindingData,
  levelOf,
  type ProgrammingModel,
  provideCoreModule,
  type Registration,
  type RetryOptions,
  type Registry,
} from './core-module.js'
import { HostError, wordsOf } from './errors.js'
import type { TypedData } from './typed-data.js'

export interface FunctionApp {
  readonly hostJson: HostJson
  readonly functions: readonly RegisteredFunction[]
  /** Where requests and answers of HTTP functions flow, if the app streams them. */
  readonly streamUri: string | undefined
  /** Runs one function and writes its outputs. Rejects with what it threw, always an Error. */
  invoke(name: string, invocation: Invocation): Promise<Invoked>
  /** Who writes outputs that are no HTTP answer. */
  onOutput(write: WriteOutput): void
  /** Runs the app's appTerminate hooks. */
  stop(): Promise<void>
}

export type WriteOutput = (name: string, binding: Binding, data: TypedData | null | undefined) => Promise<void>

export interface RegisteredFunction {
  readonly name: string
  readonly trigger: Binding
  /** Inputs besides the trigger. */
  readonly inputs: readonly Binding[]
  readonly outputs: readonly Binding[]
  readonly retryOptions: RetryOptions | undefined
}

export interface Binding extends BindingData {
  /** Under which the value is handed in. */
  readonly key: string
}

export interface Invocation {
  /** Made up if it is not given. */
  readonly invocationId?: string
  readonly inputs: Readonly<Record<string, TypedData>>
  readonly triggerMetadata?: Readonly<Record<string, TypedData>>
  /** Of a call that is made again. */
  readonly retryContext?: { readonly retryCount: number; readonly maxRetryCount: number }
  /** Told the SDK's invocation context before the function runs. */
  readonly onContext?: (context: object) => void
}

export interface Invoked {
  readonly returnValue: TypedData | null | undefined
  /** What the handler returned, the same object. */
  readonly raw: unknown
  /** What was set as outputs besides, by the binding's key. */
  readonly outputs: ReadonlyMap<string, TypedData>
}

export interface LoadOptions {
  readonly folder: string
  /** Where the app's HTTP endpoints are reached, as host:port. The durable client makes its URLs of it. */
  readonly hostname: string
  readonly log: Log
}

/** @throws HostError */
export async function loadApp({ folder, hostname, log }: LoadOptions): Promise<FunctionApp> {
  const hostJson = readHostJson(folder)
  const { main, esm } = readPackageJson(folder)
  prepareEnvironment(folder, hostname)
  const registry = provideCoreModule(log)
  const files = globSync(main, { cwd: folder, absolute: true }).toSorted()
  if (files.length === 0) throw HostError.of('MAIN_MATCHES_NOTHING', { main, folder })
  for (const file of files) await loadFile(file, esm)
  const { model } = registry
  if (!model || registry.registrations.size === 0) throw HostError.of('NO_FUNCTIONS', { main })
  const shared = { hookData: {}, appHookData: {} }
  for (const hook of registry.hooks.appStart) await hook({ ...shared, functionAppDirectory: folder })
  const { HttpUri: streamUri } = await model.getCapabilities({ RawHttpBodyBytes: 'true' })
  registry.frozen = true
  const running = new Invoker(registry, model, shared.appHookData, log)
  const functions = [...registry.registrations.values()].map(functionOf).filter(({ name }) => !isDisabled(name))
  let write: WriteOutput = nowhere
  return {
    hostJson,
    functions,
    streamUri,
    onOutput: (given) => void (write = given),
    async invoke(name, invocation) {
      const invoked = await inTime(name, hostJson.functionTimeout, running.invoke(name, invocation))
      const { outputs = [] } = functions.find((one) => one.name === name) ?? {}
      for (const output of outputs.filter(({ type }) => type.toLowerCase() !== 'http'))
        await write(name, output, output.key === '$return' ? invoked.returnValue : invoked.outputs.get(output.key))
      return invoked
    },
    async stop() {
      for (const hook of registry.hooks.appTerminate) await hook(shared)
    },
  }
}

/** What takes longer has failed, though nobody can stop it. */
async function inTime<Result>(name: string, ms: number, work: Promise<Result>): Promise<Result> {
  if (ms === Infinity) return work
  let timeout: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, fail) => {
    timeout = setTimeout(() => fail(HostError.of('FUNCTION_TIMEOUT', { function: name, ms })), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timeout))
}

const nowhere = () => Promise.resolve()

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

  constructor(registry: Registry, model: ProgrammingModel, appHookData: object, log: Log) {
    this.#registry = registry
    this.#model = model
    this.#appHookData = appHookData
    this.#log = log
  }

  async invoke(
    name: string,
    { inputs, triggerMetadata = {}, retryContext, onContext, invocationId = randomUUID() }: Invocation,
  ): Promise<Invoked> {
    const registration = this.#registry.registrations.get(name)
    if (!registration) throw new Error(`There is no function '${name}'.`)
    const core: { state: string | undefined; [member: string]: unknown } = {
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
    onContext?.(context)
    const hooks = { hookData: {}, appHookData: this.#appHookData, invocationContext: context }

    core.state = 'preInvocationHooks'
    const before = { ...hooks, functionCallback: registration.handler, inputs: given }
    for (const hook of this.#registry.hooks.preInvocation) await hook(before)

    core.state = 'invocation'
    const after: { result: unknown; error: unknown } & typeof hooks = { ...hooks, result: null, error: null }
    try {
      after.result = await model.invokeFunction(context, before.inputs, before.functionCallback)
    } catch (error) {
      after.error = error
    }

    core.state = 'postInvocationHooks'
    for (const hook of this.#registry.hooks.postInvocation) await hook(after)
    core.state = undefined
    if (after.error !== null && after.error !== undefined) throw errorOf(after.error)
    const { returnValue, outputData = [] } = await model.getResponse(context, after.result)
    return { returnValue, raw: after.result, outputs: new Map(outputData.map((one) => [one.name, one.data])) }
  }
}

/** A thrown value that is no error becomes one, with the value as its words. */
function errorOf(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(typeof thrown === 'string' ? thrown : JSON.stringify(thrown))
}

/** W3C trace context: version, trace id, span id, not sampled. */
function newTraceParent(): string {
  const digits = (randomUUID() + randomUUID()).replaceAll('-', '')
  return `00-${digits.slice(0, 32)}-${digits.slice(32, 48)}-00`
}
