// npm run cost -- SAGA --per-month N: what one saga asks of Azure, and N of them, in the units that are billed. Counted from the definition.
//
// Prices differ by region, contract and month, so none are kept here: docs/cost.md says which price belongs to which line.

import { parseArgs } from 'node:util'
import { sagas } from '../src/app/index.js'
import { pivotStageOf, type Saga, type Step } from '../src/saga/define.js'

export interface Cost {
  /** Attempts at partners. */
  readonly calls: number
  /** A send, a receive and a settlement for each message. */
  readonly serviceBusOperations: number
  /** Starters, orchestrator turns, activities and entities. */
  readonly executions: number
  /** As the Durable Task Scheduler bills them: whatever it hands to the app. */
  readonly actions: number
  /** Rows that the backend keeps of the orchestration until it is purged. */
  readonly historyEvents: number
  /** With the backend azureStorage, without its looking at empty queues. */
  readonly storageOperations: number
}

export type Course =
  /** Every step is needed, and applied at the first attempt. */
  | 'completed'
  /** The last step that can be is refused, and everything before it undone at the first attempt. */
  | 'undone'

/** What one saga asks for that takes this course. */
export function costOf(saga: Saga, course: Course): Cost {
  const asked = course === 'completed' ? saga.steps : upToRefusal(saga)
  const undone = course === 'completed' ? [] : asked.slice(0, -1).filter(isUndone)
  const calls = asked.length + undone.length
  const later = asked.filter(({ action }) => action.answeredWithin !== undefined && !action.mayAnswerAtOnce).length
  // Entering a lane and leaving it.
  const laneCalls = saga.lane === undefined ? 0 : 2
  const results = calls + later + laneCalls
  const turns = 1 + results
  return {
    calls,
    serviceBusOperations: 3,
    executions: 1 + turns + calls + laneCalls + later,
    actions: 1 + results + calls + laneCalls,
    // Each turn begins and ends; each call is written down when it is made and when it is answered. A later answer has a timer beside it.
    historyEvents: 2 * turns + results + calls + laneCalls + 2 + later,
    // Each turn takes a message, writes the history, updates the instance and deletes the message; each call is put, taken, deleted and answered.
    storageOperations: 2 + 4 * turns + 4 * (calls + laneCalls),
  }
}

/** The last step of the last stage that a refusal can still undo, and all before it. */
function upToRefusal(saga: Saga): readonly Step[] {
  const pivot = pivotStageOf(saga)
  return pivot < 0 ? saga.steps : saga.steps.filter(({ stage }) => stage <= pivot)
}

const isUndone = ({ kind, action }: Step) => kind !== 'snapshot' && action.undoable

/** What an attempt more costs: it is waited for and made. */
export const furtherAttempt: Cost = {
  calls: 1,
  serviceBusOperations: 0,
  executions: 3,
  actions: 3,
  historyEvents: 8,
  storageOperations: 12,
}

const lines: readonly (readonly [keyof Cost, string])[] = [
  ['calls', 'calls at partners'],
  ['serviceBusOperations', 'Service Bus operations'],
  ['executions', 'function executions'],
  ['actions', 'durable actions (azureManaged)'],
  ['historyEvents', 'history events'],
  ['storageOperations', 'storage operations (azureStorage)'],
]

const row = (name: string, ...cells: readonly string[]) =>
  `  ${name.padEnd(36)}${cells.map((cell) => cell.padStart(16)).join('')}`
const inWords = (count: number) => count.toLocaleString('en')

/** A table of both courses, and of so many sagas of each. */
export function tableOf(saga: Saga, perMonth: number): string {
  const completed = costOf(saga, 'completed')
  const undone = costOf(saga, 'undone')
  const counted = lines.map(([key, name]) => {
    const cells = [completed[key], undone[key], furtherAttempt[key], completed[key] * perMonth, undone[key] * perMonth]
    return row(name, ...cells.map(inWords))
  })
  const month = inWords(perMonth)
  return [
    `${saga.name}, version ${saga.version}`,
    row('', 'one completed', 'one undone', 'attempt more', month, month),
    row('', '', '', '', 'completed', 'undone'),
    ...counted,
  ].join('\n')
}

function main(): number {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { 'per-month': { type: 'string', default: '1000000' } },
  })
  const perMonth = Number(values['per-month'])
  const named = sagas.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (!(perMonth > 0) || named.length === 0) {
    console.error(`npm run cost -- [SAGA] [--per-month N]; the sagas are ${sagas.map(({ name }) => name).join(', ')}.`)
    return 2
  }
  console.log(named.map((saga) => tableOf(saga, perMonth)).join('\n\n'))
  return 0
}

if (require.main === module) process.exitCode = main()
