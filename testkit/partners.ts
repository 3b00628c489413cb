// What partners answer in a test: written down per step, checked as production checks it.

import { isOnlyTaken } from '../src/saga/action.js'
import type { Saga, Step } from '../src/saga/define.js'
import type { Ask } from '../src/saga/next.js'
import type { Outcome } from '../src/saga/outcome.js'
import { TestkitError } from './testkit-error.js'

/**
 * By call: `register`, `undo register`, `probe register`; a list answers attempt by attempt, its last answer stays. What is not named is applied and
 * brings nothing.
 */
export type Script = Readonly<Record<string, Outcome | readonly Outcome[]>>

export const applied = (output?: unknown): Outcome => ({ kind: 'applied', output })
/** The partner says no, and holds nothing. */
export const refused = (reason = 'refused'): Outcome => ({ kind: 'refused', reason })
/** Not now. @param retryAfterMs what the partner asked for */
export const deferred = (reason = 'not now', retryAfterMs?: number): Outcome => ({
  kind: 'deferred',
  reason,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
})
/** Sent, and no answer that can be trusted. */
export const inDoubt = (reason = 'no answer'): Outcome => ({ kind: 'inDoubt', reason })

/** `register`, `undo register`, `probe register`. */
export const callOf = ({ what, step }: Pick<Ask, 'what' | 'step'>) => (what === 'do' ? step : `${what} ${step}`)

export function stepOf({ name, steps }: Saga, step: string): Step {
  const found = steps.find((one) => one.name === step)
  if (!found) throw new TestkitError(`Saga '${name}' has no step '${step}'; it has ${namesOf(steps)}.`)
  return found
}

/** @throws TestkitError for a script that answers what is never asked */
export function answersFrom(saga: Saga, script: Script): (ask: Ask) => Outcome {
  for (const call of Object.keys(script)) stepOf(saga, call.replace(/^(undo|probe) /, ''))
  const counts = new Map<string, number>()
  return (ask) => {
    const call = callOf(ask)
    const count = (counts.get(call) ?? 0) + 1
    counts.set(call, count)
    const scripted = script[call] ?? applied()
    const list = 'kind' in scripted ? [scripted] : scripted
    return list[Math.min(count, list.length) - 1] ?? applied()
  }
}

/**
 * The answer as the saga gets it: written down as JSON, and its output read by the action.
 * @throws TestkitError for an output that is not what the action declares
 */
export function readAnswer(saga: Saga, ask: Ask, answer: Outcome, where: string): Outcome {
  if (answer.kind !== 'applied') return answer
  const { action } = stepOf(saga, ask.step)
  const isRead = ask.what === 'probe' || (ask.what === 'do' && !isOnlyTaken(action, answer.output))
  return isRead ? { kind: 'applied', output: readOutput(saga, ask.step, answer.output, where) } : applied()
}

/** @throws TestkitError for an output that is not what the action declares */
export function readOutput(saga: Saga, step: string, output: unknown, where: string): unknown {
  const { action } = stepOf(saga, step)
  try {
    const read = action.readOutput(output === undefined ? undefined : JSON.parse(JSON.stringify(output)))
    return read === undefined ? undefined : JSON.parse(JSON.stringify(read))
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new TestkitError(
      `${where}: what '${step}' brings is not what action '${action.partner}.${action.name}' declares as its output.\n` +
        `Say in the answers what it brings: { '${step}': applied({ ... }) }.\n${words}`,
    )
  }
}

const namesOf = (steps: readonly Step[]) => steps.map(({ name }) => `'${name}'`).join(', ')
