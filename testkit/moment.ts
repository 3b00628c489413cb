// One moment of an exploration: where the saga is, what partners hold, and everything that can happen next.

import { createHash } from 'node:crypto'
import { type AnyAction, isOnlyTaken } from '../src/saga/action.js'
import { objectionTo, type SagaCommand } from '../src/saga/commands.js'
import type { Saga } from '../src/saga/define.js'
import type { DataverseEvent } from '../src/saga/event.js'
import { instanceIdOf } from '../src/saga/ids.js'
import { type SagaEvent, turn } from '../src/saga/machine.js'
import { type Ask, nextOf } from '../src/saga/next.js'
import type { Outcome } from '../src/saga/outcome.js'
import { mostAttempts, type RetryPolicy } from '../src/saga/policy.js'
import { type SagaState, stepAt } from '../src/saga/state.js'
import { statusOf } from '../src/saga/status.js'
import { unreachable } from '../src/saga/unreachable.js'
import { checkAsk } from './check-ask.js'
import { checkDefinition } from './check-definition.js'
import { checkState, type Invariants } from './check-state.js'
import { beginning } from './event.js'
import { beginPurely, turnPurely } from './machine.js'
import { callOf, readOutput, type Script, stepOf } from './partners.js'
import { TestkitError } from './testkit-error.js'
import { outcomeInWords } from './timeline.js'
import { holds, nothingYet, risksIn, type Stuck, type Truth, withEffect } from './truth.js'
import { promise, Violation } from './violation.js'

export interface Moment {
  readonly state: SagaState
  readonly truth: Truth
  /** Milliseconds since 1970. */
  readonly now: number
  /** To those of the present asks that are answered already. */
  readonly answers: readonly Outcome[]
}

/** Something that can happen. */
export interface Choice {
  /** For example `register #1: refused`. */
  readonly name: string
  /** 0 if it is what happens when all goes well. */
  readonly cost: 0 | 1
  /** @throws Violation */
  readonly go: () => Moment
}

/** What is explored: a saga, what its steps bring, and what must hold. */
export class Field {
  readonly saga: Saga
  readonly #event: DataverseEvent
  readonly #invariants: Invariants
  readonly #outputs = new Map<string, unknown>()

  /** @throws TestkitError when it is not known what a step brings */
  constructor(saga: Saga, event: DataverseEvent, answers: Script, invariants: Invariants) {
    this.saga = saga
    this.#event = event
    this.#invariants = invariants
    for (const call of Object.keys(answers)) stepOf(saga, call)
    for (const { name } of saga.steps) {
      const scripted = answers[name]
      const first = scripted && 'kind' in scripted ? scripted : scripted?.[0]
      if (first && first.kind !== 'applied')
        throw new TestkitError(
          `'${name}': explore wants to know what a step brings when it is applied; failures it finds by itself.`,
        )
      this.#outputs.set(name, readOutput(saga, name, first?.output, `Saga '${saga.name}'`))
    }
  }

