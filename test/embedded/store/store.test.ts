import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compactStore } from '../../../embedded/store/compaction.js'
import { openStore, type Store } from '../../../embedded/store/store.js'

describe('the store', () => {
  let folder: string
  let store: Store

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'store-'))
    store = openStore(folder)
  })
  afterEach(async () => {
    await store.close()
    rmSync(folder, { recursive: true })
  })

  test('what was committed is there after reopening, in the order of its keys', async () => {
    const letters = store.table<string>('letters')
    await store.commit((changes) => {
      changes.put(letters, ['x', 10], 'ten')
      changes.put(letters, ['x', 2], 'two')
      changes.put(letters, ['y', 1], 'another prefix')
    })
    await store.close()

    store = openStore(folder)

    expect([...store.table<string>('letters').entries({ prefix: ['x'] })]).toEqual([
      { key: ['x', 2], value: 'two' },
      { key: ['x', 10], value: 'ten' },
    ])
  })

  test('a key of one element is a key like any other', async () => {
    const words = store.table<number>('words')
    await store.commit((changes) => {
      for (const word of ['ant', 'antelope', 'bee']) changes.put(words, [word], word.length)
    })

    expect([...words.entries({ from: ['ante'], before: ['bee'] })]).toEqual([{ key: ['antelope'], value: 8 }])
    expect([...words.entries({ backwards: true, before: ['bee'], limit: 1 })]).toEqual([
      { key: ['antelope'], value: 8 },
    ])
  })

  test('bytes, dates, big integers and nested objects come back as they were', async () => {
    const things = store.table<unknown>('things')
    const thing = {
      bytes: Buffer.from([0, 255]),
      big: 2n ** 60n,
      at: new Date(1_700_000_000_000),
      list: [null, true, 'é'],
    }
    await store.commit((changes) => changes.put(things, ['it'], thing))

    expect(things.get(['it'])).toEqual(thing)
  })

  test('a range can begin in the middle, end early and run backwards', async () => {
    const numbers = store.table<number>('numbers')
    await store.commit((changes) => {
      for (const n of [1, 2, 3, 4]) changes.put(numbers, ['n', n], n)
    })
    const values = (range: Parameters<typeof numbers.entries>[0]) =>
      [...numbers.entries(range)].map(({ value }) => value)

    expect(values({ prefix: ['n'], from: ['n', 2] })).toEqual([2, 3, 4])
    expect(values({ prefix: ['n'], limit: 2 })).toEqual([1, 2])
    expect(values({ prefix: ['n'], backwards: true, limit: 1 })).toEqual([4])
    expect(values({ prefix: ['n'], from: ['n', 2], backwards: true })).toEqual([4, 3, 2])
  })

  test('a commit whose making throws changes nothing', async () => {
    const left = store.table<number>('left')
    const right = store.table<number>('right')

    const failed = store.commit((changes) => {
      changes.put(left, ['a'], 1)
      changes.put(right, ['a'], 1)
      throw new Error('changed my mind')
    })

    await expect(failed).rejects.toThrow('changed my mind')
    expect([left.get(['a']), right.get(['a'])]).toEqual([undefined, undefined])
  })

  test('a commit with a key that is too long changes nothing, not even together with the next one', async () => {
    const left = store.table<number>('left')
    const right = store.table<number>('right')

    const failed = store.commit((changes) => {
      changes.put(left, ['a'], 1)
      changes.put(right, ['x'.repeat(3_000)], 1)
    })

    await expect(failed).rejects.toThrow(/key/i)
    await store.commit((changes) => changes.put(left, ['b'], 2))
    expect([...left.entries()]).toEqual([{ key: ['b'], value: 2 }])
  })

  test('commits called together end in the order in which they were called', async () => {
    const counters = store.table<number>('counters')
    const ended: number[] = []
    await Promise.all(
      [1, 2, 3].map(async (n) => {
        await store.commit((changes) => changes.put(counters, ['n'], n))
        ended.push(n)
      }),
    )

    expect(ended).toEqual([1, 2, 3])
    expect(counters.get(['n'])).toBe(3)
  })

  test('what can wait goes along with the next commit, before it', async () => {
    const counters = store.table<number>('counters')
    const soon = store.commitSoon((changes) => changes.put(counters, ['n'], 1))
    await store.commit((changes) => changes.put(counters, ['m'], 2))

    // Read before the promise of the first is waited for: it is there already.
    expect([counters.get(['n']), counters.get(['m'])]).toEqual([1, 2])
    await soon

    const overtaken = store.commitSoon((changes) => changes.put(counters, ['n'], 3))
    await store.commit((changes) => changes.put(counters, ['n'], 4))
    await overtaken
    expect(counters.get(['n'])).toBe(4)
  })

  test('what can wait is written by itself when nothing else is, and before the store is closed', async () => {
    const counters = store.table<number>('counters')
    await store.commitSoon((changes) => changes.put(counters, ['n'], 1))
    expect(counters.get(['n'])).toBe(1)

    const last = store.commitSoon((changes) => changes.put(counters, ['n'], 2))
    await store.close()
    await last

    store = openStore(folder)
    expect(store.table<number>('counters').get(['n'])).toBe(2)
  })

  test('what can wait and throws while it is made changes nothing, and spoils nothing of others', async () => {
    const counters = store.table<number>('counters')
    const good = store.commitSoon((changes) => changes.put(counters, ['good'], 1))
    const failed = store.commitSoon((changes) => {
      changes.put(counters, ['bad'], 1)
      throw new Error('changed my mind')
    })

    await expect(failed).rejects.toThrow('changed my mind')
    await good
    expect([counters.get(['good']), counters.get(['bad'])]).toEqual([1, undefined])
  })

  test('what can wait is written though the commit that it would have gone along with has too long a key', async () => {
    const counters = store.table<number>('counters')
    const soon = store.commitSoon((changes) => changes.put(counters, ['good'], 1))

    const failed = store.commit((changes) => changes.put(counters, ['x'.repeat(3_000)], 1))

    await expect(failed).rejects.toThrow(/key/i)
    await soon
    expect(counters.get(['good'])).toBe(1)
  })

  test('gives back the disk of what was deleted, and loses nothing by it', async () => {
    const large = store.table<Buffer>('large')
    const write = (from: number, to: number, what: 'put' | 'remove') =>
      store.commit((changes) => {
        for (let n = from; n < to; n++)
          if (what === 'put') changes.put(large, ['n', n], Buffer.alloc(1_000, n))
          else changes.remove(large, ['n', n])
      })
    await write(0, 5_000, 'put')
    await write(10, 5_000, 'remove')
    await store.close()

    const freed = await compactStore(folder, 1)
    const freedAgain = await compactStore(folder, 1_000_000)

    store = openStore(folder)
    expect(freed).toBeGreaterThan(4_000_000)
    expect(freedAgain).toBe(0)
    expect([...store.table<Buffer>('large').entries()].map(({ value }) => value[0])).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
  })

  test('an unfinished compaction is passed over', async () => {
    const letters = store.table<string>('letters')
    await store.commit((changes) => changes.put(letters, ['a'], 'kept'))
    await store.close()
    mkdirSync(path.join(folder, 'compacting'))
    writeFileSync(path.join(folder, 'compacting', 'data.mdb'), 'half')

    await compactStore(folder, 1)

    store = openStore(folder)
    expect(store.table<string>('letters').get(['a'])).toBe('kept')
  })
})
