// What a lane needs of the platform: words to those that wait in it, and whether one that holds it is still there.

import type { InvocationContext } from '@azure/functions'
import { names } from '../names.js'
import type { LaneWord } from '../saga/lane.js'
import { anew } from '../saga/watch.js'
import { clientOf, statusOrNone } from '../task-hub.js'

/** To each instance its word. One that has ended meanwhile needs none. */
export async function tellLane(words: Readonly<Record<string, LaneWord>>, context: InvocationContext): Promise<void> {
  const client = clientOf(context)
  for (const [id, word] of Object.entries(words)) await client.raiseEvent(id, names.laneWord, word)
}

/** False for one that has ended, or was purged. One that was ended to be begun anew is coming back. */
export async function isRunning(id: string, context: InvocationContext): Promise<boolean> {
  const status = await statusOrNone(clientOf(context), id)
  if (status?.output === anew) return true
  return status !== undefined && !/^(Completed|Failed|Terminated|Canceled)$/.test(status.runtimeStatus)
}