  /** @throws Violation */
  beginning(): Moment {
    checkDefinition(this.saga, this.#event)
    const start = { instance: instanceIdOf(this.saga.name, this.#event), event: this.#event, at: at(beginning) }
    const state = this.#purely(() => beginPurely(this.saga, start))
    return this.#checked({ state, truth: nothingYet, now: beginning, answers: [] })
  }

  /** What nobody can promise, and what came true of it here. */
  risksAt({ truth }: Moment): string[] {
    return risksIn(truth, this.saga)
  }

  /** None at an end, and where only a person could go on who says nothing. */
  choicesAt(moment: Moment, waits: number): Choice[] {
    const next = nextOf(this.saga, moment.state)
    if (next.kind === 'ask') {
      const ask = next.asks[moment.answers.length]
      if (!ask) throw new Error('All asks of this moment are answered.')
      return this.#answersTo(moment, ask, next.asks.length)
    }
    if (next.kind === 'end') return []
    return [...this.#repliesAt(moment), ...this.#wakingAt(moment, next.until), ...this.#wordsAt(moment, waits)]
  }

  #answersTo(moment: Moment, ask: Ask, count: number): Choice[] {
    const name = `${callOf(ask)} #${ask.attempt}`
    const { action } = stepOf(this.saga, ask.step)
    const isHeld = holds(moment.truth, ask.step)
    const asked = (): Truth => checkAsk(this.#facts(moment), ask)
    const answer = (outcome: Outcome, applies: boolean, stuck?: Stuck): Moment => {
      const truth = asked()
      const effect = applies && !isTaken(action, ask, outcome) ? withEffect(truth, this.saga, ask) : truth
      const answered = {
        ...moment,
        truth: this.#told(moment, stuck ? withStuck(effect, ask, stuck) : effect, ask, outcome),
      }
      return this.#afterAnswer(answered, [...moment.answers, outcome], count)
    }
    const choice = (words: string, cost: 0 | 1, outcome: Outcome, applies = false, stuck?: Stuck): Choice => ({
      name: `${name}: ${words}`,
      cost,
      go: () => answer(outcome, applies, stuck),
    })
    const stuck = moment.truth.stuck[callOf(ask)]
    if (stuck) return [choice(`${inShort(stuck.outcome)}, still`, 0, stuck.outcome, stuck.applies)]
    const applied: Outcome = { kind: 'applied', output: this.#outputOf(ask) }
    if (ask.what === 'probe') {
      const truth: Outcome = isHeld ? applied : refusal
      return [
        choice(isHeld ? 'it was applied' : 'it was not applied', 0, truth),
        ...failures(choice, deferral, this.#lasts(ask)),
        ...failures(choice, doubt, this.#lasts(ask)),
      ]
    }
    const again = (words: string, applies: boolean): Choice => ({
      name: `${name}: ${words}`,
      cost: 1,
      go: () => {
        const truth = asked()
        if (!applies) return { ...moment, truth }
        const effect = withEffect(truth, this.saga, ask)
        return { ...moment, truth: ask.what === 'do' ? { ...effect, died: [...effect.died, ask.step] } : effect }
      },
    })
    const output = this.#outputs.get(ask.step)
    const atOnce: Outcome | undefined =
      ask.what === 'do' && action.mayAnswerAtOnce && output !== undefined ? { kind: 'applied', output } : undefined
    // Who honours keys does not refuse what it has applied.
    const canRefuse = !(isHeld && action.keys === 'honoured') || ask.what === 'undo'
    return [
      choice('applied', 0, applied, true),
      ...(atOnce ? [choice('applied, and answered at once', 0, atOnce, true)] : []),
      ...(canRefuse ? [choice('refused', 1, refusal)] : []),
      ...failures(choice, deferral, this.#lasts(ask)),
      choice('parked', 1, parking),
      ...failures(choice, doubt, this.#lasts(ask), 'not applied'),
      ...failures(choice, doubt, this.#lasts(ask), 'applied'),
      again('the worker dies before the call', false),
      ...(ask.what === 'undo' || action.answeredWithin === undefined
        ? [again('the worker dies after the call', true)]
        : []),
    ]
  }

  /** What a failure that lasts lasts for; nothing if it would last for ever. */
  #lasts(ask: Ask): string | undefined {
    const { action } = stepOf(this.saga, ask.step)
    if (ask.what === 'undo') return 'until it is owed'
    return mostAttempts(action.retry) === Infinity ? undefined : 'each time'
  }

  #outputOf(ask: Ask): unknown {
    const { action } = stepOf(this.saga, ask.step)
    return ask.what === 'undo' || (ask.what === 'do' && action.answeredWithin !== undefined)
      ? undefined
      : this.#outputs.get(ask.step)
  }

  /** The truth, when the saga has been told so. */
  #told({ now }: Moment, truth: Truth, ask: Ask, outcome: Outcome): Truth {
    const { action } = stepOf(this.saga, ask.step)
    const isParked = outcome.kind === 'deferred' && outcome.parked === true
    const place = ask.what === 'undo' ? callOf(ask) : ask.step
    const call = callOf(ask)
    const more = isParked ? 0 : 1
    const policy = ask.what === 'undo' ? action.undoRetry : action.retry
    const ms = isParked ? parking.retryAfterMs : shortestWait(policy, outcome)
    const calls = ask.what === 'undo' ? [call] : [ask.step, `probe ${ask.step}`]
    const next: Truth = {
      ...truth,
      tried: { ...truth.tried, [call]: (truth.tried[call] ?? 0) + more },
      spent: { ...truth.spent, [place]: (truth.spent[place] ?? 0) + more },
      notBefore: { ...truth.notBefore, ...Object.fromEntries(calls.map((one) => [one, now + ms])) },
      permitted: isParked ? truth.permitted : truth.permitted.filter((step) => step !== ask.step),
    }
    if (ask.what === 'undo')
      return { ...next, toldOfUndo: { ...truth.toldOfUndo, [ask.step]: isParked ? 'parked' : outcome.kind } }
    const before = truth.told[ask.step]
    const after = ask.what === 'probe' ? afterProbe(before, outcome) : afterDo(before, outcome, action.keys)
    const isOpen = outcome.kind === 'applied' && isTaken(action, ask, outcome)
    const told = isOpen ? 'inDoubt' : after
    return withTold(
      next,
      this.saga,
      ask.step,
      told,
      now,
      outcome.kind === 'applied' && !isOpen ? outcome.output : undefined,
    )
  }

  /** When all are answered, the saga is told, in the order in which they were asked. */
  #afterAnswer(moment: Moment, answers: readonly Outcome[], count: number): Moment {
    if (answers.length < count) return { ...moment, answers }
    const next = nextOf(this.saga, moment.state)
    const asks = next.kind === 'ask' ? next.asks : []
    const state = asks.reduce((before, { what, step }, index) => {
      const outcome = answers[index] ?? doubt
      return this.#turn(before, { kind: 'answered', at: at(moment.now), step, what, outcome })
    }, moment.state)
    const truth = asks.reduce((before, ask) => unstuck(before, state, this.saga, ask), moment.truth)
    return this.#checked({ ...moment, truth, state, answers: [] })
  }

  /** The later answers of partners that have taken a call. */
  #repliesAt(moment: Moment): Choice[] {
    return this.saga.steps.flatMap(({ name, action }, index) => {
      const { doing } = stepAt(moment.state, index)
      if (action.answeredWithin === undefined || doing.attempts === 0 || doing.stand.at === 'rest') return []
      const isSilent = moment.truth.silent.includes(name)
      const isHeld = holds(moment.truth, name)
      const applied: Outcome = { kind: 'applied', output: this.#outputs.get(name) }
      const reply = (words: string, cost: 0 | 1, outcome: Outcome): Choice => ({
        name: `${name}: ${words}`,
        cost,
        go: () => this.#replied(moment, name, outcome),
      })
      if (isSilent) return [isHeld ? reply('answered late', 1, applied) : reply('refused late', 1, refusal)]
      if (doing.stand.at !== 'answer') return []
      const silence = (words: string, count: number): Choice => ({
        name: `${name}: ${words}`,
        cost: 1,
        go: () => ({
          ...moment,
          truth: {
            ...moment.truth,
            silent: [...moment.truth.silent, name],
            held: { ...moment.truth.held, [name]: count },
          },
        }),
      })
      return [
        reply('answered', 0, applied),
        ...(isHeld ? [] : [reply('answered with a refusal', 1, refusal), silence('no answer, not applied', 0)]),
        silence('no answer, but applied', 1),
      ]
    })
  }

  #replied(moment: Moment, step: string, outcome: Outcome): Moment {
    const event: SagaEvent = {
      kind: 'replied',
      at: at(moment.now),
      step,
      edition: editionOf(this.saga, moment.state, step),
      outcome,
    }
    const state = this.#twice(moment.state, event)
    const index = this.saga.steps.findIndex(({ name }) => name === step)
    const isHeard = stepAt(state, index).doing.outcome === outcome.kind
    const { truth } = moment
    const held = outcome.kind === 'applied' ? { ...truth.held, [step]: 1 } : truth.held
    const heard: Truth = { ...truth, held, silent: truth.silent.filter((one) => one !== step) }
    const output = outcome.kind === 'applied' ? outcome.output : undefined
    const told = isHeard ? withTold(heard, this.saga, step, outcome.kind, moment.now, output) : heard
    return this.#checked({ ...moment, state, truth: told })
  }

  /** Time passes, unless a partner's answer is expected. */
  #wakingAt(moment: Moment, until: string | undefined): Choice[] {
    const isAnswerDue = this.saga.steps.some(
      ({ name }, index) =>
        stepAt(moment.state, index).doing.stand.at === 'answer' && !moment.truth.silent.includes(name),
    )
    if (until === undefined || isAnswerDue) return []
    return [
      {
        name: 'time passes',
        cost: 0,
        go: () => {
          const now = Math.max(moment.now, Date.parse(until))
          return this.#checked({ ...moment, now, state: this.#turn(moment.state, { kind: 'woken', at: at(now) }) })
        },
      },
    ]
  }

  /** All that a person may say now. */
  #wordsAt(moment: Moment, waits: number): Choice[] {
    const by = { id: `word-${waits}`, actor: 'operator', reason: 'to see what happens' }
    const ofSteps = this.saga.steps.flatMap(({ name: step }, index): SagaCommand[] => [
      { ...by, kind: 'skip', step },
      { ...by, kind: 'supply', step, output: this.#outputs.get(step) },
      { ...by, kind: 'edit', step, input: stepAt(moment.state, index).input },
      { ...by, kind: 'writeOff', step },
    ])
    const all: SagaCommand[] = [
      { ...by, kind: 'retry' },
      { ...by, kind: 'hold' },
      { ...by, kind: 'resume' },
      { ...by, kind: 'cancel' },
      ...ofSteps,
    ]
    const isLegal = (command: SagaCommand) => objectionTo(command, this.saga, moment.state) === undefined
    for (const command of all) if (!isLegal(command)) this.#refuse(moment, command)
    return all.filter(isLegal).map((command) => ({
      name: `wait ${waits}: ${command.kind}${'step' in command && command.step !== undefined ? ` ${command.step}` : ''}`,
      cost: 1,
      go: () => {
        const state = this.#twice(moment.state, { kind: 'said', at: at(moment.now), command })
        return this.#checked({ ...moment, state, truth: afterWord(this.#facts(moment), command) })
      },
    }))
  }

  /** What can't be followed changes nothing. */
  #refuse({ state, now }: Moment, command: SagaCommand): void {
    const after = turn(this.saga, state, { kind: 'said', at: at(now), command })
    const same = JSON.stringify({ ...after, log: state.log, updatedAt: state.updatedAt }) === JSON.stringify(state)
    promise('what can not be followed changes nothing', same, `'${command.kind}' was refused, and took effect.`)
  }

  #facts(moment: Moment) {
    return { ...moment, saga: this.saga, event: this.#event }
  }

  #checked(moment: Moment): Moment {
    checkState(this.#facts(moment), this.#invariants)
    return moment
  }

  #turn(state: SagaState, event: SagaEvent): SagaState {
    return this.#purely(() => turnPurely(this.saga, state, event))
  }

  /** What comes from outside may come twice, and counts once. */
  #twice(state: SagaState, event: SagaEvent): SagaState {
    const once = this.#turn(state, event)
    const twice = this.#turn(once, event)
    if (JSON.stringify({ ...twice, updatedAt: '' }) !== JSON.stringify({ ...once, updatedAt: '' }))
      throw new Violation(
        'a word that comes twice counts once',
        `${event.kind === 'said' ? event.command.kind : event.kind} took effect twice.`,
      )
    return once
  }

  #purely(run: () => SagaState): SagaState {
    try {
      return run()
    } catch (error) {
      if (error instanceof TestkitError) throw new Violation('mappings are pure functions', error.message)
      throw new Violation('the machine never throws', error instanceof Error ? error.message : String(error))
    }
  }
}

