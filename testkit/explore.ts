// Tries everything that can happen to a saga, up to a number of things going wrong, and holds every path against what was promised.

import type { Saga } from '../src/saga/define.js'
import type { DataverseEvent } from '../src/saga/event.js'
import { nextOf } from '../src/saga/next.js'
import { type Phase, isOver } from '../src/saga/phase.js'
import { phaseOf } from '../src/saga/state.js'
import type { Invariants } from './check-state.js'
import { ExplorationError, Violation } from './violation.js'
import { type Choice, Field, type Moment, signatureOf } from './moment.js'
import type { Script } from './partners.js'
import { beginning } from './event.js'
import { TestkitError } from './testkit-error.js'
import { type Line, linesOf } from './timeline.js'

export interface ExploreOptions {
  /** What each step brings when it is applied: `{ register: applied({ id: 'M-1' }) }`. */
  readonly answers?: Script
  /** How many things go wrong on one path: 2 if absent. */
  readonly depth?: number
  /** Beyond the depth: so many random schedules on which anything may go wrong at any time. None if absent. */
  readonly samples?: number
  /** The same seed draws the same samples; 1 if absent. */
  readonly seed?: number
  /** Your own, by name: each is asked after every turn, and says whether it holds. */
  readonly invariants?: Invariants
}

export interface Report {
  readonly depth: number
  /** Ways from the event to an end, or to where only a person could go on. */
  readonly schedules: number
  /** Moments that differ in what can happen next. */
  readonly states: number
  /** How many of the states are such an end, by phase. */
  readonly ends: Readonly<Partial<Record<Phase, number>>>
  readonly samples: number
  /** What nobody can promise: what a worker that dies in the middle of a call may leave behind. */
  readonly risks: readonly string[]
  /** All of it in a line. */
  readonly text: string
}

/**
 * Every call refused, deferred, parked, in doubt and applied, in doubt and not applied, once and as long as it can last; the worker dying before and
 * after the call; answers that come late, twice, never; every word of an operator; undos that fail. Equivalent moments are walked once.
 * @throws ExplorationError with the shortest schedule that breaks a promise
 * @throws TestkitError for options that do not fit the saga
 */
export function explore(saga: Saga, event: DataverseEvent, options: ExploreOptions = {}): Report {
  const { depth = 2, samples = 0, seed = 1 } = options
  const field = new Field(saga, event, options.answers ?? {}, options.invariants ?? {})
  let walk = new Walk(field)
  // The fewest things that must go wrong come first: what is found is the shortest.
  for (let most = 0; most <= depth; most++) {
    walk = new Walk(field)
    walk.explore(most)
  }
  for (let sample = 0; sample < samples; sample++) sampleOne(field, seed + sample)
  const { schedules, states, ends } = walk
  const risks = [...walk.risks].toSorted()
  const told = Object.entries(ends).map(([phase, count]) => `${count} ${phase}`)
  const text = `${saga.name}: ${schedules} schedules, ${states} distinct states at depth ${depth}; ends: ${told.join(', ')}${samples > 0 ? `; and ${samples} samples` : ''}`
  return { depth, schedules, states, ends, samples, risks, text }
}

/**
 * One schedule: what is named happens, everything else goes well.
 * @returns the timeline
 * @throws ExplorationError when it breaks a promise
 * @throws TestkitError for what can't happen there
 */
export function follow(
  saga: Saga,
  event: DataverseEvent,
  options: Pick<ExploreOptions, 'answers' | 'invariants'>,
  schedule: readonly string[],
): string {
  const field = new Field(saga, event, options.answers ?? {}, options.invariants ?? {})
  const left = [...schedule]
  const path = new Path(field)
  const broken = path.run(oneByOne(left))
  if (broken) throw found(saga, broken, schedule, path.lines)
  if (left.length > 0) throw new TestkitError(`'${left[0]}' did not come to pass:\n${linesOf(path.lines)}`)
  return `${saga.name}\n${linesOf(path.lines)}`
}

/** All paths up to a number of deviations, depth first; the futures of equal moments are walked once. */
class Walk {
  readonly ends: Partial<Record<Phase, number>> = {}
  readonly risks = new Set<string>()
  schedules = 0
  readonly #field: Field
  /** How many schedules go on from a moment, with so much left to go wrong. */
  readonly #known = new Map<string, number | 'open'>()
  readonly #taken: string[] = []

  constructor(field: Field) {
    this.#field = field
  }

  get states(): number {
    return this.#known.size
  }

