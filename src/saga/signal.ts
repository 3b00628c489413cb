// What comes to a running instance from outside, read at the border of the orchestration: another version of us may have sent it.

import { commandKinds, type SagaCommand } from './commands.js'
import type { Outcome } from './outcome.js'
import { unreachable } from './unreachable.js'

/**
 * Raised by the watchdog to one whose time has come unnoticed. It says nothing: whoever waits begins its wait anew, and a time that has passed comes at once.
 * So it does nothing to one that is not late.
 */
export const wake = { kind: 'wake' } as const

export type Signal =
  | { readonly kind: 'command'; readonly command: SagaCommand }
  /** A partner's own message about a call that it had taken, and for which edition of the input. */
  | { readonly kind: 'reply'; readonly step: string; readonly edition: number; readonly outcome: Outcome }

/** Undefined for what is no signal: it is passed over. */
export function readSignal(value: unknown): Signal | undefined {
  const signal = membersOf(value)
  if (signal['kind'] === 'reply') return readReply(signal)
  const command = membersOf(signal['command'])
  const { id, kind, actor, reason, step, plan } = command
  if (typeof id !== 'string' || typeof actor !== 'string' || typeof reason !== 'string') return undefined
  const said = { id, actor, reason, ...(isPlan(plan) && { plan }) }
  const known = commandKinds.find((one) => one === kind)
  if (known === undefined) return undefined
  switch (known) {
    case 'hold':
      return { kind: 'command', command: { ...said, kind: 'hold' } }
    case 'resume':
      return { kind: 'command', command: { ...said, kind: 'resume' } }
    case 'cancel':
      return { kind: 'command', command: { ...said, kind: 'cancel' } }
    case 'retry':
      return { kind: 'command', command: { ...said, kind: 'retry', ...(typeof step === 'string' ? { step } : {}) } }
    case 'skip':
      return typeof step === 'string' ? { kind: 'command', command: { ...said, kind: 'skip', step } } : undefined
    case 'writeOff':
      return typeof step === 'string' ? { kind: 'command', command: { ...said, kind: 'writeOff', step } } : undefined
    case 'supply':
      return typeof step === 'string'
        ? { kind: 'command', command: { ...said, kind: 'supply', step, output: command['output'] } }
        : undefined
    case 'edit':
      return typeof step === 'string'
        ? { kind: 'command', command: { ...said, kind: 'edit', step, input: command['input'] } }
        : undefined
    default:
      return unreachable(known)
  }
}

const isPlan = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((call) => typeof call === 'string')

function readReply({ step, edition, outcome }: Readonly<Record<string, unknown>>): Signal | undefined {
  const { kind, output, reason } = membersOf(outcome)
  if (typeof step !== 'string' || typeof edition !== 'number') return undefined
  if (kind === 'applied') return { kind: 'reply', step, edition, outcome: { kind, output } }
  return kind === 'refused' && typeof reason === 'string'
    ? { kind: 'reply', step, edition, outcome: { kind, reason } }
    : undefined
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}
