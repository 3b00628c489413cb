// A change that is prepared in memory, written in one commit with others, and takes effect when that is on disk.

import type { Changes, Store } from '../store/store.js'

export interface Plan {
  /** Of the messages that it adds, in the entity that was asked. */
  readonly sequences: readonly number[]
  write(changes: Changes): void
  /** Once it is on disk. */
  done(): void
  /** It could not be written. */
  failed(): void
}

export async function carryOut(
  store: Store,
  plans: readonly Plan[],
  alsoWrite?: (changes: Changes) => void,
): Promise<void> {
  try {
    await store.commit((changes) => {
      for (const plan of plans) plan.write(changes)
      alsoWrite?.(changes)
    })
  } catch (error) {
    for (const plan of plans) plan.failed()
    throw error
  }
  for (const plan of plans) plan.done()
}
