// What a command would come to, told before it is said; and that the saga does that, or nothing more.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contactOnboarding } from '../../src/app/sagas/contact-onboarding.js'
import { objectionTo, type SagaCommand } from '../../src/saga/commands.js'
import type { Saga } from '../../src/saga/define.js'
import { turn } from '../../src/saga/machine.js'
import { type Ask, nextOf } from '../../src/saga/next.js'
import { readPlanned } from '../../src/saga/plan.js'
import type { Outcome } from '../../src/saga/outcome.js'
import { relentless } from '../../src/saga/policy.js'
import { previewOf } from '../../src/saga/preview.js'
import { phaseOf, type SagaState, standsOf } from '../../src/saga/state.js'
import { anEvent } from '../../testkit/event.js'
import { frozen } from '../../testkit/purity.js'
import { simulate, type World } from '../../testkit/simulate.js'
import { outcomes, Partners, play, runs } from './random-saga.js'
import { applied, aSaga, by, inShort, refused, tell, threeSteps } from './three-steps.js'

/** A command, and what it comes to with what partners answer, at once and later. */
function run(
  saga: Saga,
  from: SagaState,
  command: SagaCommand,
  answer: (ask: Ask) => Outcome,
  reply: () => Outcome = () => applied,
) {
  const together: (readonly Ask[])[] = []
  let now = from.updatedAt
  const before = nextOf(saga, from)
  const underWay = new Set((before.kind === 'ask' ? before.asks : []).map(attempt))
  let state = turn(saga, from, { kind: 'said', at: now, command })
  for (let turns = 0; turns < 2_000; turns++) {
    const next = nextOf(saga, state)
    const awaited = saga.steps.find((_, index) => state.steps[index]?.doing.stand.at === 'answer')
    if (next.kind === 'end' || (next.kind === 'wait' && next.until === undefined)) break
    if (next.kind === 'wait' && awaited && !state.held) {
      const { edition = 1 } = state.steps[saga.steps.indexOf(awaited)] ?? {}
      state = turn(saga, state, { kind: 'replied', at: now, step: awaited.name, edition, outcome: reply() })
    } else if (next.kind === 'wait') {
      now = (next.until ?? now) > now ? (next.until ?? now) : now
      state = turn(saga, state, { kind: 'woken', at: now })
    } else {
      together.push(next.asks.filter((ask) => !underWay.has(attempt(ask))))
      for (const ask of next.asks) {
        const { step, what } = ask
        state = turn(saga, state, { kind: 'answered', at: now, step, what, outcome: answer(ask) })
      }
      underWay.clear()
    }
  }
  return { asked: together.flat(), together, state }
}

const attempt = (ask: Ask) => `${inShort(ask)} ${ask.attempt}`
const wasFollowed = ({ log }: SagaState, { id }: SagaCommand) =>
  log.some((one) => one.command.id === id && !one.refused)

/** What a run asks before it leaves a plan. The same call again, and probes of it, are as planned; what begins together is stopped together. */
function asPlanned(plan: readonly string[], together: readonly (readonly Ask[])[]): readonly Ask[] {
  const left = plan.map(readPlanned)
  const made = new Set<string>()
  const isPlanned = (ask: Ask) => {
    const call = inShort(ask)
    if (made.has(call) || (ask.what === 'probe' && made.has(ask.step))) return true
    made.add(call)
    const planned = left.shift()
    return planned !== undefined && inShort(planned) === call
  }
  const departing = together.findIndex((asks) => !asks.every(isPlanned))
  return together.slice(0, departing < 0 ? together.length : departing).flat()
}

