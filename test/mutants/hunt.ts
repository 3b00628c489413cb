// Looks for a broken promise in the machine that it is compiled with: explores sagas of every shape. Runs as a worker of mutants.test.ts.

import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { defineAction } from '../../src/saga/action.js'
import { defineSaga, type Saga } from '../../src/saga/define.js'
import { relentless } from '../../src/saga/policy.js'
import { anEvent } from '../../testkit/event.js'
import { explore } from '../../testkit/explore.js'
import { applied } from '../../testkit/partners.js'
import { aSaga, broughtAtOnce, threeSteps, thrice, twice } from '../saga/three-steps.js'

const person = z.object({ id: z.string(), name: z.string() })
const readRow = defineAction('source', 'read', {
  input: z.object({ rowId: z.string() }),
  output: z.object({ name: z.string() }),
  keys: 'honoured',
  request: ({ rowId }) => ({ method: 'GET', path: `/rows/${rowId}` }),
})
const register = (partner: string) =>
  defineAction(partner, 'register', {
    input: z.object({ name: z.string() }),
    output: person,
    keys: 'honoured',
    retry: thrice,
    request: (body) => ({ method: 'POST', path: '/people', body }),
    undo: { request: ({ output }) => ({ method: 'DELETE', path: `/people/${output.id}` }), retry: twice },
  })
/** Every mapping hangs on the row or on an earlier output. */
const typed = defineSaga('typed', { version: 1, on: { table: 'contact', message: 'Create' } })
  .snapshot(readRow)
  .step('first', register('one'), ({ row }) => ({ name: row.name }))
  .step('second', register('two'), ({ outputs }) => ({ name: outputs.first.id }))
  .end()
const brings = {
  snapshot: applied({ name: 'Ada' }),
  first: applied({ id: '1', name: 'Ada' }),
  second: applied({ id: '2', name: '1' }),
}

const failing = () => {
  throw new Error('no such column')
}
const pivoted = [
  [{ name: 'a' }],
  [{ name: 'p', kind: 'pivot' as const }],
  [{ name: 'z', shape: { retry: relentless } }],
]

/** With the depth to which each is explored. */
const sagas: readonly (readonly [Saga, number])[] = [
  [threeSteps(), 2],
  [threeSteps({ keys: 'ignored' }), 2],
  [threeSteps({ keys: 'ignored', probed: true }), 2],
  [threeSteps({ keys: 'ignored', back: 'undoableInDoubt' }), 2],
  [threeSteps({ back: 'undoableInDoubt', probed: true }), 2],
  [aSaga([[{ name: 'a' }], [{ name: 'mail', shape: { back: 'irreversible', keys: 'ignored' } }], [{ name: 'c' }]]), 2],
  [aSaga([[{ name: 'a' }], [{ name: 'b', shape: { answeredWithin: 60_000 } }], [{ name: 'c' }]]), 2],
  [aSaga([[{ name: 'a' }], [{ name: 'b', shape: { answeredWithin: 60_000, keys: 'ignored' } }]]), 2],
  [aSaga([[{ name: 'a' }], [{ name: 'b', shape: { answeredWithin: 60_000, mayAnswerAtOnce: true } }]]), 1],
  [aSaga(pivoted, { deadline: 5_000 }), 2],
  [aSaga([[{ name: 'p', kind: 'pivot' }], [{ name: 'z', timeout: 10_000, shape: { retry: relentless } }]]), 2],
  [aSaga([[{ name: 'a' }], [{ name: 'b1' }, { name: 'b2', shape: { retry: twice } }], [{ name: 'c' }]]), 2],
  [aSaga([[{ name: 'a', when: () => false }], [{ name: 'b' }]]), 2],
  [
    aSaga([[{ name: 'a' }], [{ name: 'b', holdRefusalFor: 60_000 }], [{ name: 'c', timeout: 1_200 }]], {
      deadline: 600_000,
    }),
    2,
  ],
  [aSaga([[{ name: 'a' }], [{ name: 'b', inputFor: failing }]]), 1],
  [aSaga([[{ name: 'a' }], [{ name: 'b', inputFor: () => 'x'.repeat(60_000) }]]), 1],
  [aSaga(Array.from({ length: 70 }, (_, index) => [{ name: `step-${index}` }])), 0],
  [aSaga([[{ name: 'a' }], [{ name: 'b' }]]), 3],
]

/** The first promise that is broken, in a line; undefined if all are kept. */
function hunt(): string | undefined {
  try {
    for (const most of [0, 1, 2, 3]) {
      explore(typed, anEvent(), { answers: brings, depth: Math.min(most, 2) })
      for (const [saga, depth] of sagas)
        if (depth >= most) explore(saga, anEvent(), { answers: broughtAtOnce(saga), depth: most })
    }
    return undefined
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n')[0]
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows, this is a thread
parentPort?.postMessage(hunt())