const at = (ms: number) => new Date(ms).toISOString()

const refusal: Outcome = { kind: 'refused', reason: 'explored: refused' }
const deferral: Outcome = { kind: 'deferred', reason: 'explored: not now', retryAfterMs: 7_000 }
const doubt: Outcome = { kind: 'inDoubt', reason: 'explored: no answer' }
const parking = { kind: 'deferred', reason: 'explored: known to be down', retryAfterMs: 5_000, parked: true } as const

/** A failure once, and if it may last, as long as it can. */
function failures(
  choice: (words: string, cost: 0 | 1, outcome: Outcome, applies?: boolean, stuck?: Stuck) => Choice,
  outcome: Outcome,
  lasts: string | undefined,
  effect?: 'applied' | 'not applied',
): Choice[] {
  const applies = effect === 'applied'
  const words = effect === undefined ? inShort(outcome) : `${inShort(outcome)}, ${effect}`
  const once = choice(words, 1, outcome, applies)
  return lasts === undefined ? [once] : [once, choice(`${words}, ${lasts}`, 1, outcome, applies, { outcome, applies })]
}

const inShort = (outcome: Outcome) =>
  outcomeInWords(outcome)
    .split(/[: ]explored/)[0]
    ?.replace(/:$/, '') ?? ''

const withStuck = (truth: Truth, ask: Ask, stuck: Stuck): Truth => ({
  ...truth,
  stuck: { ...truth.stuck, [callOf(ask)]: stuck },
})

