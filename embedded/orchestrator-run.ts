// One replay of an orchestrator, as it is read off the SDK: by the worker that runs an app, and by the test kit.
//
// The SDK makes one object for each task. A task that is yielded twice, or alone after it was one of several, stands in its list twice: the only thing that
// the JSON text of its state does not tell.

export interface OrchestratorRun {
  /** What the SDK has told, if that can be read. */
  readonly state: OrchestratorState | undefined
  /** As plain data in which the same task is the same object; undefined when no task occurs twice: then the state tells all. */
  readonly actions: readonly unknown[] | undefined
  /** The words of a failure that the SDK did not pack into a state. */
  readonly failure?: string
  /** Whether the orchestrator threw. */
  readonly threw: boolean
}

/** What nobody looks into here stays the JSON text that it becomes anyway; absent where there is nothing. */
export interface OrchestratorState {
  readonly isDone: boolean
  /** A list of all that it has asked for, or of what follows those that are known. */
  readonly actions: string
  /** How many come before these; absent for none. */
  readonly known?: number
  readonly output?: string
  readonly customStatus?: string
  /** The words of its failure. */
  readonly error?: string
}

/** @param state as the SDK returned it. @param context that the SDK was called with. @param known how many of its actions need not be told again */
export const runThatReturned = (state: unknown, context: object, known = 0): OrchestratorRun => ({
  state: stateIn(state, known),
  actions: actionsThatRepeat(actionsIn(context)),
  threw: false,
})

/** @param words of the error. @param context that the SDK was called with */
export function runThatThrew(words: string, context: object): OrchestratorRun {
  const at = words.indexOf(stateMark)
  if (at < 0) return { state: undefined, actions: undefined, failure: words, threw: true }
  const state: unknown = JSON.parse(words.slice(at + stateMark.length))
  return { state: stateIn(state), actions: actionsThatRepeat(actionsIn(context)), threw: true }
}

function stateIn(told: unknown, known = 0): OrchestratorState | undefined {
  const [actions] = listIn(memberOf(told, 'actions'))
  const isDone = memberOf(told, 'isDone')
  if (typeof isDone !== 'boolean' || !Array.isArray(actions)) return undefined
  const output = textOf(memberOf(told, 'output'))
  const customStatus = textOf(memberOf(told, 'customStatus'))
  const error = memberOf(told, 'error')
  return {
    isDone,
    actions: JSON.stringify(known > 0 ? actions.slice(known) : actions),
    ...(known > 0 && { known }),
    ...(output !== undefined && { output }),
    ...(customStatus !== undefined && { customStatus }),
    ...(typeof error === 'string' && { error }),
  }
}

const textOf = (value: unknown): string | undefined =>
  value === undefined || value === null ? undefined : JSON.stringify(value)

/** Between the words of the error that an orchestrator's failure is thrown as and the state packed into it. */
const stateMark = '\n\n$OutOfProcData$:'

/** What the SDK runs an orchestrator with. */
export const executorIn = (context: object): unknown => memberOf(memberOf(context, 'df'), 'taskOrchestratorExecutor')

const actionsIn = (context: object) => listIn(memberOf(executorIn(context), 'actions'))

function actionsThatRepeat(actions: readonly unknown[]): readonly unknown[] | undefined {
  return repeats(actions, new Set()) ? actions.map(plainIn(new Map())) : undefined
}

function repeats(actions: readonly unknown[], seen: Set<unknown>): boolean {
  return actions.some((action) => {
    if (seen.has(action)) return true
    seen.add(action)
    return repeats(childrenOf(action), seen)
  })
}

function plainIn(known: Map<unknown, unknown>) {
  return function plain(action: unknown): unknown {
    const children = childrenOf(action)
    const made =
      known.get(action) ??
      (children.length > 0
        ? { ...Object(action), compoundActions: children.map(plain) }
        : JSON.parse(JSON.stringify(action)))
    known.set(action, made)
    return made
  }
}

const childrenOf = (action: unknown) => listIn(memberOf(action, 'compoundActions'))

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function listIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
