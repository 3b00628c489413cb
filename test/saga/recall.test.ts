// A recorded history leads to the state that the instance had.

import { describe, expect, it } from 'vitest'
import { instanceIdOf } from '../../src/saga/ids.js'
import { begin, type SagaEvent, turn } from '../../src/saga/machine.js'
import { markOf } from '../../src/saga/mark.js'
import { nextOf } from '../../src/saga/next.js'
import { recall } from '../../src/saga/recall.js'
import { statusOf } from '../../src/saga/status.js'
import { anEvent, beginning } from '../../testkit/event.js'
import { by, deferred, threeSteps } from './three-steps.js'

const at = (ms: number) => new Date(beginning + ms).toISOString()

describe('a timer that has lost against a word, and fires all the same', () => {
  it('is not the time that is waited for now', () => {
    const saga = { ...threeSteps(), deadline: 3_600_000 }
    const event = anEvent()
    const id = instanceIdOf(saga.name, event)
    const begun = begin(saga, { instance: id, event, at: at(0) })
    const next = nextOf(saga, begun)
    const hold = { kind: 'hold', id: 'c1', ...by } as const
    const events: readonly SagaEvent[] = [
      { kind: 'answered', at: at(10), step: 'a', what: 'do', outcome: deferred },
      { kind: 'said', at: at(20), command: hold },
    ]
    // On hold it waits for its deadline alone.
    const live = events.reduce((state, one) => turn(saga, state, one), begun)

    const { state, parting } = recall(saga, {
      id,
      saga: saga.name,
      version: saga.version,
      event,
      status: statusOf(saga, live),
      happened: [
        ...(next.kind === 'ask' ? next.asks : []).map(
          (ask) => ({ kind: 'answered', at: at(10), of: markOf(ask), outcome: deferred }) as const,
        ),
        { kind: 'heard', at: at(20), signal: { kind: 'command', command: hold } },
        { kind: 'woken', at: at(1_010) },
      ],
    })

    expect(parting).toBeUndefined()
    expect(state).toEqual(live)
  })
})
