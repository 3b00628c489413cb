// A lane: the sagas of one row, one after the other. What came while one ran is taken by a single one after it, which reads the row as it stands then.
//
// Promises
//   L1  One instance holds a lane at a time.
//   L2  Whoever waits is told: it is its turn, or another one that begins after it came does its work.
//   L3  Nobody is passed over: an instance is covered only by one that has not read the row yet when it came.

import type { DataverseEvent } from './event.js'

export interface Lane {
  readonly holder?: string
  /** In the order in which they came. */
  readonly waiting: readonly string[]
}

export const emptyLane: Lane = { waiting: [] }

export const isEmptyLane = ({ holder }: Lane) => holder === undefined

export const laneOf = (saga: string, { table, rowId }: DataverseEvent) => `${saga}:${table}:${rowId}`

/** Milliseconds after which one that waits looks whether the holder is still there. */
export const lanePatience = 10 * 60_000

/** What an instance is told when it comes. */
export type Entered = { readonly turn: 'now' } | { readonly turn: 'later'; readonly holder: string }

/** What one that waits is told, as the event `lane`. */
export type LaneWord = { readonly turn: 'now' } | { readonly turn: 'covered'; readonly by: string }

/** Whom to tell what, when the holder has gone. */
export interface Left {
  readonly next?: string
  /** Their work is done by the next one. */
  readonly covered: readonly string[]
}

/** The same instance may come again. */
export function enter(lane: Lane, id: string): readonly [Lane, Entered] {
  if (lane.holder === undefined || lane.holder === id) return [{ ...lane, holder: id }, { turn: 'now' }]
  const waiting = lane.waiting.includes(id) ? lane.waiting : [...lane.waiting, id]
  return [
    { ...lane, waiting },
    { turn: 'later', holder: lane.holder },
  ]
}

/** Also by somebody else, when the holder has ended without a word. Whoever does not hold it just stops waiting. */
export function leave(lane: Lane, id: string): readonly [Lane, Left] {
  if (lane.holder !== id) return [{ ...lane, waiting: lane.waiting.filter((other) => other !== id) }, { covered: [] }]
  const [next, ...covered] = lane.waiting
  return next === undefined
    ? [emptyLane, { covered }]
    : [
        { holder: next, waiting: [] },
        { next, covered },
      ]
}

/**
 * Of one that was told that another does its work. It may have come again meanwhile, and even have its turn: then it must do its work, since others are told
 * that it does theirs.
 */
export function withdraw(lane: Lane, id: string): readonly [Lane, Entered] {
  if (lane.holder === id) return [lane, { turn: 'now' }]
  const [after] = leave(lane, id)
  return [after, { turn: 'later', holder: lane.holder ?? '' }]
}

/** What was written by another version of us is read as little as is needed. */
export function readEntered(value: unknown): Entered {
  const holder = memberOf(value, 'holder')
  return memberOf(value, 'turn') === 'later' && typeof holder === 'string' ? { turn: 'later', holder } : { turn: 'now' }
}

export function readLeft(value: unknown): Left {
  const next = memberOf(value, 'next')
  const covered = memberOf(value, 'covered')
  return {
    ...(typeof next === 'string' && { next }),
    covered: Array.isArray(covered) ? covered.filter((one) => typeof one === 'string') : [],
  }
}

export function readLaneWord(value: unknown): LaneWord {
  const by = memberOf(value, 'by')
  return memberOf(value, 'turn') === 'covered' && typeof by === 'string' ? { turn: 'covered', by } : { turn: 'now' }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
