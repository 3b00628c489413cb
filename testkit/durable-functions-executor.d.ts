// The executor that durable-functions 3.5 runs orchestrators with. The package has it, its types do not tell of it.

declare module 'durable-functions/lib/src/orchestrations/Orchestrator.js' {
  import type { OrchestrationContext, OrchestrationHandler } from 'durable-functions'

  export class Orchestrator {
    constructor(orchestrator: OrchestrationHandler)
    /** Rejects when the orchestrator threw; the error's message has the state packed into it. */
    handle(trigger: unknown, context: OrchestrationContext): Promise<unknown>
  }
}