describe('a preview', () => {
  const event = anEvent()
  const waiting = (answers: World['answers']) => {
    const { states } = simulate(contactOnboarding, event, { answers: answers ?? {} })
    const state = states.find((one) => nextOf(contactOnboarding, one).kind === 'wait')
    if (!state) throw new Error('It never waits.')
    return state
  }
  const answers = {
    snapshot: { kind: 'applied', output: { fullname: 'Ada', emailaddress1: null } },
    register: { kind: 'deferred', reason: 'not now' },
  } as const
  const command = { kind: 'retry', id: '1', ...by } as const

  it('lists the requests that will be made, with names for the values that are not known yet', () => {
    const state = waiting(answers)
    const preview = previewOf(contactOnboarding, state, command, state.updatedAt)

    expect(preview).toMatchObject({ allowed: true, phaseAfter: 'completed', becomesIrreversible: [] })
    expect(preview.calls.map(({ what, step, method, path }) => `${what} ${step}: ${method} ${path}`)).toEqual([
      'do register: POST /records',
      `do store-key: PATCH /api/data/v9.2/contacts(${event.rowId})?tag=dataverse-saga`,
      'do create-customer: POST /customers',
    ])
    expect(preview.plan).toEqual([
      expect.stringMatching(/^do register [0-9a-f]{8}$/),
      'do store-key ?',
      'do create-customer ?',
    ])
  })

  it('of a cancel lists what will be undone, in reverse', () => {
    const { states } = tell(threeSteps(), { c: [{ kind: 'deferred', reason: 'not now' }] })
    const state = states.find((one) => one.steps[2]?.doing.stand.at === 'waiting')
    if (!state) throw new Error('It never waits.')
    const preview = previewOf(threeSteps(), state, { kind: 'cancel', id: '1', ...by }, state.updatedAt)

    expect(preview.calls.map(inShort)).toEqual(['undo b', 'undo a'])
    expect(preview.phaseAfter).toBe('cancelled')
  })

  it('names what becomes irreversible: the pivot, and what has no way back', () => {
    const saga = aSaga([
      [{ name: 'a' }],
      [{ name: 'mail', shape: { back: 'irreversible' } }],
      [{ name: 'p', kind: 'pivot' }],
      [{ name: 'z' }],
    ])
    const { states } = tell(saga, { a: [{ kind: 'deferred', reason: 'not now' }] })
    const state = states.find((one) => nextOf(saga, one).kind === 'wait')
    if (!state) throw new Error('It never waits.')

    expect(previewOf(saga, state, command, state.updatedAt).becomesIrreversible).toEqual(['mail', 'p'])
  })

  it('says of a step that it is needed perhaps, when that hangs on an answer', () => {
    const saga = aSaga([
      [{ name: 'a' }],
      [{ name: 'b', when: ({ outputs }) => outputs['a'] === 'yes' }],
      [{ name: 'c' }],
    ])
    const { states } = tell(saga, { a: [{ kind: 'deferred', reason: 'not now' }] })
    const state = states.find((one) => nextOf(saga, one).kind === 'wait')
    if (!state) throw new Error('It never waits.')
    const preview = previewOf(saga, state, command, state.updatedAt)
    const { asked, state: end } = run(saga, state, { ...command, plan: preview.plan }, () => ({
      kind: 'applied',
      output: 'no',
    }))

    expect(preview.calls.map(({ step, isPerhaps = false }) => [step, isPerhaps])).toEqual([
      ['a', false],
      ['b', true],
      ['c', false],
    ])
    expect(asked.map(inShort)).toEqual(['a', 'c'])
    expect(end.end).toBe('completed')
  })

  it('of a command that makes no sense says why, and no call', () => {
    const state = waiting(answers)

    expect(previewOf(contactOnboarding, state, { kind: 'resume', id: '1', ...by }, state.updatedAt)).toMatchObject({
      allowed: false,
      why: 'the saga is not on hold',
      calls: [],
      plan: [],
    })
  })
})

