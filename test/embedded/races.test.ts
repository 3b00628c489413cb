// What happens at the same time: starts, ends, purges, terminations and locks that meet in one moment.

import { type DurableLock, EntityId, type OrchestrationContext, type Task } from 'durable-functions'
import { describe, expect, it, vi } from 'vitest'
import { openHubTables } from '../../embedded/taskhub/tables.js'
import { until } from '../../local/installation.js'
import { endOf, firstTurnOf, gate, openLives, soon } from './hub-lives.js'

type Turns<Result = unknown, Answer = unknown> = Generator<Task, Result, Answer>

const door = new EntityId('Door', 'd')
let isMended = false

const handedOver = {
  orchestrations: {
    // oxlint-disable-next-line eslint/require-yield
    *atOnce(): Turns {
      return 'at once'
    },
    *waits({ df }: OrchestrationContext): Turns {
      return yield df.waitForExternalEvent('Word')
    },
    *callsOne({ df }: OrchestrationContext): Turns {
      return yield df.callSubOrchestrator('waits', null, 'child')
    },
    *callsTwoAsOne({ df }: OrchestrationContext): Turns {
      return yield df.Task.all(['atOnce', 'waits'].map((name) => df.callSubOrchestrator(name, null, 'child')))
    },
    *callsThree({ df }: OrchestrationContext): Turns {
      return yield df.Task.all(['a', 'b', 'c'].map((child) => df.callSubOrchestrator('waits', null, child)))
    },
    *locks({ df }: OrchestrationContext): Turns<void, DurableLock> {
      const lock = yield df.lock([door])
      df.setCustomStatus('locked')
      yield df.waitForExternalEvent('Word')
      lock.release()
    },
    *asks({ df }: OrchestrationContext): Turns {
      return yield df.callEntity(door, 'get')
    },
    *works({ df }: OrchestrationContext): Turns {
      return yield df.callActivity('work')
    },
  },
  activities: {
    work() {
      if (!isMended) throw new Error('broken')
      return 'mended'
    },
  },
  entities: { Door: ({ df }: { df: { return(answer: string): void } }) => df.return('here') },
}

describe('of two that start the same id', () => {
  it('in one turn, the first begins and the second is refused', async () => {
    const { begin } = await openLives(handedOver)
    const { hub } = begin()

    await hub.start('callsTwoAsOne', null, { id: 'parent' })

    const { status, output } = await endOf(hub, 'parent')
    expect([status, output]).toEqual(['Failed', expect.stringContaining('already exists')])
    expect(await endOf(hub, 'child')).toMatchObject({ name: 'atOnce', status: 'Completed' })
  })

  it('a client that comes first has it, and the orchestration that calls it is refused', async () => {
    const { begin, code } = await openLives(handedOver)
    let start: Promise<string> | undefined
    const { hub } = begin({
      code: {
        async runOrchestrator(name, ...rest) {
          const run = await code.runOrchestrator(name, ...rest)
          if (name === 'callsOne') start ??= hub.start('atOnce', null, { id: 'child' })
          return run
        },
      },
    })

    await hub.start('callsOne', null, { id: 'parent' })

    const { status, output } = await endOf(hub, 'parent')
    expect([status, output]).toEqual(['Failed', expect.stringContaining('already exists')])
    expect(await start).toBe('child')
    expect(await endOf(hub, 'child')).toMatchObject({ name: 'atOnce', status: 'Completed' })
  })

  it('the second, which is to replace what runs, begins when the turn of the first is over', async () => {
    const { begin, code, disk, clock } = await openLives(handedOver)
    const [inside, way] = [gate(), gate()]
    let commits = 0
    const { hub } = begin({
      section: { overridableExistingInstanceStates: 'AnyState' },
      commit: (write) => disk.commit(write).finally(() => (commits += 1)),
      code: {
        async runOrchestrator(name, ...rest) {
          if (name === 'atOnce') {
            inside.open()
            await way.opened
          }
          return code.runOrchestrator(name, ...rest)
        },
      },
    })
    await hub.start('atOnce', null, { id: 'x' })
    await inside.opened
    clock.skip(1_000)

    const before = commits
    const replaced = hub.start('waits', null, { id: 'x' })
    await until('something of the second is on disk', async () => commits > before, soon)
    way.open()
    await replaced

    await firstTurnOf(hub, 'x')
    await hub.raise('x', 'Word', '"heard"')
    expect(await endOf(hub, 'x')).toMatchObject({ name: 'waits', output: '"heard"' })
    expect(hub.page({ statuses: [], top: 10 }).rows).toHaveLength(1)
  })
})

