// Which sagas want an event, and under which id they run.

import { describe, expect, it } from 'vitest'
import type { Saga } from '../../src/saga/define.js'
import { ownMark } from '../../src/saga/event.js'
import { isInstanceId, keyOf } from '../../src/saga/ids.js'
import { startsFor } from '../../src/saga/routing.js'
import { anEvent } from '../../testkit/event.js'

const aSaga = (change: Partial<Saga>): Saga => ({
  name: 'onboarding',
  version: 1,
  on: { table: 'contact', message: 'Create' },
  steps: [],
  ...change,
})

describe('an event', () => {
  it('starts every saga that reacts to its table and message', () => {
    const sagas = [
      aSaga({ name: 'one' }),
      aSaga({ name: 'two' }),
      aSaga({ name: 'other-table', on: { table: 'account', message: 'Create' } }),
      aSaga({ name: 'other-message', on: { table: 'contact', message: 'Update' } }),
    ]

    expect(startsFor(anEvent(), sagas).map(({ input }) => input.saga)).toEqual(['one', 'two'])
  })

  it('starts the newest version of a saga, wherever it stands in the list', () => {
    const sagas = [aSaga({ version: 2 }), aSaga({ version: 3 }), aSaga({ version: 1 })]

    expect(startsFor(anEvent(), sagas).map(({ input }) => input.version)).toEqual([3])
  })

  it('starts no older version of a saga whose newest one does not react to it', () => {
    const sagas = [
      aSaga({ version: 1, on: { table: 'contact', message: ['Create', 'Update'] } }),
      aSaga({ version: 2, on: { table: 'contact', message: 'Create' } }),
    ]

    expect(startsFor(anEvent({ message: 'Update' }), sagas)).toEqual([])
  })

  it('that our own write made starts nothing', () => {
    expect(startsFor({ ...anEvent(), tag: ownMark }, [aSaga({})])).toEqual([])
    expect(startsFor({ ...anEvent(), tag: 'of-somebody-else' }, [aSaga({})])).toHaveLength(1)
  })

  it.each([
    ['one of its columns', ['name', 'modifiedon'], 1],
    ['others', ['dvs_erpid', 'modifiedon'], 0],
    ['nobody knows which', undefined, 1],
  ])('that changed %s: %j', (_, changed, count) => {
    const saga = aSaga({ on: { table: 'contact', message: 'Create', columns: ['name', 'email'] } })

    expect(startsFor({ ...anEvent(), ...(changed && { changed }) }, [saga])).toHaveLength(count)
  })

  it('gives its instance an id that begins with saga, table and row', () => {
    const [start] = startsFor(anEvent(), [aSaga({})])

    expect(start?.instance).toBe('onboarding:contact:c0ffee00-0000-4000-8000-000000000001:00000000000000000001')
    expect(start && keyOf(start.instance, 'register', 'undo')).toBe(`${start?.instance}:register:undo`)
  })
})

describe('an instance id from outside', () => {
  it.each([
    ['onboarding:contact:c0ffee00-0000-4000-8000-000000000001:00000000000000000001', true],
    ['onboarding:contact:c0ffee00-0000-4000-8000-000000000001', false],
    ['../../admin', false],
    ['', false],
  ])('%j is recognized: %s', (text, recognized) => {
    expect(isInstanceId(text)).toBe(recognized)
  })
})
