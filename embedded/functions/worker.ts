// What runs an app's code, as the host sees it: the platform's language worker.
//
// It may live in this thread, or in another one: everything that goes in or comes out is plain data.

import type { OrchestratorRun } from '../orchestrator-run.js'
import type { HostJson } from './app-files.js'
import type { BindingData, RetryOptions } from './core-module.js'
import type { TypedData } from './typed-data.js'

/** What an app has declared. */
export interface AppDeclaration {
  readonly hostJson: HostJson
  readonly functions: readonly RegisteredFunction[]
  /** Where requests and answers of HTTP functions flow, if the app streams them. */
  readonly streamUri: string | undefined
}

export interface Worker extends AppDeclaration {
  /** Runs one function. Rejects with what it threw, always an Error. */
  invoke(name: string, invocation: Invocation): Promise<Invoked>
  /**
   * One replay of an orchestrator; resolves also when it threw.
   * @param session under which it may stay in memory until its next turn
   */
  replay(name: string, invocation: Invocation, session?: string): Promise<OrchestratorRun>
  /**
   * The next turn of an orchestrator that has stayed in memory; undefined if it has not.
   * @param news JSON text: the events that it has not seen
   * @param known how many of its actions need not be told again
   */
  resume(name: string, session: string, news: string, known: number): Promise<OrchestratorRun | undefined>
  /** Resolves when the event loop that runs the app has come round: not while the app's code holds it. */
  turns(): Promise<void>
  /** Runs the app's appTerminate hooks. */
  stop(): Promise<void>
}

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
}

export interface Invoked {
  readonly returnValue: TypedData | null | undefined
  /** Whether the handler returned undefined or null. */
  readonly isNothing: boolean
  /** What was set as outputs besides, by the binding's key. */
  readonly outputs: Readonly<Record<string, TypedData>>
}
