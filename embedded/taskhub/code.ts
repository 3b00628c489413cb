// What the hub asks of whoever runs the app's code.

import type { OrchestratorRun } from '../orchestrator-run.js'

export interface DurableCode {
  /** Names as registered; compared without case. */
  readonly orchestrators: readonly string[]
  readonly activities: readonly string[]
  /**
   * One replay; resolves also when the orchestrator threw.
   * @param payload the JSON text of the orchestration trigger
   * @param session under which it may stay in memory until its next turn
   */
  runOrchestrator(name: string, payload: string, session?: string): Promise<OrchestratorRun>
  /**
   * The next turn of one that has stayed in memory; undefined if it has not.
   * @param news JSON text: the events that it has not seen
   * @param known how many of its actions need not be told again
   */
  resumeOrchestrator(name: string, session: string, news: string, known: number): Promise<OrchestratorRun | undefined>
  /** One batch of operations; payload and result are the JSON texts of the entity trigger. */
  runEntity(name: string, payload: string): Promise<string | null>
  /** Input and result are JSON texts. Rejects with the Error that the activity threw. */
  runActivity(name: string, input: string | undefined, instanceId: string): Promise<string | null>
  /** Resolves when the event loop that runs the code has come round: not while the code holds it. */
  turns(): Promise<void>
}
