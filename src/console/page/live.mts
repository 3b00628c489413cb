// What changes is shown when it changes: by server-sent events, or by asking again where there is no stream.

import { listen } from './api.mjs'

export type Liveness = 'live' | 'polling' | 'offline'

const pollEvery = 3_000
/** With a stream only each so many-th time: another worker of the app may have answered from what it knew a moment before. */
const evenSo = 5
/** After a stream has ended or could not be opened. */
const reopenAfter = { ended: 250, failed: 15_000 }
/** Many changes at once are one. */
const gather = 250

let told: (liveness: Liveness) => void = () => undefined
export function tellLiveness(tell: typeof told): void {
  told = tell
}

/** Calls `changed` soon after anything did, until it is stopped. @param changed resolves when what it asked for is there */
export function follow(path: string, changed: () => Promise<boolean>): () => void {
  const stop = new AbortController()
  let isOpen = false
  let due: number | undefined
  let isUnderWay = false
  let isWanted = false
  /** One look at a time: what changes meanwhile is a reason for one more. */
  const soon = () => {
    isWanted = true
    if (isUnderWay) return
    isUnderWay = true
    due = window.setTimeout(async () => {
      isWanted = false
      await changed()
      isUnderWay = false
      if (isWanted && !stop.signal.aborted) soon()
    }, gather)
  }
  const stream = async () => {
    while (!stop.signal.aborted) {
      const hasEnded = await listen(path, stop.signal, () => {
        isOpen = true
        told('live')
        soon()
      }).then(
        () => true,
        () => false,
      )
      isOpen = false
      await new Promise((resolve) => setTimeout(resolve, hasEnded ? reopenAfter.ended : reopenAfter.failed))
    }
  }
  void stream()
  let ticks = 0
  const polling = window.setInterval(() => {
    ticks += 1
    if (document.hidden || (isOpen && ticks % evenSo !== 0)) return
    void changed().then((isThere) => !isOpen && !stop.signal.aborted && told(isThere ? 'polling' : 'offline'))
  }, pollEvery)
  return () => {
    stop.abort()
    clearInterval(polling)
    clearTimeout(due)
  }
}
