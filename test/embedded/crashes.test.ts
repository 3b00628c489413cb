// What outlives a crash, wherever the process was: locks, answers, the order of events, and that whoever kills the process fails in the end.

import { type DurableLock, EntityId, type OrchestrationContext, type Task } from 'durable-functions'
import { describe, expect, it } from 'vitest'
import { openHubTables } from '../../embedded/taskhub/tables.js'
import { until } from '../../local/installation.js'
import { endOf, firstTurnOf, gate, isOver, type Life, never, openLives, soon } from './hub-lives.js'

type Turns<Result = unknown, Answer = unknown> = Generator<Task, Result, Answer>

const door = new EntityId('Door', 'd')
let isMended = false
let die = () => undefined as void

const inSeconds = ({ df }: OrchestrationContext, seconds: number) =>
  df.createTimer(new Date(df.currentUtcDateTime.getTime() + seconds * 1_000))

const handedOver = {
  orchestrations: {
    *diesOfAnAnswer({ df }: OrchestrationContext): Turns<void> {
      yield df.callActivity('echo', 1)
      die()
      yield df.callActivity('echo', 2)
    },
    *diesOfATimer(context: OrchestrationContext): Turns<void> {
      yield inSeconds(context, 1)
      die()
      yield context.df.callActivity('echo', 2)
    },
    *locks({ df }: OrchestrationContext): Turns<void, DurableLock> {
      const lock = yield df.lock([door])
      df.setCustomStatus('locked')
      yield df.waitForExternalEvent('Word')
      lock.release()
    },
    *asks({ df }: OrchestrationContext): Turns {
      return yield df.callEntity(door, 'echo', 'here')
    },
    /** Asks an entity for ten seconds; then it begins anew, and asks for as long as it takes. */
    *asksTwice(context: OrchestrationContext): Turns {
      const { df } = context
      const round = df.getInput<number>()
      const answer = df.callEntity(door, 'echo', round)
      if (round === 2) return yield answer
      const patience = inSeconds(context, 10)
      yield df.Task.any([answer, patience])
      df.continueAsNew(2)
      return undefined
    },
    /** Begins anew once, and then hears two words. */
    *listens({ df }: OrchestrationContext): Turns {
      if (df.getInput() === 1) {
        yield df.waitForExternalEvent('Begin')
        df.continueAsNew(2)
        return undefined
      }
      yield df.waitForExternalEvent('Open')
      return [yield df.waitForExternalEvent('Word'), yield df.waitForExternalEvent('Word')]
    },
    *works({ df }: OrchestrationContext): Turns {
      return yield df.callActivity('work')
    },
    *calls({ df }: OrchestrationContext): Turns {
      return yield df.callSubOrchestrator('works', null, 'child')
    },
  },
  activities: {
    echo: (value: unknown) => value,
    work() {
      if (!isMended) throw new Error('broken')
      return 'mended'
    },
  },
  entities: {
    Door: ({ df }: { df: { getInput(): unknown; return(answer: unknown): void } }) => df.return(df.getInput()),
  },
}

describe('a turn that kills the process', () => {
  it.each(['diesOfAnAnswer', 'diesOfATimer'])('fails when it has killed it alone: %s', async (name) => {
    const { begin, clock } = await openLives(handedOver)
    let life: Life
    let lives = 0
    do {
      life = begin()
      const { hub, isDead } = life
      ;({ die } = life)
      let isUp = false
      void hub.recover({ diedOfItself: lives > 0 }).then(() => (isUp = true))
      await until('it is up, or dead', async () => isUp || isDead(), soon)
      if (lives === 0) await hub.start(name, null, { id: 'x' })
      lives += 1
      const isThrough = async () => {
        await clock.goTo(clock.now() + 2_000, () => Promise.resolve())
        return isDead() || isOver(hub, 'x')
      }
      await until('the instance has ended, or the process', isThrough, soon)
    } while (life.isDead() && lives < 5)

    // The first life dies of it among others, the second of it alone.
    expect([life.hub.find('x')?.status, lives]).toEqual(['Failed', 3])
  })
})

