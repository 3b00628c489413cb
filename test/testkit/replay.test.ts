// Histories that were recorded from a running installation, on today's code and on changed code.

import { readFileSync } from 'node:fs'
import { replay, ReplayError, type SagaHistory } from 'dataverse-saga/testkit'
import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import type { Saga, Step } from '../../src/saga/define.js'

const recorded = (name: string): SagaHistory => JSON.parse(readFileSync(`test/histories/${name}.json`, 'utf8'))
const completed = recorded('contact-onboarding-completed')
const compensated = recorded('contact-onboarding-compensated')

/** The saga that ships, with some of its steps otherwise. */
const changed = (change: (steps: readonly Step[]) => readonly Step[]): Saga => ({
  ...contactOnboarding,
  steps: change(contactOnboarding.steps),
})

function difference(saga: Saga, history: SagaHistory) {
  try {
    replay(saga, history)
  } catch (error) {
    if (error instanceof ReplayError) return { event: error.event, message: error.message }
    throw error
  }
  throw new Error('It replayed.')
}

describe('a recorded history', () => {
  it('replays on the code that made it, to its end and from any moment on the way', () => {
    expect(() => replay(contactOnboarding, completed)).not.toThrow()
    expect(() => replay(contactOnboarding, compensated)).not.toThrow()
  })

  it('of another order of steps is red at the first event that is different', () => {
    const swapped = changed((steps) =>
      [steps[0], steps[1], steps[3], steps[2]]
        .flatMap((step) => (step ? [step] : []))
        .map((step, stage) => ({ ...step, stage })),
    )

    expect(difference(swapped, compensated)).toEqual({
      event: 3,
      message: expect.stringContaining(
        "event 3 of 6: the history has the answer to 'do store-key 1', today's saga asks for 'do create-customer 1'",
      ),
    })
  })

  it('of another input is red, and names the step', () => {
    const renamed = changed((steps) =>
      steps.map((step) => (step.name === 'create-customer' ? { ...step, inputFor: () => ({ number: 1 }) } : step)),
    )

    expect(difference(renamed, compensated)).toEqual({
      event: 4,
      message: expect.stringContaining("today's saga asks 'create-customer' with another input or under another key"),
    })
  })

  it('with a step that is gone, or one more, is red', () => {
    const shorter = changed((steps) => steps.slice(0, 3))
    const longer = changed((steps) => [
      ...steps,
      ...steps.slice(-1).map((step) => ({ ...step, name: 'thank', stage: 4 })),
    ])

    expect(difference(shorter, completed).message).toContain("the history has the answer to 'do create-customer 1")
    expect(difference(longer, completed).message).toContain("in the end: step 'thank' is not what it was then")
  })

  it('of another policy is red where it waited and would not any more', () => {
    const impatient = changed((steps) =>
      steps.map((step) => ({
        ...step,
        action: { ...step.action, retry: { firstRetryIntervalInMilliseconds: 1, maxNumberOfAttempts: 1 } },
      })),
    )

    expect(difference(impatient, completed).message).toContain("the history has the answer to 'do register 2")
  })

  it('of a version that is not this one can not be replayed', () => {
    expect(difference({ ...contactOnboarding, version: 2 }, completed).message).toContain(
      "it ran as 'contact-onboarding' version 1, which is not 'contact-onboarding' version 2",
    )
  })
})
