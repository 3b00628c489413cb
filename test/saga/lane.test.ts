// Who is in a lane, and whose work is done by whom.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  emptyLane,
  enter,
  isEmptyLane,
  type Lane,
  leave,
  readEntered,
  readLaneWord,
  readLeft,
  withdraw,
} from '../../src/saga/lane.js'

const entered = (ids: readonly string[]) => ids.reduce((lane, id) => enter(lane, id)[0], emptyLane)

describe('a lane', () => {
  it('is had by the first, and waited for by the others', () => {
    const [one, first] = enter(emptyLane, 'a')
    const [two, second] = enter(one, 'b')

    expect([first, second]).toEqual([{ turn: 'now' }, { turn: 'later', holder: 'a' }])
    expect(enter(two, 'a')[1]).toEqual({ turn: 'now' })
    expect(enter(two, 'b')[0]).toEqual(two)
  })

  it('goes to the one that waits longest, which does the work of all the others that wait', () => {
    expect(leave(entered(['a', 'b', 'c', 'd']), 'a')).toEqual([
      { holder: 'b', waiting: [] },
      { next: 'b', covered: ['c', 'd'] },
    ])
  })

  it('is empty when the last has gone', () => {
    const [lane, left] = leave(entered(['a']), 'a')

    expect([isEmptyLane(lane), left]).toEqual([true, { covered: [] }])
  })

  it('is left by one that only waits without anybody noticing', () => {
    expect(leave(entered(['a', 'b', 'c']), 'b')).toEqual([{ holder: 'a', waiting: ['c'] }, { covered: [] }])
  })

  it('is kept by one that withdraws when it is its turn already; one that waits goes', () => {
    const lane = entered(['a', 'b', 'c'])

    expect(withdraw(lane, 'a')).toEqual([lane, { turn: 'now' }])
    expect(withdraw(lane, 'b')).toEqual([
      { holder: 'a', waiting: ['c'] },
      { turn: 'later', holder: 'a' },
    ])
  })

  it('never loses one, whatever the order: each begins after it came, or is covered by one that does', () => {
    const steps = fc.array(
      fc.oneof(
        fc.nat(9).map((id) => `in ${id}`),
        fc.constant('out'),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (all) => {
        let lane: Lane = emptyLane
        const open = new Set<string>()
        const running = () => (lane.holder === undefined ? [] : [lane.holder])
        for (const [number, step] of [...all, ...all.map(() => 'out')].entries()) {
          if (step !== 'out') {
            const id = `${step} ${number}`
            open.add(id)
            lane = enter(lane, id)[0]
          } else if (lane.holder !== undefined) {
            const gone = lane.holder
            const [next, left] = leave(lane, gone)
            lane = next
            open.delete(gone)
            for (const covered of left.covered) open.delete(covered)
          }
          expect([...open].toSorted()).toEqual([...running(), ...lane.waiting].toSorted())
        }
        expect(open.size).toBe(0)
      }),
    )
  })

  it('reads words of other versions as little as is needed', () => {
    expect([readEntered({ turn: 'later' }), readEntered(null)]).toEqual([{ turn: 'now' }, { turn: 'now' }])
    expect(readLeft({ next: 'a', covered: ['b', 1], more: true })).toEqual({ next: 'a', covered: ['b'] })
    expect([readLaneWord({ turn: 'covered', by: 'x' }), readLaneWord('?')]).toEqual([
      { turn: 'covered', by: 'x' },
      { turn: 'now' },
    ])
  })
})
