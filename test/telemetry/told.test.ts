// What is told, under which ids, and which part of it is kept: without an SDK.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anEvent, applied, deferred, refused, runOrchestration } from 'dataverse-saga/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { names } from '../../src/names.js'
import { sagaOrchestrator } from '../../src/orchestrators/saga.js'
import { instanceIdOf } from '../../src/saga/ids.js'
import { markOf } from '../../src/saga/mark.js'
import type { Ask } from '../../src/saga/next.js'
import { Journal } from '../../src/telemetry/journal.js'
import { Sampling } from '../../src/telemetry/sampling.js'
import { attributesOf, type Told } from '../../src/telemetry/told.js'
import {
  placeOfSaga,
  readTraceparent,
  rowHash,
  sagaSpanId,
  spanIdOf,
  traceOfCorrelation,
  traceparentOf,
} from '../../src/telemetry/trace-ids.js'
import { threeSteps } from '../saga/three-steps.js'

const trace = 'ab'.repeat(16)
const span = 'cd'.repeat(8)

const aSpan = (change: Partial<Told> = {}): Told => ({
  trace,
  span,
  name: 'do register',
  kind: 'internal',
  from: 0,
  to: 1,
  isFailure: false,
  facts: { saga: 'contact-onboarding' },
  ...change,
})

describe('where something stands in a trace', () => {
  it('is read from a traceparent, and written as one', () => {
    expect(readTraceparent(`00-${trace}-${span}-01`)).toEqual({ trace, span })
    expect(traceparentOf({ trace, span }, true)).toBe(`00-${trace}-${span}-01`)
    expect(traceparentOf({ trace, span }, false)).toBe(`00-${trace}-${span}-00`)
  })

  it.each([undefined, 7, '', 'x', `00-${'0'.repeat(32)}-${span}-01`, `00-${trace}-${'0'.repeat(16)}-01`])(
    'is nowhere for %s',
    (text) => {
      expect(readTraceparent(text)).toBeUndefined()
    },
  )

  it("is Dataverse's correlation id, if that says anything", () => {
    expect(traceOfCorrelation('6AD2C6EC-496B-40CB-98DC-A79E61775A2E')).toBe('6ad2c6ec496b40cb98dca79e61775a2e')
    expect(traceOfCorrelation('00000000-0000-0000-0000-000000000000')).toBeUndefined()
    expect(traceOfCorrelation(undefined)).toBeUndefined()
  })

  it('is made of its id for a saga that nobody traced', () => {
    const instance = instanceIdOf('contact-onboarding', anEvent())

    expect(placeOfSaga(instance, undefined)).toEqual(placeOfSaga(instance, 'nonsense'))
    expect(placeOfSaga(instance, undefined).trace).toMatch(/^[0-9a-f]{32}$/)
    expect(placeOfSaga(instance, `00-${trace}-${span}-01`)).toEqual({ trace, span })
  })

  it('has the same id whenever it is told, and another for anything else', () => {
    expect(spanIdOf('do', 'key', 1)).toBe(spanIdOf('do', 'key', 1))
    expect(spanIdOf('do', 'key', 1)).not.toBe(spanIdOf('do', 'key', 2))
    expect(spanIdOf('a', 'bc')).not.toBe(spanIdOf('ab', 'c'))
  })
})

describe('what may be said', () => {
  it('is on the list; anything else is left out', () => {
    const facts = { saga: 's', attempt: 2, email: 'ada@example.org' }

    expect(attributesOf(facts)).toEqual({ saga: 's', attempt: 2 })
  })

  it('names a row by a digest that does not depend on how its id is written', () => {
    const rowId = 'C0FFEE00-0000-4000-8000-000000000001'

    expect(rowHash(rowId)).toBe(rowHash(rowId.toLowerCase()))
    expect(rowHash(rowId)).toMatch(/^[0-9a-f]{16}$/)
  })
})

describe('sampling', () => {
  const traces = Array.from({ length: 2_000 }, (_, index) => spanIdOf('trace', index).repeat(2))

  it('keeps everything, as it is, if it is not told otherwise', () => {
    const sampling = new Sampling(1)

    expect(traces.flatMap((one) => sampling.take(aSpan({ trace: one })))).toHaveLength(traces.length)
  })

  it('keeps whole sagas: about as many as it should, and of each all or nothing, on every worker the same', () => {
    const [one, other] = [new Sampling(0.25), new Sampling(0.25)]
    const kept = traces.filter((id) => one.take(aSpan({ trace: id })).length > 0)

    expect(kept.length / traces.length).toBeCloseTo(0.25, 1)
    expect(traces.filter((id) => other.take(aSpan({ trace: id })).length > 0)).toEqual(kept)
    expect(one.take(aSpan({ trace: kept[0] ?? '' }))[0]?.rate).toBe(25)
  })

  it('keeps a saga of which something fails: what went before, the failure, and what comes after', () => {
    const sampling = new Sampling(0)
    const before = sampling.take(aSpan({ span: 'before' }))
    const failure = sampling.take(aSpan({ span: 'failure', isFailure: true }))
    const after = sampling.take(aSpan({ span: 'after', isEnd: true }))

    expect(before).toEqual([])
    expect(failure.map((one) => one.span)).toEqual(['before', 'failure'])
    expect(after.map((one) => one.span)).toEqual(['after'])
  })

  it('forgets a saga that has ended well', () => {
    const sampling = new Sampling(0)
    sampling.take(aSpan())
    sampling.take(aSpan({ isEnd: true }))

    expect(sampling.take(aSpan({ span: 'late', isFailure: true })).map((one) => one.span)).toEqual(['late'])
  })
})