  /** @throws ExplorationError */
  explore(most: number): void {
    try {
      this.schedules = this.#from(this.#field.beginning(), most, 0)
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      const schedule = [...this.#taken]
      throw found(this.#field.saga, error, schedule, linesUpTo(this.#field, schedule))
    }
  }

  #from(moment: Moment, left: number, waits: number): number {
    const { saga } = this.#field
    const signature = `${left} ${signatureOf(saga, moment)}`
    const known = this.#known.get(signature)
    if (known === 'open')
      throw new Violation('it comes to an end', 'It goes round in circles: the same moment comes again.')
    if (known !== undefined) return known
    this.#known.set(signature, 'open')
    const choices = this.#field.choicesAt(moment, waits).filter(({ cost }) => cost <= left)
    const isWaiting = nextOf(saga, moment.state).kind === 'wait'
    let schedules = 0
    for (const { name, cost, go } of choices) {
      if (cost > 0) this.#taken.push(name)
      schedules += this.#from(go(), left - cost, waits + (isWaiting ? 1 : 0))
      if (cost > 0) this.#taken.pop()
    }
    // Where nothing comes by itself, a person who says nothing leaves it as it is.
    if (!choices.some(({ cost }) => cost === 0)) {
      schedules += 1
      const phase = phaseOf(moment.state)
      this.ends[phase] = (this.ends[phase] ?? 0) + 1
      for (const risk of this.#field.risksAt(moment)) this.risks.add(risk)
    }
    this.#known.set(signature, schedules)
    return schedules
  }
}

/** One path, with its story. */
class Path {
  readonly lines: Line[] = []
  readonly #field: Field

  constructor(field: Field) {
    this.#field = field
  }

  /** Up to its end, to where nobody chooses, or to a violation. */
  run(choose: (choices: readonly Choice[]) => Choice | undefined): Violation | undefined {
    return violationIn(() => {
      let moment = this.#field.beginning()
      for (let waits = 0; ; ) {
        const isWaiting = nextOf(this.#field.saga, moment.state).kind === 'wait'
        const choice = choose(this.#field.choicesAt(moment, waits))
        if (!choice) break
        this.lines.push({ at: moment.now - beginning, what: choice.name })
        moment = choice.go()
        if (isWaiting) waits += 1
      }
      const phase = phaseOf(moment.state)
      this.lines.push({
        at: moment.now - beginning,
        what: isOver(phase) ? phase : `${phase}, and nothing comes by itself`,
      })
    })
  }
}

function linesUpTo(field: Field, schedule: readonly string[]): Line[] {
  const path = new Path(field)
  path.run(oneByOne([...schedule]))
  return path.lines
}

/** Chooses what is left of a schedule as soon as it can happen, and takes it off; else what happens when nothing goes wrong. */
function oneByOne(left: string[]): (choices: readonly Choice[]) => Choice | undefined {
  return (choices) => {
    const named = choices.find(({ name, cost }) => cost > 0 && name === left[0])
    if (named) left.shift()
    return named ?? choices.find(({ cost }) => cost === 0)
  }
}

/** A random path: one time in four something goes wrong. */
function sampleOne(field: Field, seed: number): void {
  const random = randomFrom(seed)
  const taken: string[] = []
  const path = new Path(field)
  const mostChoices = 400
  let count = 0
  const broken = path.run((choices) => {
    count += 1
    const deviations = choices.filter(({ cost }) => cost > 0)
    const usual = choices.find(({ cost }) => cost === 0)
    const goesWrong = deviations.length > 0 && count < mostChoices && random() < 0.25
    const choice = goesWrong ? deviations[Math.floor(random() * deviations.length)] : usual
    if (choice && choice.cost > 0) taken.push(choice.name)
    return choice
  })
  if (broken) throw found(field.saga, broken, taken, path.lines)
}

/** Numbers in [0, 1) that only the seed decides: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function violationIn(run: () => void): Violation | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof Violation) return error
    throw error
  }
}

function found(
  saga: Saga,
  { invariant, message }: Violation,
  schedule: readonly string[],
  lines: readonly Line[],
): ExplorationError {
  const variable = saga.name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
  const test = [
    `it('${invariant}', () => {`,
    `  follow(${variable}, event, options, ${JSON.stringify(schedule)})`,
    '})',
  ]
  return new ExplorationError(
    [
      `Saga '${saga.name}' breaks '${invariant}': ${message}`,
      '',
      schedule.length === 0 ? 'Nothing has to go wrong for it.' : 'This has to go wrong for it:',
      ...schedule.map((name) => `  ${name}`),
      '',
      linesOf(lines),
      '',
      'As a test:',
      '',
      ...test,
    ].join('\n'),
    invariant,
    schedule,
  )
}
