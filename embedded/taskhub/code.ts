// What the hub asks of whoever runs the app's code.

import type { OrchestratorRun } from '../orchestrator-run.js'

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
