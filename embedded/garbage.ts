// How this process collects garbage: called first by its entry points.
//
// V8 lets several threads clear the young generation. Where there are hardly more cores than busy threads, the one that waits for the others waits for the
// scheduler: measured on two cores, a delivery's p95 is a quarter lower and a saga costs a tenth less without them (docs/performance.md).

import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

/** The app, the host, the broker's writer, and whoever talks to them. */
const busyThreads = 4

export function collectAlone(): void {
  if (availableParallelism() <= busyThreads) setFlagsFromString('--no-parallel-scavenge')
}
