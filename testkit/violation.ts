// A promise that is broken.

/** Which promise, and by what. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly invariant: string

  constructor(invariant: string, what: string) {
    super(what)
    this.invariant = invariant
  }
}

/** A violation, with the schedule that leads to it. */
export class ExplorationError extends Error {
  override readonly name = 'ExplorationError'
  readonly invariant: string
  /** The deviations from all going well, as `follow` takes them. */
  readonly schedule: readonly string[]

  constructor(message: string, invariant: string, schedule: readonly string[]) {
    super(message)
    this.invariant = invariant
    this.schedule = schedule
  }
}

/** @throws Violation unless it holds */
export function promise(invariant: string, holds: boolean, what: string): void {
  if (!holds) throw new Violation(invariant, what)
}
