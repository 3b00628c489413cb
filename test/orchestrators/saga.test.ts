// The durable driver against the simulator: whatever the partners answer, both tell the same story.

import type { Task } from 'durable-functions'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import { names } from '../../src/names.js'
import { type Durable, runSaga } from '../../src/orchestrators/saga.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { anEvent, simulate, type World } from '../../testkit/simulate.js'

/** A task and what it stands for. */
interface Asked extends Task {
  readonly by: 'activity' | 'timer' | 'event'
  readonly name: string
  readonly input: unknown
}

const event = anEvent()

/** Steps the orchestrator by hand, as the platform would replay it; ends when it ends or waits for a person. */
function drive(answer: World['answer']) {
  const statuses: unknown[] = []
  let now = Date.UTC(2026, 0, 1)
  const task = (by: Asked['by'], name: string, input?: unknown): Asked => ({
    by,
    name,
    input,
    isCompleted: false,
    isFaulted: false,
  })
  const df = {
    instanceId: instanceIdOf(contactOnboarding.name, event),
    get currentUtcDateTime() {
      return new Date(now)
    },
    getInput: <T>() => JSON.parse(JSON.stringify({ saga: 'contact-onboarding', version: 1, event })) as T,
    setCustomStatus: (status: unknown) => void statuses.push(status),
    callActivity: (name: string, input: unknown) => task('activity', name, input),
    createTimer: (until: Date) => ({
      ...task('timer', until.toISOString()),
      isCanceled: false,
      cancel: () => undefined,
    }),
    waitForExternalEvent: (name: string) => task('event', name),
  } satisfies Durable
  const orchestration = runSaga({ df })
  const awaited: Asked[] = []
  for (let next = orchestration.next(); ; ) {
    if (next.done) return { statuses, awaited, output: next.value }
    const asked = next.value as Asked
    awaited.push(asked)
    if (asked.by === 'event') return { statuses, awaited, output: undefined }
    if (asked.by === 'timer') now = Date.parse(asked.name)
    next = orchestration.next(
      asked.by === 'activity'
        ? JSON.parse(JSON.stringify(answer(asked.input as Parameters<World['answer']>[0])))
        : undefined,
    )
  }
}

const row: Outcome = { kind: 'applied', output: { fullname: 'Astrid', emailaddress1: 'a@example.org' } }
const brings: Record<string, Outcome> = {
  snapshot: row,
  register: { kind: 'applied', output: { id: 'MD-1' } },
  'create-customer': { kind: 'applied', output: { number: 'C-1' } },
}

describe('the orchestrator', () => {
  it('asks through one activity, waits with durable timers, and ends with the phase', () => {
    const { awaited, output } = drive((ask) =>
      ask.step === 'register' && ask.attempt === 1
        ? { kind: 'deferred', reason: 'later' }
        : (brings[ask.step] ?? { kind: 'applied', output: null }),
    )

    expect(awaited.map(({ by }) => by)).toEqual(['activity', 'activity', 'timer', 'activity', 'activity', 'activity'])
    expect(new Set(awaited.filter(({ by }) => by === 'activity').map(({ name }) => name))).toEqual(
      new Set([names.askPartner]),
    )
    expect(output).toEqual({ phase: 'completed' })
  })

  it('waits for the operator’s event when an instance is held', () => {
    const { awaited } = drive((ask) =>
      ask.what === 'undo' || ask.step === 'create-customer'
        ? { kind: 'refused', reason: 'no' }
        : (brings[ask.step] ?? { kind: 'applied', output: null }),
    )

    expect(awaited.at(-1)).toMatchObject({ by: 'event', name: names.retry })
  })

  it('tells the same story as the simulator, whatever the partners answer', () => {
    const others: Outcome[] = [
      { kind: 'refused', reason: 'no' },
      { kind: 'deferred', reason: 'later', retryAfterMs: 3_000 },
      { kind: 'inDoubt', reason: 'silence' },
    ]
    fc.assert(
      fc.property(fc.array(fc.option(fc.constantFrom(...others)), { minLength: 1, maxLength: 30 }), (answers) => {
        const world = () => {
          let count = 0
          return {
            answer: (ask: { step: string }) =>
              answers[count++] ?? brings[ask.step] ?? { kind: 'applied' as const, output: null },
          }
        }

        const { statuses } = drive(world().answer)
        const { status } = simulate(contactOnboarding, world(), event)

        expect(statuses.at(-1)).toEqual(status)
      }),
      { numRuns: 200 },
    )
  })
})
