// Orchestrators in general, hand-written ones too, on the SDK's own executor: virtual time, and every turn replayed twice.

import { runOrchestration, replayOrchestration, simulate, anEvent, applied, deferred } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import type { AnyOrchestrator } from '../../testkit/durable.js'
import { names } from '../../src/names.js'
import { sagaOrchestrator } from '../../src/orchestrators/saga.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import { threeSteps } from '../saga/three-steps.js'

const activities = { charge: (amount: unknown) => `charged ${String(amount)}`, ship: () => 'shipped' }

const order: AnyOrchestrator = function* ({ df }) {
  const charged = yield df.callActivity('charge', df.getInput())
  df.setCustomStatus('charged')
  yield df.createTimer(new Date(df.currentUtcDateTime.getTime() + 7 * 86_400_000))
  return [charged, yield df.callActivity('ship')]
}

describe('an orchestration', () => {
  it('runs weeks in no time, and tells what it did', async () => {
    const { status, output, customStatus, took } = await runOrchestration(order, { activities, input: 7 })

    expect({ status, output, customStatus }).toEqual({
      status: 'completed',
      output: ['charged 7', 'shipped'],
      customStatus: 'charged',
    })
    expect(took).toBe(7 * 86_400_000)
  })

  it('hears what is raised while it waits, and tells that it waits', async () => {
    const patient: AnyOrchestrator = function* ({ df }) {
      df.setCustomStatus('listening')
      return yield df.waitForExternalEvent('approval')
    }
    let count = 0
    const raise = () => (count++ === 0 ? { name: 'approval', value: { by: 'ops' } } : undefined)

    expect(await runOrchestration(patient, { raise })).toMatchObject({ status: 'completed', output: { by: 'ops' } })
    expect(await runOrchestration(patient)).toMatchObject({ status: 'waiting', customStatus: 'listening' })
  })

  it('fails as it would in production: with the words of the activity', async () => {
    const refusing = { ...activities, ship: () => Promise.reject(new Error('no stock')) }

    const { status, output } = await runOrchestration(order, { activities: refusing })

    expect(status).toBe('failed')
    expect(output).toContain('no stock')
  })

  it('says which activity the test has not written', async () => {
    await expect(runOrchestration(order)).rejects.toThrow("The orchestrator calls activity 'charge'. Write it:")
  })

  it('runs on under a new history when it continues as new', async () => {
    const counting: AnyOrchestrator = function* ({ df }) {
      const count = df.getInput<number>() ?? 0
      yield df.callActivity('ship')
      if (count < 3) df.continueAsNew(count + 1)
      return count
    }

    const { output, history } = await runOrchestration(counting, { activities, input: 1 })

    expect(output).toBe(3)
    expect(history.filter(({ Name }) => Name === 'ship')).toHaveLength(1)
  })
})

describe('an orchestrator that is not deterministic fails, with the event', () => {
  const withClock: AnyOrchestrator = function* ({ df }) {
    yield df.callActivity('charge', 1)
    return yield df.callActivity('ship', Date.now())
  }
  const withChance: AnyOrchestrator = function* ({ df }) {
    return yield df.callActivity(Math.random() < 2 ? 'charge' : 'ship')
  }
  let runs = 0
  const withMemory: AnyOrchestrator = function* ({ df }) {
    yield df.callActivity('charge', 1)
    return yield df.callActivity('ship', (runs += 1))
  }

  it.each([
    ['Date.now()', withClock, "asked for Date.now() while it was handling event 6, TaskCompleted of 'charge'"],
    ['Math.random()', withChance, 'asked for Math.random() while it was handling event 2, ExecutionStarted'],
    [
      'a variable that outlives a replay',
      withMemory,
      "two different things when it handled event 6, TaskCompleted of 'charge'",
    ],
  ])('%s', async (_, orchestrator, words) => {
    await expect(runOrchestration(orchestrator, { activities })).rejects.toThrow(words)
  })

  it('a changed order, against a history that was kept', async () => {
    const { history } = await runOrchestration(order, { activities })
    const kept = JSON.parse(JSON.stringify(history))
    const changed: AnyOrchestrator = function* ({ df }) {
      const shipped = yield df.callActivity('ship')
      return [yield df.callActivity('charge'), shipped]
    }

    await expect(replayOrchestration(order, kept)).resolves.toBeUndefined()
    await expect(replayOrchestration(changed, kept)).rejects.toThrow(
      /the history has activity 'charge', the code asks for activity 'ship'\nThat is event 3, TaskScheduled of 'charge'\./,
    )
  })

  it('an end that is another', async () => {
    const { history } = await runOrchestration(order, { activities })
    const shorter: AnyOrchestrator = function* (context) {
      yield* order(context)
      return 'done'
    }

    await expect(replayOrchestration(shorter, history)).rejects.toThrow(`today's orchestrator is Completed "done"`)
  })
})

describe('the orchestrator of sagas', () => {
  it('does on the executor what the machine does in the simulator', async () => {
    const saga = threeSteps()
    const event = anEvent()
    const answers = { b: [deferred(), deferred(), applied('B')] }
    let asked = 0

    const run = await runOrchestration(
      sagaOrchestrator(() => saga),
      {
        instanceId: instanceIdOf(saga.name, event),
        input: { saga: saga.name, version: saga.version, event },
        activities: {
          [names.askPartner]: (ask) => (JSON.stringify(ask).includes('"step":"b"') ? answers.b[asked++] : applied()),
        },
      },
    )

    expect(run.customStatus).toEqual(simulate(saga, event, { answers }).status)
  })
})
