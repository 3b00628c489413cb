// One saga as two lanes: what was done goes down on the left, what was undone goes up on the right, and the pivot is a line across.

import type { DefinedStep, SagaStatus, StepStatus, Told } from './answers.mjs'
import { type Child, h } from './dom.mjs'
import { badge, glyph, toneOf } from './phases.mjs'
import { lasting, when } from './time.mjs'

interface Timeline {
  readonly saga: SagaStatus
  /** How the steps are declared; nothing when the definition is gone. */
  readonly declared: readonly DefinedStep[] | undefined
  readonly selected: string | undefined
  readonly select: (step: string) => void
}

export function timeline({ saga, declared, selected, select }: Timeline): Child {
  const isTurned = saga.steps.some(({ undo }) => undo) || saga.owed.length > 0 || saga.undoneBecause !== undefined
  const declaredOf = (name: string) => declared?.find((step) => step.name === name)
  const rows = saga.steps.map((step) => {
    const { kind, stage, undo } = declaredOf(step.name) ?? {}
    const isParallel = declared !== undefined && declared.filter((one) => one.stage === stage).length > 1
    const cell = stepCell(saga, step, isParallel)
    return h(
      'li',
      { key: step.name, class: kind === 'pivot' ? 'pivot' : null },
      h(
        'button',
        {
          type: 'button',
          class: `lane do ${standOf(step)}`,
          'aria-pressed': String(selected === step.name),
          onclick: () => select(step.name),
        },
        cell,
      ),
      h(
        'div',
        { class: `lane undo ${step.undo ? standOf(step.undo) : 'pending'}` },
        undoCell(saga, step, undo, isTurned),
      ),
      kind === 'pivot' && h('p', { class: 'pivot-line' }, h('span', {}, 'pivot: from here it only goes forward')),
    )
  })
  return h(
    'section',
    { class: `timeline${isTurned ? ' turned' : ''}`, 'aria-labelledby': 'timeline-title' },
    h('h2', { id: 'timeline-title', class: 'unseen' }, 'Timeline'),
    h('div', { class: 'lanes', 'aria-hidden': 'true' }, h('span', {}, 'Forward ↓'), h('span', {}, 'Undo ↑')),
    h('ol', {}, ...rows),
  )
}

/** Its place on the line: reached, where it is now, or still to come. */
const standOf = ({ outcome, startedAt, endedAt }: Told) =>
  outcome === 'pending' && startedAt === undefined ? 'pending' : endedAt === undefined ? 'now' : toneOf(outcome)

function stepCell(saga: SagaStatus, step: StepStatus, isParallel: boolean): Child {
  const isUnder = step.startedAt !== undefined && step.outcome === 'pending'
  return [
    h('span', { class: 'dot' }, glyph(isUnder ? 'running' : step.outcome)),
    h(
      'span',
      { class: 'what' },
      h('strong', {}, step.name),
      h('span', { class: 'quiet' }, `${step.partner}: ${step.action}`),
      isParallel && h('span', { class: 'tag' }, 'in parallel'),
    ),
    h('span', { class: 'state' }, isUnder ? badge('running', 'asking') : badge(step.outcome), factsOf(step)),
    lateFor(saga, step),
    step.reason !== undefined && h('span', { class: 'why' }, step.reason),
  ]
}

/** The step that the saga waits for, and until when. */
function lateFor({ waitsFor }: SagaStatus, { outcome }: Told): Child {
  if (waitsFor?.kind !== 'retry' || outcome !== 'deferred') return undefined
  return h('span', { class: 'why' }, 'next attempt ', when(waitsFor.until))
}

function undoCell(saga: SagaStatus, step: StepStatus, undo: DefinedStep['undo'] | undefined, isTurned: boolean): Child {
  const owed = saga.owed.find((one) => one.step === step.name)
  if (step.undo)
    return [
      h('span', { class: 'dot' }, glyph(step.undo.outcome === 'applied' ? 'undone' : step.undo.outcome)),
      h('span', { class: 'what' }, h('strong', {}, `undo ${step.name}`)),
      h(
        'span',
        { class: 'state' },
        step.undo.outcome === 'applied' ? badge('undone') : badge(owed?.since ? 'owed' : step.undo.outcome),
        factsOf(step.undo),
      ),
      step.undo.reason !== undefined && h('span', { class: 'why' }, step.undo.reason),
    ]
  if (owed)
    return [
      h('span', { class: 'dot' }, glyph('ring')),
      h('span', { class: 'what' }, `undo ${step.name}`),
      h('span', { class: 'why' }, owed.reason),
    ]
  // Of one that has ended without an undo there is nothing to say.
  if (saga.endedAt !== undefined && !isTurned) return undefined
  const words = {
    yes: isTurned ? 'nothing to undo' : 'can be undone',
    irreversible: 'can not be undone',
    none: 'needs no undo',
  }
  return undo && h('span', { class: 'faint' }, words[undo])
}

/** When, how often, how long. */
const factsOf = ({ attempts, startedAt, endedAt }: Told) =>
  h(
    'span',
    { class: 'quiet' },
    startedAt !== undefined && when(startedAt),
    startedAt !== undefined && endedAt !== undefined && ` · ${lasting(Date.parse(endedAt) - Date.parse(startedAt))}`,
    attempts > 1 && ` · ${attempts} attempts`,
  )