describe('the journal', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'journal-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const aJournal = () => new Journal(folder, (value) => (typeof value === 'number' ? value : undefined))

  it('gives out what it was given, once, and keeps it until it is done', () => {
    const journal = aJournal()
    journal.append(1)
    journal.append(2)
    const batch = journal.take()

    expect(batch?.entries).toEqual([1, 2])
    expect(journal.take()).toBeUndefined()
    expect(readdirSync(folder)).toHaveLength(1)
    batch?.done()
    expect(readdirSync(folder)).toEqual([])
  })

  it('hands what a killed process has left to the next one, but for a line that it had not finished', async () => {
    const program = `
      const { appendFileSync } = require('node:fs')
      const { Journal } = require('./dist/src/telemetry/journal.js')
      const journal = new Journal(process.argv[1], (value) => value)
      journal.append(1)
      journal.append(2)
      appendFileSync(process.argv[1] + '/' + require('node:fs').readdirSync(process.argv[1])[0], '{"torn')
      process.kill(process.pid, 'SIGKILL')`
    const child = spawn(process.execPath, ['-e', program, folder], { stdio: 'inherit' })
    await once(child, 'exit')

    const left = aJournal().leftBehind()

    expect(left.map(({ entries }) => entries)).toEqual([[1, 2]])
    left.forEach((batch) => batch.done())
    expect(aJournal().leftBehind()).toEqual([])
  })

  it('lets processes that live have what is theirs', () => {
    const journal = aJournal()
    journal.append(1)
    const [name = ''] = readdirSync(folder)
    renameSync(join(folder, name), join(folder, name.replace(/^\d+/, String(process.ppid))))

    expect(aJournal().leftBehind()).toEqual([])
  })

  it('costs no saga anything when the disk can not be written', () => {
    const journal = new Journal(join(__filename, 'below-a-file'), Number)
    journal.append(1)

    expect(journal.take()?.entries).toEqual([1])
  })
})

describe('the orchestrator', () => {
  const saga = threeSteps()
  const event = anEvent()
  const instanceId = instanceIdOf(saga.name, event)

  async function run(given?: string) {
    const asks: (Ask & { traced?: object })[] = []
    const turns: (string | undefined)[] = []
    const answers = { a: [applied()], b: [deferred(), applied()], c: [refused('NO')] }
    const answered: Record<string, number> = {}
    await runOrchestration(
      sagaOrchestrator(
        () => saga,
        (_, __, ___, after) => turns.push(after.end),
      ),
      {
        instanceId,
        input: { saga: saga.name, version: saga.version, event, ...(given !== undefined && { trace: given }) },
        activities: {
          [names.askPartner]: (asked) => {
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the orchestrator under test asks with nothing else
            const ask = asked as Ask & { traced?: object }
            asks.push(ask)
            if (ask.what === 'undo') return applied()
            const count = (answered[ask.step] = (answered[ask.step] ?? -1) + 1)
            return answers[ask.step as 'a' | 'b' | 'c'][count]
          },
        },
      },
    )
    return { asks, turns }
  }

  it('tells of every turn, although all of them are replayed again and again; of the end once for each time that it was reached', async () => {
    const { turns } = await run()

    // The test kit runs every turn twice, as a host does that died before the first was durable: a beginning, six answers, and a wait.
    expect(turns.filter((end) => end === 'compensated')).toHaveLength(2)
    expect(turns).toHaveLength(2 * 8)
  })

  it('lets the trace go along with what it asks, and adds nothing where there is none', async () => {
    const traced = await run(`00-${trace}-${span}-01`)
    const untraced = await run()

    expect(traced.asks.map((ask) => ask.traced)).toEqual(
      traced.asks.map(() => ({ trace: `00-${trace}-${span}-01`, version: saga.version, at: expect.any(String) })),
    )
    expect(untraced.asks.filter((ask) => 'traced' in ask)).toEqual([])
  })

  it('marks what was asked the same with and without', async () => {
    const marksOf = ({ asks }: Awaited<ReturnType<typeof run>>) =>
      asks.map((ask) => markOf({ ...ask, traced: undefined } as unknown as Ask))

    expect(marksOf(await run(`00-${trace}-${span}-01`))).toEqual(marksOf(await run()))
  })
})

describe('a saga', () => {
  it('has a span whose id anybody can make of the id of its instance', () => {
    const instance = instanceIdOf('contact-onboarding', anEvent())

    expect(sagaSpanId(instance)).toBe(spanIdOf('saga', instance))
  })
})
