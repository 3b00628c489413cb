// One turn of the machine, as a test wants it: on frozen facts, twice, once on what was written down, with clock and chance watched.

import type { Saga } from '../src/saga/define.js'
import { begin, type SagaEvent, type Start, turn } from '../src/saga/machine.js'
import { nextOf } from '../src/saga/next.js'
import type { SagaState } from '../src/saga/state.js'
import { unreachable } from '../src/saga/unreachable.js'
import { frozen, watch } from './purity.js'
import { TestkitError } from './testkit-error.js'

/** @throws TestkitError when the saga's mappings are not pure */
export const beginPurely = (saga: Saga, start: Start): SagaState =>
  purely(
    saga,
    'it began',
    () => begin(saga, frozen(start)),
    () => begin(saga, writtenDown(start)),
  )

/** @throws TestkitError when the saga's mappings are not pure */
export function turnPurely(saga: Saga, before: SagaState, event: SagaEvent): SagaState {
  return purely(
    saga,
    inWords(event),
    () => turn(saga, before, frozen(event)),
    () => turn(saga, writtenDown(before), writtenDown(event)),
  )
}

function purely(saga: Saga, when: string, run: () => SagaState, again: () => SagaState): SagaState {
  const { value, asked } = watch(run)
  const begun = (state: SagaState) => saga.steps.filter((_, index) => state.steps[index]?.doing.stand.at === 'asking')
  const where = `Saga '${saga.name}', when ${when}${
    begun(value).length > 0
      ? `, beginning ${begun(value)
          .map(({ name }) => `'${name}'`)
          .join(' and ')}`
      : ''
  }`
  if (asked.length > 0)
    throw new TestkitError(
      `${where}: a mapping asked for ${asked.join(', ')}. A replay would get something else: take it from the event, the row or an output.`,
    )
  const second = again()
  if (
    JSON.stringify(nextOf(saga, value)) !== JSON.stringify(nextOf(saga, second)) ||
    JSON.stringify(value) !== JSON.stringify(second)
  )
    throw new TestkitError(
      `${where}: the same facts gave two different results, so a mapping is not a pure function.\nFirst:  ${difference(value, second)}\nSecond: ${difference(second, value)}`,
    )
  return frozen(value)
}

// What JSON keeps is all that a replay has.
const writtenDown = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value))

/** Of two states, the steps in which the first is not as the other. */
function difference(one: SagaState, other: SagaState): string {
  const steps = one.steps.filter((step, index) => JSON.stringify(step) !== JSON.stringify(other.steps[index]))
  return JSON.stringify(steps.length > 0 ? steps : one).slice(0, 400)
}

function inWords(event: SagaEvent): string {
  switch (event.kind) {
    case 'answered':
      return `'${event.what} ${event.step}' was answered with ${event.outcome.kind}`
    case 'replied':
      return `'${event.step}' was answered later`
    case 'said':
      return `${event.command.actor} said '${event.command.kind}'`
    case 'woken':
      return 'a time had come'
    default:
      return unreachable(event)
  }
}
