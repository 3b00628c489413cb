// The phases in the life of one saga.

/** Each phase, and whether an instance in it is over for good. A new phase can't be added without answering. */
const phases = {
  /** Durably started, nothing asked of anybody yet. */
  pending: 'alive',
  running: 'alive',
  /** For the next attempt. */
  waiting: 'alive',
  /** For a person. */
  held: 'alive',
  compensating: 'alive',
  completed: 'over',
  /** No partner holds an effect any more. */
  compensated: 'over',
  /** The same, because a person wanted it. */
  cancelled: 'over',
  /** Another saga of the same row does its work: nothing was asked of anybody. */
  merged: 'over',
  /** Undone but for what was written off by name. */
  indebted: 'over',
} as const

export type Phase = keyof typeof phases
export type EndPhase = { [P in Phase]: (typeof phases)[P] extends 'over' ? P : never }[Phase]

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table above are all the phases
export const phaseNames = Object.keys(phases) as Phase[]

export const isPhase = (text: string): text is Phase => Object.hasOwn(phases, text)
export const isOver = (phase: Phase): phase is EndPhase => phases[phase] === 'over'
