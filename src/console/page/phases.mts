// How phases, outcomes and other states look: a word, a tone and a shape, so that colour never says anything alone.

import type { Phase } from './answers.mjs'
import { h, svg } from './dom.mjs'

export type Tone = 'good' | 'busy' | 'wait' | 'bad' | 'back' | 'calm'

const looks: Readonly<Record<string, readonly [Tone, Shape, string?]>> = {
  // Phases.
  pending: ['calm', 'ring'],
  running: ['busy', 'half'],
  waiting: ['wait', 'clock'],
  held: ['bad', 'hand'],
  compensating: ['back', 'back'],
  completed: ['good', 'tick'],
  compensated: ['back', 'tick'],
  cancelled: ['calm', 'cross'],
  merged: ['calm', 'merge'],
  indebted: ['bad', 'mark'],
  // Outcomes.
  applied: ['good', 'tick'],
  refused: ['bad', 'cross'],
  deferred: ['wait', 'clock'],
  inDoubt: ['bad', 'question', 'in doubt'],
  skipped: ['calm', 'merge'],
  // A breaker.
  closed: ['good', 'tick', 'healthy'],
  open: ['bad', 'cross', 'breaker open'],
  halfOpen: ['wait', 'half', 'trying again'],
  unknown: ['calm', 'ring', 'not asked yet'],
  // What a partner holds of a record.
  inSync: ['good', 'tick', 'in sync'],
  undone: ['back', 'tick'],
  owed: ['bad', 'mark'],
  // Bulk jobs.
  done: ['good', 'tick'],
  stopped: ['calm', 'cross'],
  // Kinds of causes.
  repair: ['bad', 'mark', 'needs repair'],
}

const shapes = {
  ring: 'M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z',
  half: 'M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3zM8 3v10M10 3.5v9M12 5v6',
  clock: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3.2l2.2 1.4',
  hand: 'M6 4v8M10 4v8',
  back: 'M6 4 3 7l3 3M3.2 7H10a3 3 0 0 1 0 6H7',
  tick: 'm3.5 8.5 3 3 6-7',
  cross: 'm4 4 8 8M12 4l-8 8',
  merge: 'M3 8h9M9 5l3 3-3 3',
  mark: 'M8 3v6.5M8 12.4v.2',
  question: 'M5.5 6a2.5 2.5 0 1 1 3.4 2.3c-.6.3-.9.7-.9 1.4M8 12.4v.2',
} as const
type Shape = keyof typeof shapes

export const toneOf = (state: string): Tone => looks[state]?.[0] ?? 'calm'
export const wordOf = (state: string): string => looks[state]?.[2] ?? state

export const glyph = (state: string) =>
  svg(
    'svg',
    { class: 'glyph', viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    svg('path', { d: shapes[looks[state]?.[1] ?? 'ring'] }),
  )

export const badge = (state: string, word = wordOf(state)) =>
  h('span', { class: `badge ${toneOf(state)}` }, glyph(state), word)

/** In the order in which they matter to whoever looks after them. */
export const phasesInOrder: readonly Phase[] = [
  'held',
  'waiting',
  'compensating',
  'running',
  'pending',
  'indebted',
  'completed',
  'compensated',
  'cancelled',
  'merged',
]
