// A definition drawn as Mermaid text: the way forward, the pivot, and below it the way back.

import { pivotStageOf, type Saga, type Step } from './define.js'

/** A flowchart; it begins with `flowchart LR` and ends with a line break. */
export function diagramOf(saga: Saga): string {
  const stages = stagesOf(saga)
  const pivot = pivotStageOf(saga)
  const isUndone = ({ step }: Node) => canBeUndone(step) && (pivot < 0 || step.stage < pivot)
  const back = stages
    .toReversed()
    .map((nodes) => nodes.filter(isUndone))
    .filter((nodes) => nodes.length > 0)
  const lines = [
    `begin(["${escape(saga.on.table)} ${escape([saga.on.message].flat().join(' or '))}"])`,
    ...stages.flat().map(({ id, step }) => `do${id}${boxOf(step)}`),
    `done(["completed"])`,
    ...chain([['begin'], ...stages.map((nodes) => nodes.map(({ id }) => `do${id}`)), ['done']]),
    ...(back.length === 0
      ? []
      : [
          ...back.flat().map(({ id, step }) => `undo${id}["undo ${escape(step.name)}"]`),
          `undone(["compensated"])`,
          ...chain([...back.map((nodes) => nodes.map(({ id }) => `undo${id}`)), ['undone']]),
          ...back.flat().map(({ id }) => `do${id} -.- undo${id}`),
          `class ${[...back.flat().map(({ id }) => `undo${id}`), 'undone'].join(',')} back`,
          `classDef back stroke-dasharray: 4 3`,
        ]),
    ...(pivot < 0
      ? []
      : [`class ${stages[pivot]?.map(({ id }) => `do${id}`).join(',')} pivot`, `classDef pivot stroke-width:3px`]),
  ]
  return `flowchart LR\n${lines.map((line) => `  ${line}\n`).join('')}`
}

interface Node {
  readonly id: number
  readonly step: Step
}

function stagesOf({ steps }: Saga): Node[][] {
  const stages: Node[][] = []
  steps.forEach((step, id) => (stages[step.stage] ??= []).push({ id, step }))
  return stages
}

const canBeUndone = ({ action, kind }: Step) => kind !== 'snapshot' && action.undoable

/** Every one of a stage leads to every one of the next. */
function chain(stages: readonly (readonly string[])[]): string[] {
  return stages.slice(1).map((nodes, index) => `${stages[index]?.join(' & ')} --> ${nodes.join(' & ')}`)
}

function boxOf({ name, action, kind, when }: Step): string {
  const lines = [
    `<b>${escape(name)}</b>`,
    `${escape(action.partner)}: ${escape(action.name)}`,
    ...(kind === 'pivot' ? ['no way back from here'] : []),
    ...(when ? ['only when needed'] : []),
    ...(action.answeredWithin === undefined
      ? []
      : [action.mayAnswerAtOnce ? 'answered at once or later' : 'answered later']),
    ...(action.irreversible === undefined ? [] : [`stays: ${escape(action.irreversible)}`]),
  ]
  const text = `"${lines.join('<br/>')}"`
  return kind === 'pivot' ? `{{${text}}}` : `[${text}]`
}

/** What Mermaid would read as its own. */
const escape = (text: string) => text.replaceAll('"', '#quot;').replaceAll('<', '#lt;').replaceAll('>', '#gt;')
