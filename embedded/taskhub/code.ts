// What the hub asks of whoever runs the app's code.

export interface DurableCode {
  /** Names as registered; compared without case. */
  readonly orchestrators: readonly string[]
  readonly activities: readonly string[]
  /** One replay; `payload` is the JSON text of the orchestration trigger. Resolves also when the orchestrator threw. */
  runOrchestrator(name: string, payload: string): Promise<OrchestratorRun>
  /** One batch of operations; payload and result are the JSON texts of the entity trigger. */
  runEntity(name: string, payload: string): Promise<string | null>
  /** Input and result are JSON texts. Rejects with the Error that the activity threw. */
  runActivity(name: string, input: string | undefined, instanceId: string): Promise<string | null>
  /** Resolves when the event loop that runs the code has come round: not while the code holds it. */
  turns(): Promise<void>
}

export interface OrchestratorRun {
  /** JSON text of the state that the SDK returns, if there is one. */
  readonly state: string | undefined
  /** As plain data in which the same task is the same object; undefined when no task occurs twice: then the state tells all. */
  readonly actions: readonly unknown[] | undefined
  /** The words of a failure that the SDK did not pack into a state. */
  readonly failure?: string
  readonly threw: boolean
}