/** A failing undo comes to its end when it is owed: the partner has recovered. */
function unstuck(truth: Truth, state: SagaState, saga: Saga, ask: Ask): Truth {
  const call = callOf(ask)
  if (ask.what !== 'undo' || truth.stuck[call] === undefined) return truth
  const index = saga.steps.findIndex(({ name }) => name === ask.step)
  if (stepAt(state, index).undoing?.debtSince === undefined) return truth
  const { [call]: _, ...stuck } = truth.stuck
  return { ...truth, stuck }
}

/** Milliseconds that must lie between a failure and the next attempt: half of the first wait, for the jitter, or what the partner asked for. */
function shortestWait(policy: RetryPolicy, outcome: Outcome): number {
  if (outcome.kind === 'applied') return 0
  const longest = policy.maxRetryIntervalInMilliseconds ?? 3_600_000
  const asked = outcome.kind === 'deferred' ? (outcome.retryAfterMs ?? 0) : 0
  return Math.floor(Math.min(longest, Math.max(asked, Math.min(policy.firstRetryIntervalInMilliseconds, longest) / 2)))
}

/** To be answered later: nobody knows yet. Also what is not known to be taken: its effect comes with its answer. */
const isTaken = (action: AnyAction, { what }: Ask, outcome: Outcome): boolean =>
  what === 'do' && isOnlyTaken(action, outcome.kind === 'applied' ? outcome.output : undefined)

