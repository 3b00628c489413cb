// What is kept in mind of one saga: as much as lists, searches and counts ask for, and no more, since there are many.

import { withoutValues } from '../../saga/masking.js'
import { isOver } from '../../saga/phase.js'
import type { SagaStatus } from '../../saga/status.js'
import type { SagaFilter } from '../schemas/filter.js'
import { type Cause, causesOf } from './causes.js'

type Told = 'id' | 'saga' | 'version' | 'table' | 'rowId' | 'phase' | 'startedAt' | 'updatedAt'

export interface Entry extends Pick<SagaStatus, Told> {
  /** Of all steps and their undos. */
  readonly attempts: number
  /** Nothing can happen to it any more. */
  readonly isOver: boolean
  /** Those that it has asked. */
  readonly partners: readonly string[]
  readonly causes: readonly Cause[]
  /** Partners that are owed an undo by it, and those of which nobody knows what they did. */
  readonly owes: readonly string[]
  readonly doubts: readonly string[]
  /** In lower case, without values: whoever may not see a value must not find it either. */
  readonly reasons: string
}

export function entryOf(status: SagaStatus): Entry {
  const { id, saga, version, table, rowId, phase, startedAt, updatedAt, steps, owed } = status
  const asked = steps.filter(({ attempts }) => attempts > 0)
  const inDoubt = asked.filter(({ outcome, undo }) => outcome === 'inDoubt' && undo?.outcome !== 'applied')
  return {
    id,
    saga: same(saga),
    version,
    table: same(table),
    rowId,
    phase: same(phase),
    startedAt,
    updatedAt,
    attempts: steps.reduce((sum, { attempts, undo }) => sum + attempts + (undo?.attempts ?? 0), 0),
    isOver: isOver(phase),
    partners: sameNames(asked.map(({ partner }) => partner)),
    causes: sameCauses(causesOf(status)),
    owes: sameNames(owed.filter(({ since }) => since !== undefined).map(({ partner }) => partner)),
    doubts: sameNames(inDoubt.map(({ partner }) => partner)),
    reasons: same(withoutValues(reasonsOf(status).join(' ')).toLowerCase()),
  }
}

function reasonsOf({ waitsFor, undoneBecause, steps }: SagaStatus): string[] {
  const all = [waitsFor?.why, undoneBecause, ...steps.flatMap(({ reason, undo }) => [reason, undo?.reason])]
  return [...new Set(all.filter((reason) => reason !== undefined))]
}

export function matches(entry: Entry, filter: SagaFilter): boolean {
  const { saga, phase, table, rowId, since, until, partner, cause, text, prefix } = filter
  return (
    (saga === undefined || entry.saga === saga) &&
    (phase === undefined || phase.includes(entry.phase)) &&
    (table === undefined || entry.table === table) &&
    (rowId === undefined || entry.rowId === rowId) &&
    (since === undefined || entry.startedAt >= since) &&
    (until === undefined || entry.startedAt < until) &&
    (partner === undefined || entry.partners.includes(partner)) &&
    (cause === undefined || entry.causes.some((one) => one.cause === cause)) &&
    (prefix === undefined || entry.id.startsWith(prefix)) &&
    (text === undefined || isFound(entry, text.toLowerCase()))
  )
}

const isFound = ({ id, reasons }: Entry, text: string) => reasons.includes(text) || id.toLowerCase().includes(text)

/** Most are alike in most, so what is equal is kept once. */
function onlyOnce<Value>(keyOf: (value: Value) => string): (value: Value) => Value {
  const kept = new Map<string, Value>()
  return (value) => {
    const key = keyOf(value)
    const known = kept.get(key)
    if (known !== undefined) return known
    if (kept.size >= mostKept) kept.clear()
    kept.set(key, value)
    return value
  }
}
const mostKept = 10_000

const same: <Text extends string>(text: Text) => Text = onlyOnce((text) => text)
const sameNames = onlyOnce((names: readonly string[]) => names.join(' '))
const sameCauses = onlyOnce((causes: readonly Cause[]) => causes.map(({ cause }) => cause).join(' '))
