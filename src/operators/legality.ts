// What may be said to a saga now, and why the rest may not: every command, for each step that it could be about.

import { commandKinds, objectionToKind, type SagaCommand } from '../saga/commands.js'
import type { Saga } from '../saga/define.js'
import type { SagaState } from '../saga/state.js'
import type { SagaStatus } from '../saga/status.js'

export interface Legality {
  readonly command: SagaCommand['kind']
  /** Absent for what is said to the whole saga. */
  readonly step?: string
  readonly allowed: boolean
  readonly why?: string
}

/** For each step; `retry` for the whole saga too. */
const ofSteps = new Set<SagaCommand['kind']>(['retry', 'skip', 'supply', 'edit', 'writeOff'])
const ofWhole = new Set<SagaCommand['kind']>(['retry', 'hold', 'resume', 'cancel'])

/** Judged by the machine itself. */
export function legalityOf(saga: Saga, state: SagaState): readonly Legality[] {
  return all(saga.steps).map((said) => {
    const why = objectionToKind(said, saga, state)
    return { ...withName(said), allowed: why === undefined, ...(why !== undefined && { why }) }
  })
}

/** Nothing may be said, for one reason. */
export const nothingLegal = ({ steps }: SagaStatus, why: string): readonly Legality[] =>
  all(steps).map((said) => ({ ...withName(said), allowed: false, why }))

interface Said {
  readonly kind: SagaCommand['kind']
  readonly step?: string
}

const withName = ({ kind: command, ...rest }: Said) => ({ command, ...rest })

const all = (steps: readonly { readonly name: string }[]): readonly Said[] =>
  commandKinds.flatMap((kind): readonly Said[] => [
    ...(ofWhole.has(kind) ? [{ kind }] : []),
    ...(ofSteps.has(kind) ? steps.map(({ name: step }) => ({ kind, step })) : []),
  ])
