// Named things that a test can let go missing on their way: what no platform promises to do, and one may do all the same.

/** Each thing, and what is true when it is lost. */
export type Losable =
  /** An instance is on disk, and nothing begins it. */
  | 'hub:start'
  /** A timer never fires. */
  | 'hub:timer'
  /** An activity was asked for, and nobody runs it. */
  | 'hub:activity'
  /** An activity has run, and its result reaches nobody. */
  | 'hub:answer'
  /** An event was accepted, and its instance never hears of it. */
  | 'hub:event'

/** Handed to the task hub; true for what is to be lost. `name` is that of the activity, the event or the orchestration, `timer` of a timer. */
export type Lose = (what: Losable, instance: string, name: string) => boolean

export const loseNothing: Lose = () => false