describe('a saga that departs from the plan', () => {
  it('is held before the next call, and says why; resumed, it goes on without the plan', () => {
    const saga = threeSteps()
    const { states } = tell(saga, { b: [{ kind: 'deferred', reason: 'not now' }] })
    const state = states.find((one) => nextOf(saga, one).kind === 'wait')
    if (!state) throw new Error('It never waits.')
    const { plan } = previewOf(saga, state, { kind: 'retry', id: '1', ...by }, state.updatedAt)
    const held = run(saga, state, { kind: 'retry', id: '1', ...by, plan }, () => ({ kind: 'refused', reason: 'no' }))
    const resumed = run(saga, held.state, { kind: 'resume', id: '2', ...by }, () => ({
      kind: 'applied',
      output: undefined,
    }))

    expect(plan.map((one) => one.split(' ')[1])).toEqual(['b', 'c'])
    expect(held.asked.map(inShort)).toEqual(['b'])
    expect(held.state.held).toMatchObject({
      by: 'the plan',
      reason: "'undo a' would be asked, where the plan has 'do c'",
    })
    expect(resumed.asked.map(inShort)).toEqual(['undo a'])
    expect(resumed.state.end).toBe('compensated')
  })

  it('only in its values does not follow the command either', () => {
    const saga = threeSteps()
    const { states } = tell(saga, { b: [{ kind: 'deferred', reason: 'not now' }] })
    const state = states.find((one) => nextOf(saga, one).kind === 'wait')
    if (!state) throw new Error('It never waits.')
    const edit = (input: string): SagaCommand => ({ kind: 'edit', step: 'b', input, id: input, ...by })
    const { plan } = previewOf(saga, state, edit('seen'), state.updatedAt)
    const after = (input: string) =>
      turn(saga, state, { kind: 'said', at: state.updatedAt, command: { ...edit(input), plan } }).log

    expect(after('another')).toMatchObject([{ refused: "'do b' would be asked with other values than in the plan" }])
    expect(after('seen')[0]?.refused).toBeUndefined()
  })

  it('from its first call on does not follow the command', () => {
    const saga = threeSteps()
    const { states } = tell(saga, { b: [{ kind: 'deferred', reason: 'not now' }] })
    const state = states.find((one) => nextOf(saga, one).kind === 'wait')
    if (!state) throw new Error('It never waits.')
    const { plan } = previewOf(saga, state, { kind: 'cancel', id: '1', ...by }, state.updatedAt)
    const after = turn(saga, state, {
      kind: 'said',
      at: state.updatedAt,
      command: { kind: 'retry', id: '1', ...by, plan },
    })

    expect(after.log).toMatchObject([{ refused: "'do b' would be asked, where the plan has 'undo a'" }])
    expect({ ...after, log: state.log }).toEqual(state)
  })
})

/** What could be said to a saga in words; whether it may, is another matter. */
const wordsFor = ({ steps }: Saga): SagaCommand[] => [
  ...(['retry', 'hold', 'resume', 'cancel'] as const).map((kind) => ({ kind, id: 'x', ...by })),
  ...steps.flatMap(({ name: step }): SagaCommand[] => [
    { kind: 'retry', step, id: 'x', ...by },
    { kind: 'skip', step, id: 'x', ...by },
    { kind: 'supply', step, output: 'by hand', id: 'x', ...by },
    { kind: 'edit', step, input: ['by hand'], id: 'x', ...by },
    { kind: 'writeOff', step, id: 'x', ...by },
  ]),
]

/** The same saga with a deadline, a step that has little time, and one whose partner answers later. */
function hurried(saga: Saga, { deadline, brief, late }: { deadline: number; brief: number; late: number }): Saga {
  const steps = saga.steps.map((step, index) => {
    if (index === brief) return { ...step, timeout: 3_000 }
    // Nobody answers before the command is said: one that asks for ever would never end.
    const isLate = index === late && step.action.retry !== relentless
    return isLate ? { ...step, action: { ...step.action, answeredWithin: 4_000 } } : step
  })
  return { ...saga, steps, ...(deadline < 10_000 && { deadline }) }
}

