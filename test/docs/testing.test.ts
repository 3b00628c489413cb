// The code of docs/testing.md after its first test, as it stands there.

import {
  anEvent,
  applied,
  deferred,
  explore,
  follow,
  inDoubt,
  refused,
  replay,
  runOrchestration,
  simulate,
} from 'dataverse-saga/testkit'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'

const created = anEvent({ table: 'contact', message: 'Create' })
const answers = {
  snapshot: applied({ fullname: 'Astrid Lindqvist', emailaddress1: 'astrid@example.org' }),
  register: applied({ id: 'MD-000001' }),
  'create-customer': applied({ number: 'C-17' }),
}

describe('the guide', () => {
  it('shows the timeline that the kit prints', () => {
    const { timeline } = simulate(contactOnboarding, created, {
      answers: { ...answers, register: [deferred('busy', 5_000), inDoubt(), answers.register] },
    })

    expect(readFileSync('docs/testing.md', 'utf8')).toContain(timeline.replaceAll(/^/gm, '    '))
  })
})

describe('contact-onboarding', () => {
  it('takes everything back when the ERP refuses', () => {
    const story = simulate(contactOnboarding, created, {
      answers: { ...answers, 'create-customer': refused('EMAIL_MISSING') },
    })

    expect(story.phase).toBe('compensated')
    expect(story.undo.map(({ request }) => request?.path)).toEqual([
      `/api/data/v9.2/contacts(${created.rowId})?tag=dataverse-saga`,
      '/records/MD-000001/retire',
    ])
  })

  it('waits for a partner that is busy, under one key', () => {
    const { phase, calls, waits } = simulate(contactOnboarding, created, {
      answers: { ...answers, register: [deferred('busy', 5_000), inDoubt(), answers.register] },
    })

    const attempts = calls.filter(({ step }) => step === 'register')
    expect(phase).toBe('completed')
    expect(new Set(attempts.map(({ key }) => key)).size).toBe(1)
    expect(waits[0]).toMatchObject({ at: 0, until: 5_000, why: 'busy' })
  })

  it('is held when a refusal can not be undone, until a person writes the debt off', () => {
    const stuck = { ...answers, 'create-customer': refused(), 'undo register': refused('it is in use') }

    expect(simulate(contactOnboarding, created, { answers: stuck }).phase).toBe('held')

    const { phase, status } = simulate(contactOnboarding, created, {
      answers: stuck,
      words: [{ kind: 'writeOff', step: 'register', actor: 'ada', reason: 'the record is needed elsewhere' }],
    })
    expect(phase).toBe('indebted')
    expect(status.steps[1]?.undo?.reason).toBe('written off by ada: the record is needed elsewhere')
  })
})

describe('whatever happens to contact-onboarding', () => {
  it('its promises hold', () => {
    const { text } = explore(contactOnboarding, created, { answers, depth: 2 })

    console.log(text)
  })

  it('the ERP never has a contact that master data does not have', () => {
    explore(contactOnboarding, created, {
      answers,
      invariants: {
        'known to master data': ({ held }) => !held.includes('create-customer') || held.includes('register'),
      },
      depth: 1,
    })
  })

  it('a customer that nobody could create leaves nothing behind', () => {
    follow(contactOnboarding, created, { answers }, ['create-customer #1: refused', 'undo register #1: deferred'])
  })
})

describe('sagas in flight', () => {
  it('go on under the code of today', () => {
    const history = JSON.parse(readFileSync('test/histories/contact-onboarding-compensated.json', 'utf8'))

    replay(contactOnboarding, history)
  })
})

describe('an orchestrator of your own', () => {
  it('gives the same in every replay', async () => {
    const run = await runOrchestration(
      function* ({ df }) {
        const order = yield df.callActivity('book')
        yield df.createTimer(new Date(df.currentUtcDateTime.getTime() + 3_600_000))
        return order
      },
      { activities: { book: () => 'order 7' } },
    )

    expect(run).toMatchObject({ status: 'completed', output: 'order 7', took: 3_600_000 })
  })
})