describe('a lock', () => {
  it('is released by the next life when its holder ended in the last commit of the one before', async () => {
    const { begin } = await openLives(handedOver)
    const { hub, dieWhen } = begin()
    await hub.start('locks', null, { id: 'holder' })
    await until('it is locked', async () => hub.find('holder')?.customStatus === '"locked"', soon)
    dieWhen(() => isOver(hub, 'holder'))
    await hub.command('holder', 'terminate', 'enough')
    await endOf(hub, 'holder')

    const next = begin().hub
    await next.recover()
    await next.start('asks', null, { id: 'x' })

    expect(await endOf(next, 'x')).toMatchObject({ output: '"here"' })
  })
})

describe('after continue as new', () => {
  it('an answer to the execution before is for nobody', async () => {
    const { begin, clock, code, disk } = await openLives(handedOver)
    const way = gate()
    let operations = 0
    const { hub, die: kill } = begin({
      code: {
        async runEntity(...all) {
          operations += 1
          // The process dies while it does the second.
          if (operations === 2) return never()
          await way.opened
          return code.runEntity(...all)
        },
      },
    })
    await hub.start('asksTwice', '1', { id: 'x' })
    await firstTurnOf(hub, 'x')
    await until('the entity works', async () => operations === 1, soon)
    const hasBegunAnew = async () => {
      await clock.goTo(clock.now() + 1_000, () => Promise.resolve())
      return hub.find('x')?.input === '2'
    }
    await until('it has begun anew', hasBegunAnew, soon)
    await firstTurnOf(hub, 'x')
    way.open()
    const asked = openHubTables(disk).entityInbox
    await until('the first is answered', async () => operations === 2 && [...asked.entries()].length === 1, soon)
    kill()

    const next = begin().hub
    await next.recover()

    expect(await endOf(next, 'x')).toMatchObject({ output: '2' })
  })

  it('events are heard in the order in which they came', async () => {
    const { begin, code } = await openLives(handedOver)
    const { hub, dieWhen } = begin({
      code: {
        async runOrchestrator(name, payload, session) {
          const run = await code.runOrchestrator(name, payload, session)
          // While the turn that begins anew is under way.
          if (payload.includes('Begin')) await hub.raise('x', 'Word', '"second"')
          return run
        },
      },
    })
    await hub.start('listens', '1', { id: 'x' })
    await firstTurnOf(hub, 'x')
    await hub.command('x', 'suspend', 'so that two events come in one turn')
    await until('it is suspended', async () => hub.find('x')?.status === 'Suspended', soon)
    await hub.raise('x', 'Begin', null)
    await hub.raise('x', 'Word', '"first"')
    dieWhen(() => hub.find('x')?.input === '2')
    await hub.command('x', 'resume', '')
    await until('it has begun anew', async () => hub.find('x')?.input === '2', soon)

    const next = begin().hub
    await next.recover()
    await next.raise('x', 'Open', null)

    expect(await endOf(next, 'x')).toMatchObject({ output: '["first","second"]' })
  })
})

describe('a rewind', () => {
  it('is of a parent and its sub-orchestrations together', async () => {
    isMended = false
    const { begin } = await openLives(handedOver)
    const { hub, dieWhen } = begin()
    await hub.start('calls', null, { id: 'parent' })
    await endOf(hub, 'parent')
    isMended = true
    dieWhen(() => hub.find('parent')?.status === 'Running')
    void hub.rewind('parent', 'mended')
    await until('the parent runs again', async () => hub.find('parent')?.status === 'Running', soon)

    const next = begin().hub
    await next.recover()

    expect(await endOf(next, 'parent')).toMatchObject({ status: 'Completed', output: '"mended"' })
    expect(await endOf(next, 'child')).toMatchObject({ status: 'Completed' })
  })
})
