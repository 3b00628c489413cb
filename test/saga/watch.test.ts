// Who is late, and who only takes long.

import { describe, expect, it } from 'vitest'
import { statusOf, waitingInLane } from '../../src/saga/status.js'
import { pending } from '../../src/saga/machine.js'
import { nextOf } from '../../src/saga/next.js'
import { readInstanceId } from '../../src/saga/ids.js'
import { declaredTime, lateness, slack } from '../../src/saga/watch.js'
import { anEvent, beginning } from '../../testkit/event.js'
import { aSaga, deferred, inDoubt, tell, threeSteps } from './three-steps.js'

const minute = 60_000
const saga = threeSteps()
const start = { instance: readInstanceId('test:contact:1:1'), event: anEvent(), at: new Date(beginning).toISOString() }
const statusIn = (story: ReturnType<typeof tell>, definition: typeof saga, isIt: (kind?: string) => boolean) => {
  const found = story.states.map((state) => statusOf(definition, state)).find(({ waitsFor }) => isIt(waitsFor?.kind))
  if (!found) throw new Error('there is no such moment')
  return found
}

const asking = statusIn(tell(saga, {}), saga, (kind) => kind === undefined)
const retrying = statusIn(tell(saga, { b: [deferred] }), saga, (kind) => kind === 'retry')
const blind = threeSteps({ keys: 'ignored' })
const held = statusIn(tell(blind, { b: [inDoubt] }), blind, (kind) => kind === 'operator')
const bounded = aSaga([[{ name: 'a' }], [{ name: 'b', shape: { keys: 'ignored' } }]], { deadline: 60 * minute })
const heldWithDeadline = statusIn(tell(bounded, { b: [inDoubt] }), bounded, (kind) => kind === 'operator')
const inLane = waitingInLane(saga, pending(saga, start), 'another')
const unbegun = statusOf(saga, pending(saga, start))
const ended = tell(saga, {}).status

const at = (status: { updatedAt: string }) => Date.parse(status.updatedAt)
const dayLater = beginning + 86_400_000

describe('lateness', () => {
  it.each([
    ['asks', asking, at(asking) + 10 * minute, 'restart'],
    ['waits for the next attempt', retrying, Date.parse(untilOf(retrying)), 'wake'],
    ['waits for a person until its deadline', heldWithDeadline, beginning + 60 * minute, 'wake'],
    ['waits in a lane', inLane, beginning + 20 * minute, 'restart'],
    ['has not begun', unbegun, beginning + 10 * minute, 'restart'],
    ['has ended, and is not over for the platform', ended, at(ended) + 10 * minute, 'restart'],
  ] as const)('of one that %s begins well after the time that it has declared', (_, status, declared, what) => {
    expect(declaredTime(status, beginning)).toBe(declared)
    expect(lateness(status, beginning, declared + slack)).toBeUndefined()
    expect(lateness(status, beginning, declared + slack + 1)).toEqual({ what, since: declared })
  })

  it('is not that of one that waits for a person, or for whoever mends it', () => {
    expect(lateness(held, beginning, dayLater)).toBeUndefined()
    expect(lateness({ ...asking, waitsFor: { kind: 'repair', why: 'it failed' } }, beginning, dayLater)).toBeUndefined()
  })

  it('of one that stays asleep although it was woken asks for more', () => {
    expect(lateness(retrying, beginning, dayLater)?.what).toBe('restart')
  })
})

describe('a status', () => {
  it('tells the very time for which a durable timer is running', () => {
    const parallel = aSaga([[{ name: 'a' }, { name: 'b' }, { name: 'c' }]], { deadline: 1_700 })
    const { states } = tell(parallel, { a: [deferred], b: [deferred], c: [deferred] })
    const compared = states.flatMap((state) => {
      const next = nextOf(parallel, state)
      const { waitsFor } = statusOf(parallel, state)
      return next.kind === 'wait' ? [[waitsFor && 'until' in waitsFor ? waitsFor.until : undefined, next.until]] : []
    })

    expect(compared.length).toBeGreaterThan(0)
    for (const [told, set] of compared) expect(told).toBe(set)
  })
})

function untilOf({ waitsFor }: typeof retrying): string {
  return (waitsFor && 'until' in waitsFor ? waitsFor.until : undefined) ?? ''
}