describe('2,000 random commands on random states', () => {
  const cases = fc
    .record({
      before: runs,
      hurry: fc.record({ deadline: fc.nat(30_000), brief: fc.nat(8), late: fc.nat(8) }),
      moment: fc.nat(),
      word: fc.nat(),
      script: fc.array(outcomes, { maxLength: 20 }),
      lied: fc.array(fc.boolean(), { maxLength: 20 }),
    })
    .map(({ before, hurry, moment, word, ...world }) => {
      const saga = hurried(before.saga, hurry)
      const { states, partners } = play({ ...before, saga })
      // Of what waits or is held more can be said than of what runs.
      const patient = states.filter((state) => standsOf(state).some(({ at }) => at === 'waiting' || at === 'person'))
      const from = patient.length > 0 && moment % 4 > 0 ? patient : states
      const state = frozen(from[moment % from.length] ?? states[0])
      if (!state) throw new Error('A saga has no state.')
      const all = wordsFor(saga)
      const legal = all.filter((command) => objectionTo(command, saga, state) === undefined)
      const among = legal.length > 0 && word % 8 > 0 ? legal : all
      const command = among[word % among.length]
      if (!command) throw new Error('Nothing can be said.')
      return { saga, state, command, partners, ...world }
    })
  const check = (
    property: (one: typeof cases extends fc.Arbitrary<infer Case> ? Case : never) => void,
    numRuns = 2_000,
  ) => fc.assert(fc.property(cases, property), { numRuns })

  it('come to what their previews told, or are stopped before the next call; nobody is asked by a preview', () => {
    const seen = { 'not allowed': 0, 'to the letter': 0, 'stopped on the way': 0, 'not begun': 0 }
    check(({ saga, state, command, partners, script, lied }) => {
      const calls = partners.calls.length
      const preview = previewOf(saga, state, command, state.updatedAt)
      expect(partners.calls.length).toBe(calls)

      const fresh = () => {
        const again = new Partners(script, lied)
        return (ask: Ask) => again.answer(saga, ask)
      }
      const replies = () => {
        const left = [...lied]
        return () => (left.shift() ? refused : applied)
      }
      const free = run(saga, state, command, fresh(), replies())
      const held = run(saga, state, { ...command, plan: preview.plan }, fresh(), replies())
      const planned = asPlanned(preview.plan, free.together)
      const outcome = !preview.allowed
        ? 'not allowed'
        : planned.length === free.asked.length
          ? 'to the letter'
          : wasFollowed(held.state, command)
            ? 'stopped on the way'
            : 'not begun'
      seen[outcome] += 1

      expect(preview.allowed).toBe(wasFollowed(free.state, command))
      const stopped = { by: held.state.held?.by === 'the plan', asked: held.asked.map(attempt) }
      const promised = {
        'not allowed': stopped,
        'to the letter': { by: false, asked: free.asked.map(attempt) },
        'stopped on the way': { by: true, asked: planned.map(attempt) },
        'not begun': stopped,
      }
      expect(stopped).toEqual(promised[outcome])
    })

    process.stdout.write(`2,000 commands: ${JSON.stringify(seen)}, calls by previews: 0\n`)
    expect(seen['to the letter']).toBeGreaterThan(500)
    expect(seen['stopped on the way']).toBeGreaterThan(100)
    expect(seen['not begun']).toBe(0)
  })

  it('with which nothing goes wrong come to exactly what their previews told', () => {
    let told = 0
    check(({ saga, state, command }) => {
      const preview = previewOf(saga, state, command, state.updatedAt)
      if (!preview.allowed) return
      told += 1
      const { asked, state: end } = run(saga, state, { ...command, plan: preview.plan }, () => applied)

      expect(asked.map(inShort)).toEqual(preview.calls.map(inShort))
      expect(end.held?.by).not.toBe('the plan')
      expect(phaseOf(end)).toBe(preview.phaseAfter)
    }, 500)

    expect(told).toBeGreaterThan(250)
  })
})