describe('a purge', () => {
  it('does not take away what takes the place of what had ended', async () => {
    const { begin, clock } = await openLives(handedOver)
    const { hub } = begin()
    await hub.start('atOnce', null, { id: 'x' })
    await endOf(hub, 'x')
    clock.skip(1_000)

    const [started, purged] = await Promise.allSettled([hub.start('waits', null, { id: 'x' }), hub.purge('x')])

    expect(started).toMatchObject({ status: 'fulfilled' })
    expect(purged).toMatchObject({ status: 'rejected', reason: { status: 412 } })
    expect(hub.find('x')?.name).toBe('waits')
  })
})

describe('a termination', () => {
  it('ends all sub-orchestrations, even if one of them ends by itself before it is told', async () => {
    const { begin } = await openLives(handedOver)
    const { hub } = begin()
    await hub.start('callsThree', null, { id: 'parent' })
    for (const child of ['a', 'b', 'c']) await firstTurnOf(hub, child)
    const command = hub.command.bind(hub)
    vi.spyOn(hub, 'command').mockImplementation(async (id, ...rest) => {
      if (id === 'b') {
        await hub.raise('b', 'Word', null)
        await endOf(hub, 'b')
      }
      return command(id, ...rest)
    })

    await hub.command('parent', 'terminate', 'enough', { withChildren: true })

    const ends = await Promise.all(['parent', 'a', 'b', 'c'].map((id) => endOf(hub, id)))
    expect(ends.map(({ status }) => status)).toEqual(['Terminated', 'Terminated', 'Completed', 'Terminated'])
  })

  it('that comes in the moment of a failure does not end what is rewound later', async () => {
    isMended = false
    const { begin, disk, code } = await openLives(handedOver)
    let isFailing = false
    let termination: Promise<void> | undefined
    const { hub } = begin({
      commit(write) {
        const written = disk.commit(write)
        if (!isFailing) return written
        isFailing = false
        termination = hub.command('x', 'terminate', 'late')
        return written
      },
      code: {
        runActivity: (...all) => code.runActivity(...all).finally(() => (isFailing = !isMended)),
      },
    })
    await hub.start('works', null, { id: 'x' })
    expect(await endOf(hub, 'x')).toMatchObject({ status: 'Failed' })
    await termination

    isMended = true
    await hub.rewind('x', 'mended')

    expect(await endOf(hub, 'x')).toMatchObject({ status: 'Completed', output: '"mended"' })
  })
})

describe('a lock', () => {
  it('is not given to who was terminated while it stood in line', async () => {
    const { begin } = await openLives(handedOver)
    const { hub } = begin()
    await hub.start('locks', null, { id: 'first' })
    await until('the first has it', async () => hub.find('first')?.customStatus === '"locked"', soon)
    await hub.start('locks', null, { id: 'second' })
    await firstTurnOf(hub, 'second')
    await hub.command('second', 'terminate', 'enough')
    await endOf(hub, 'second')

    await hub.raise('first', 'Word', null)
    await hub.start('asks', null, { id: 'third' })

    expect(await endOf(hub, 'third')).toMatchObject({ status: 'Completed', output: '"here"' })
  })

  it('is given back when who has asked for it is terminated while it is given', async () => {
    const { begin, disk } = await openLives(handedOver)
    const { entities } = openHubTables(disk)
    let isGiven = false
    const { hub } = begin({
      async commit(write) {
        await disk.commit(write)
        if (isGiven || [...entities.entries()].every(({ value }) => value.lockedBy !== 'first')) return
        isGiven = true
        await hub.command('first', 'terminate', 'enough')
        await endOf(hub, 'first')
      },
    })
    await hub.start('locks', null, { id: 'first' })
    expect(await endOf(hub, 'first')).toMatchObject({ status: 'Terminated' })

    await hub.start('asks', null, { id: 'second' })

    expect(await endOf(hub, 'second')).toMatchObject({ status: 'Completed', output: '"here"' })
  })
})
