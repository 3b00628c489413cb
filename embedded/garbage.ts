// How a process of the embedded runtime collects garbage.
//
// What is under way at once lives through several collections of a young generation of the usual 16 MB, and is copied each time. With room for all of it a
// saga costs a tenth less.
//
// V8 lets several threads clear the young generation. Where there are hardly more cores than busy threads, the one that waits for the others waits for the
// scheduler: measured on two cores, a delivery's p95 is a quarter lower and a saga costs a tenth less without them (docs/performance.md).
//
// Where much of what a piece of code makes has outlived a collection, V8 makes the next ones old at once. What came in under load then keeps alive whatever it
// points to, though it is long done with, until the old generation is collected: without that a third as much is copied.

import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

/** For a process that runs an app and its host; megabytes. They only count when it is started. */
export const roomForTheYoung = ['--min-semi-space-size=64', '--max-semi-space-size=64']

/** The app, the host, the broker's writer, and whoever talks to them. */
const busyThreads = 4

/** Called first by an entry point: nothing is old from the beginning, and where cores are few the young generation is collected without helpers. */
export function collectWell(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  if (availableParallelism() <= busyThreads) setFlagsFromString('--no-parallel-scavenge')
}

/**
 * For the broker alone: lets the old generation grow to four times what is alive before it is collected. Little is, so that at V8's doubling it would be
 * collected twice a second, for 5 ms each: a delivery's p95 and p99 are a tenth lower.
 */
export function collectTheOldSeldom(): void {
  setFlagsFromString('--heap-growing-percent=300')
}