type Told = Truth['told'][string] | undefined

function afterDo(before: Told, outcome: Outcome, keys: 'honoured' | 'ignored'): Told {
  if (before !== 'inDoubt' || outcome.kind === 'applied') return outcome.kind
  return outcome.kind === 'refused' && keys === 'honoured' ? 'refused' : 'inDoubt'
}

function afterProbe(before: Told, outcome: Outcome): Told {
  if (outcome.kind === 'applied') return 'applied'
  return outcome.kind === 'refused' ? 'deferred' : before
}

/** What the saga knows of a step from now on. */
function withTold(truth: Truth, saga: Saga, step: string, told: Told, now: number, output: unknown): Truth {
  if (told === undefined) return truth
  const isHeld = told === 'refused' && stepOf(saga, step).holdRefusalFor !== undefined
  return {
    ...truth,
    told: { ...truth.told, [step]: told },
    ...(isHeld && { refusedAt: { ...truth.refusedAt, [step]: now } }),
    ...(output !== undefined && { brought: { ...truth.brought, [step]: output } }),
  }
}

/** @throws Violation when what was said should not have been listened to */
function afterWord(
  { saga, state, truth }: { saga: Saga; state: SagaState; truth: Truth },
  command: SagaCommand,
): Truth {
  switch (command.kind) {
    case 'retry':
    case 'edit': {
      const begun = saga.steps.map(({ name }) => name).filter((name) => truth.told[name] !== undefined)
      const steps = command.step === undefined ? begun : [command.step]
      const calls = new Set(steps.flatMap((step) => [step, `undo ${step}`, `probe ${step}`]))
      const again: Truth = {
        ...truth,
        permitted: [...new Set([...truth.permitted, ...steps])],
        spent: without(truth.spent, calls),
        notBefore: without(truth.notBefore, calls),
        firstAt: truth.firstAt,
        stuck: without(truth.stuck, calls),
      }
      return command.kind === 'retry' ? again : { ...again, sent: retired(certain(again, command.step), command.step) }
    }
    case 'skip': {
      const { told, vouched } = certain(truth, command.step)
      return { ...truth, vouched: [...vouched, command.step], told: { ...told, [command.step]: 'vouched' } }
    }
    case 'supply':
      return {
        ...truth,
        vouched: [...truth.vouched, command.step],
        told: { ...truth.told, [command.step]: 'applied' },
        brought: { ...truth.brought, ...(command.output !== undefined && { [command.step]: command.output }) },
      }
    case 'writeOff': {
      const isOwed = statusOf(saga, state).owed.some(({ step, since }) => step === command.step && since !== undefined)
      promise('only a debt is written off', isOwed, `'${command.step}' is not owed.`)
      return { ...truth, vouched: [...truth.vouched, command.step] }
    }
    case 'cancel':
      return { ...truth, cancelled: true }
    case 'hold':
    case 'resume':
      return truth
    default:
      return unreachable(command)
  }
}

