// `@azure/functions-core`: the module that the platform's worker provides, and through which all copies of the libraries register what the app declares.
//
// The libraries require it by name at their first registration, so it must be in place before the app is loaded.

import { createRequire } from 'node:module'
import type { Level, Log } from '../log.js'
import type { TypedData } from './typed-data.js'

export interface BindingData {
  readonly type: string
  readonly direction?: string
  readonly name?: string
  readonly [option: string]: unknown
}

export interface Registration {
  readonly name: string
  readonly bindings: Readonly<Record<string, BindingData>>
  readonly retryOptions?: RetryOptions
  readonly handler: Handler
}

/** How often a failed call is made again; -1 for ever. */
export interface RetryOptions {
  readonly retryStrategy: 'fixedDelay' | 'exponentialBackoff'
  readonly maxRetryCount: number
  readonly delayInterval?: Span
  readonly minimumInterval?: Span
  readonly maximumInterval?: Span
}

interface Span {
  readonly seconds?: number
}

export type Handler = (...inputs: unknown[]) => unknown
type Hook = (context: object) => unknown
export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log'

/** One call of a function, as the programming model runs it. */
export interface InvocationModel {
  getArguments(): Promise<{ context: object; inputs: unknown[] }>
  invokeFunction(context: object, inputs: unknown[], handler: Handler): Promise<unknown>
  getResponse(
    context: object,
    result: unknown,
  ): Promise<{ returnValue?: TypedData | null; outputData?: readonly { name: string; data: TypedData }[] }>
}

export interface ProgrammingModel {
  readonly name: string
  getInvocationModel(context: object): InvocationModel
  getCapabilities(defaults: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>>
}

/** What the app has declared. */
export interface Registry {
  readonly registrations: Map<string, Registration>
  readonly hooks: Readonly<Record<HookName, Hook[]>>
  model: ProgrammingModel | undefined
  /** From then on nothing can be declared any more. */
  frozen: boolean
}

/** Puts the module in place for this process; everything that is required from now on registers in the answer. */
export function provideCoreModule(log: Log): Registry {
  const registry: Registry = {
    registrations: new Map(),
    hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
    model: undefined,
    frozen: false,
  }
  const core = coreModule(registry, log)
  const require = createRequire(__filename)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node types the module class without its prototype
  const { prototype } = require('node:module') as { prototype: { require: (this: unknown, id: string) => unknown } }
  const requireAsBefore = prototype.require
  prototype.require = function requireOrCore(id) {
    return id === '@azure/functions-core' ? core : requireAsBefore.call(this, id)
  }
  return registry
}

class Disposable {
  #dispose: (() => unknown) | undefined

  constructor(dispose: () => unknown) {
    this.#dispose = dispose
  }

  dispose(): unknown {
    const dispose = this.#dispose
    this.#dispose = undefined
    return dispose?.()
  }

  static from(...disposables: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => disposables.forEach((one) => one.dispose()))
  }
}

function coreModule(registry: Registry, log: Log): object {
  return {
    version: '3.13.0',
    hostVersion: '4.1044.400.0',
    Disposable,
    setProgrammingModel(model: ProgrammingModel) {
      registry.model = model
    },
    getProgrammingModel: () => registry.model,
    registerFunction(metadata: Omit<Registration, 'handler'>, handler: Handler) {
      const { name, bindings, retryOptions } = metadata
      if (registry.frozen) throw systemError(new Error('A function can only be registered during app startup.'))
      if (registry.registrations.has(name))
        throw systemError(new Error(`A function with the name '${name}' has already been registered.`))
      registry.registrations.set(name, { name, bindings, handler, ...(retryOptions && { retryOptions }) })
      return new Disposable(() => registry.registrations.delete(name))
    },
    registerHook(name: string, hook: Hook) {
      const hooks = isHookName(name) ? registry.hooks[name] : undefined
      if (!hooks) throw systemError(new RangeError(`Unrecognized hook '${name}'.`))
      hooks.push(hook)
      return new Disposable(() => hooks.splice(hooks.indexOf(hook), 1))
    },
    log: (level: string, category: string, message: string) => log(levelOf(level), category, message),
  }
}

const isHookName = (name: string): name is HookName =>
  ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'].includes(name)

/** The libraries tell errors of the platform from the app's by this mark. */
const systemError = (error: Error) => Object.assign(error, { isAzureFunctionsSystemError: true })

export function levelOf(level: string): Level {
  switch (level) {
    case 'trace':
    case 'debug':
      return 'debug'
    case 'warning':
    case 'warn':
      return 'warn'
    case 'error':
    case 'critical':
      return 'error'
    default:
      return 'info'
  }
}
