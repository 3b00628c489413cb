// What each partner holds of a row, as all sagas of the row tell together.

import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import { type Holding, holdingsOf } from '../../src/operators/record.js'
import type { SagaStatus, StepStatus } from '../../src/saga/status.js'
import { anEvent } from '../../testkit/event.js'
import { refused } from '../../testkit/partners.js'
import { simulate, type World } from '../../testkit/simulate.js'
import { answers } from './answers.js'

const statusOf = (world: World) => simulate(contactOnboarding, anEvent(), world).status
const at = (startedAt: string, id: string, status: SagaStatus): SagaStatus => ({ ...status, startedAt, id })

const told = (...statuses: SagaStatus[]) =>
  Object.fromEntries(holdingsOf(statuses, [contactOnboarding]).map(({ partner, state }) => [partner, state]))

const completed = statusOf({ answers })
const compensated = statusOf({ answers: { ...answers, 'create-customer': refused() } })

/** The same with another outcome of one step. */
const withStep = (status: SagaStatus, name: string, change: Partial<StepStatus>): SagaStatus => ({
  ...status,
  steps: status.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
})

describe('a row', () => {
  it('is in sync with each partner once its saga has completed', () => {
    expect(told(completed)).toEqual({ dataverse: 'inSync', 'master-data': 'inSync', erp: 'inSync' })
  })

  it('is undone where something was, and nothing is told of a partner that never had it', () => {
    expect(told(compensated)).toEqual({ dataverse: 'undone', 'master-data': 'undone' })
  })

  it('is as the latest saga that had to do with a partner left it', () => {
    const older = at('2026-01-01T00:00:00.000Z', 'older', completed)
    const newer = at('2026-02-01T00:00:00.000Z', 'newer', compensated)
    const holdings: readonly Holding[] = holdingsOf([older, newer], [contactOnboarding])

    expect(holdings.map(({ partner, state, instance }) => [partner, state, instance])).toEqual([
      ['dataverse', 'undone', 'newer'],
      ['erp', 'inSync', 'older'],
      ['master-data', 'undone', 'newer'],
    ])
  })

  it('is pending while its saga has not come to a partner yet', () => {
    const doubtful = withStep(completed, 'create-customer', { outcome: 'inDoubt' })
    const running: SagaStatus = {
      ...withStep(completed, 'create-customer', { outcome: 'pending', attempts: 0 }),
      phase: 'running',
    }

    expect(told(running)).toEqual({ dataverse: 'inSync', 'master-data': 'inSync', erp: 'pending' })
    expect(told(doubtful)).toMatchObject({ erp: 'inDoubt' })
  })

  it('is owed where an undo was refused, also when it was written off', () => {
    const owed = { step: 'register', partner: 'master-data', reason: 'locked', since: '2026-01-01T00:00:00.000Z' }
    const held: SagaStatus = {
      ...withStep(compensated, 'register', { undo: { outcome: 'refused', attempts: 1 } }),
      phase: 'held',
      owed: [owed],
    }
    const writtenOff: SagaStatus = {
      ...withStep(compensated, 'register', { undo: { outcome: 'skipped', attempts: 1 } }),
      phase: 'indebted',
    }

    expect(told(held)).toMatchObject({ 'master-data': 'owed' })
    expect(told(writtenOff)).toMatchObject({ 'master-data': 'owed' })
  })

  it('is not counted twice for a saga whose work another did', () => {
    const merged: SagaStatus = {
      ...completed,
      phase: 'merged',
      startedAt: '2027-01-01T00:00:00.000Z',
      id: 'merged',
      steps: completed.steps.map((step) => ({ ...step, outcome: 'pending', attempts: 0 })),
    }

    expect(holdingsOf([completed, merged], [contactOnboarding]).map(({ instance }) => instance)).not.toContain('merged')
  })
})