function certain(truth: Truth, step: string): Truth {
  promise(
    'a doubt is not talked away',
    truth.told[step] !== 'inDoubt',
    `'${step}' is in doubt, and a person could leave it at that.`,
  )
  return truth
}

/** Whatever was sent with the input that was replaced must not be sent again. */
const retired = ({ sent }: Truth, step: string) =>
  Object.fromEntries(
    Object.entries(sent).map(([place, owner]) => [
      place,
      owner.startsWith(`${step} ~`) ? 'an input that was replaced' : owner,
    ]),
  )

const without = <Value>(record: Readonly<Record<string, Value>>, names: ReadonlySet<string>) =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.has(name)))

function editionOf(saga: Saga, state: SagaState, step: string): number {
  return stepAt(
    state,
    saga.steps.findIndex(({ name }) => name === step),
  ).edition
}

const digest = (value: unknown) => createHash('sha1').update(JSON.stringify(value)).digest('base64')

/**
 * What decides how it goes on from here, and nothing else: two moments with the same signature have the same future. Times count from now, and only
 * where something depends on them.
 */
export function signatureOf(saga: Saga, { state, truth, now, answers }: Moment): string {
  const { log: _, updatedAt: __, startedAt, instance: ___, event: ____, held, ...rest } = state
  const left = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time) - now)
  const steps = rest.steps.map(({ doing, undoing, ...step }, index) => [
    step,
    [doing, undoing].map(
      (progress) =>
        progress && {
          ...progress,
          endedAt: undefined,
          stand: 'until' in progress.stand ? { ...progress.stand, until: left(progress.stand.until) } : progress.stand,
          // The step's own time limit, and the span after which an undo that was parked is owed, count from here.
          startedAt:
            saga.steps[index]?.timeout !== undefined || progress === undoing ? left(progress.startedAt) : undefined,
          debtSince: 'debtSince' in progress && progress.debtSince !== undefined,
        },
    ),
  ])
  const relative = (times: Truth['notBefore'], earliest: number) =>
    Object.entries(times).map(([name, time]) => [name, Math.max(earliest, time - now)])
  const times = {
    notBefore: relative(truth.notBefore, 0),
    firstAt: relative(truth.firstAt, -Infinity),
    refusedAt: relative(truth.refusedAt, -Infinity),
  }
  const age = saga.deadline === undefined ? undefined : left(startedAt)
  return digest([{ ...rest, steps }, held !== undefined, age, answers, { ...truth, ...times }])
}
