// The app's orchestrators and activities, in the shape in which a task hub asks for them.

import type { OrchestratorRun } from '../orchestrator-run.js'
import { type ExtraInput, inputsOf } from './extra-inputs.js'
import type { FunctionApp } from './function-app.js'
import { jsonTextOf, textData } from './typed-data.js'
import type { RegisteredFunction } from './worker.js'

export interface DurableCode {
  /** Names as registered. */
  readonly orchestrators: readonly string[]
  readonly activities: readonly string[]
  /**
   * One replay; resolves also when the orchestrator threw.
   * @param payload the trigger's JSON text
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
  /** Resolves when the event loop that runs the code has come round. */
  turns(): Promise<void>
}

/** @param extraInput of activities */
export function durableCodeOf(app: FunctionApp, extraInput: ExtraInput = () => undefined): DurableCode {
  const orchestrators = byName(app, 'orchestrationtrigger')
  const activities = byName(app, 'activitytrigger')
  const entities = byName(app, 'entitytrigger')
  return {
    orchestrators: [...orchestrators.values()].map(({ name }) => name),
    activities: [...activities.values()].map(({ name }) => name),

    async runOrchestrator(name, payload, session) {
      const { trigger, name: registered } = find(orchestrators, name)
      return app.replay(registered, { inputs: { [trigger.key]: { string: payload } } }, session)
    },

    resumeOrchestrator: (name, session, news, known) =>
      app.resume(find(orchestrators, name).name, session, news, known),

    turns: () => app.turns(),

    async runEntity(name, payload) {
      const { trigger, name: registered } = find(entities, name)
      const { returnValue } = await app.invoke(registered, { inputs: { [trigger.key]: { string: payload } } })
      return jsonTextOf(returnValue)
    },

    async runActivity(name, input, instanceId) {
      const { trigger, inputs, name: registered } = find(activities, name)
      const { returnValue } = await app.invoke(registered, {
        inputs: { ...inputsOf(inputs, extraInput), [trigger.key]: input === undefined ? {} : { string: input } },
        triggerMetadata: { instanceId: textData(instanceId) },
      })
      return jsonTextOf(returnValue)
    },
  }
}

function find(functions: Map<string, RegisteredFunction>, name: string): RegisteredFunction {
  const found = functions.get(name.toLowerCase())
  if (!found) throw new Error(`There is no function '${name}'.`)
  return found
}

function byName(app: FunctionApp, type: string): Map<string, RegisteredFunction> {
  const ofType = app.functions.filter(({ trigger }) => trigger.type.toLowerCase() === type)
  return new Map(ofType.map((one) => [one.name.toLowerCase(), one]))
}
