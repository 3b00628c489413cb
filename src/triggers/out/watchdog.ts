// The watchdog: finds sagas that have not moved when they said that they would, and revives them under the same keys.
//
// Promises: nobody is touched who was not found late three times at the same place, with ways through the platform's own lines in between
// (orchestrators/watch.ts). Nobody is ended who can't be begun anew: its state is rebuilt from its history first. What it was asking is in doubt then.

import { setTimeout } from 'node:timers/promises'
import type { InvocationContext } from '@azure/functions'
import type { DurableClient } from 'durable-functions'
import { z } from 'zod'
import { sagaNamed } from '../../app/index.js'
import { names } from '../../names.js'
import { SagaError } from '../../saga/errors.js'
import { type Notice, stuckNotice } from '../../saga/notices.js'
import { recall } from '../../saga/recall.js'
import { type Signal, wake } from '../../saga/signal.js'
import type { SagaStatus } from '../../saga/status.js'
import { anew, lateness, slack, stateAnew } from '../../saga/watch.js'
import { noticeTargets } from '../../settings.js'
import { clientOf, pageOfInstances, statusOrNone } from '../../task-hub.js'
import { findHistory } from '../api/history.js'
import { readInstance } from '../instances.js'
import { postAll } from './notices.js'

/** Those that may be under way at the same time. */
const watches = ['watchdog:1', 'watchdog:2', 'watchdog:3', 'watchdog:4']
/** Milliseconds. */
const longestWatch = 2 * 3_600_000
/** Found in one watch: the next one goes on. */
const mostLate = 1_000
/** Milliseconds for which news of a stopped orchestration are told, if nobody watched when it stopped. */
const recently = 24 * 3_600_000
/** Looks whether an instance has ended, and milliseconds between them. */
const mostLooks = 100
const interval = 100

export interface Suspect {
  readonly id: string
  /** When it should have moved; milliseconds since 1970. */
  readonly since: number
}

const platformInstance = z.object({
  instanceId: z.string(),
  runtimeStatus: z.string(),
  lastUpdatedTime: z.coerce.date(),
  input: z.unknown(),
  output: z.unknown(),
  customStatus: z.unknown(),
})
type PlatformInstance = z.infer<typeof platformInstance>

interface Verdict {
  /** `begin`: it was ended to be begun anew, and that did not happen. `mend`: somebody has to. */
  readonly what: 'wake' | 'restart' | 'begin' | 'mend'
  readonly since: number
}

/** @param now milliseconds since 1970 */
export function watchdog(now: () => number = Date.now) {
  /** The timer's. A watch lasts longer than the time between two, and can get lost like any other orchestration. */
  async function beginWatch(_: unknown, context: InvocationContext): Promise<void> {
    const client = clientOf(context)
    for (const instanceId of watches) {
      const last = platformInstance.safeParse(await statusOrNone(client, instanceId))
      const isThere = last.success && /^(Pending|Running)$/.test(last.data.runtimeStatus)
      if (!isThere) return void (await client.startNew(names.watch, { instanceId }))
      if (now() - last.data.lastUpdatedTime.getTime() > longestWatch) await client.terminate(instanceId, 'it is lost')
    }
  }

  /** The activity of the first look. */
  async function findLate(_: unknown, context: InvocationContext): Promise<readonly Suspect[]> {
    const client = clientOf(context)
    const late: Suspect[] = []
    const stopped: Notice[] = []
    for await (const { instance, status } of unfinished(client)) {
      const verdict = verdictOn(instance, status, now())
      if (verdict?.what === 'mend') stopped.push(stuckNotice(status, verdict.since))
      else if (verdict && late.length < mostLate) late.push({ id: instance.instanceId, since: verdict.since })
    }
    if (noticeTargets().length > 0) await postAll(client, stopped)
    return late
  }

  /** The activity of the second look. */
  async function stillLate(suspects: readonly Suspect[], context: InvocationContext): Promise<readonly Suspect[]> {
    const client = clientOf(context)
    const late: Suspect[] = []
    await forEach(suspects, async (suspect) => void ((await lookAt(client, suspect)) && late.push(suspect)))
    return late
  }

  /** The activity of the third look. */
  async function rouse(suspects: readonly Suspect[], context: InvocationContext): Promise<{ revived: number }> {
    const client = clientOf(context)
    let revived = 0
    await forEach(suspects, async (suspect) => {
      try {
        const found = await lookAt(client, suspect)
        if (!found) return
        context.warn(`${suspect.id} should have moved at ${new Date(suspect.since).toISOString()}: ${found.what}`)
        if (noticeTargets().length > 0) await postAll(client, [stuckNotice(found.status, suspect.since)])
        if (found.what === 'wake') await client.raiseEvent(suspect.id, names.signal, wake)
        else await beginAnew(client, found.instance, new Date(now()).toISOString())
        revived += 1
      } catch (error) {
        // The others need their turn, and the next watch finds it again.
        context.error(`${suspect.id} is not revived: ${error instanceof SagaError ? error.message : String(error)}`)
      }
    })
    return { revived }
  }

  /** Nothing when it has moved. */
  async function lookAt(client: DurableClient, { id, since }: Suspect) {
    const told = await statusOrNone(client, id)
    const status = told && readInstance(told)
    if (!status) return undefined
    const instance = platformInstance.parse(told)
    const verdict = verdictOn(instance, status, now())
    if (verdict?.since !== since || verdict.what === 'mend') return undefined
    return { instance, status, what: verdict.what }
  }

  return { beginWatch, findLate, stillLate, rouse }
}

/** A few at a time: the task hub is for the sagas. */
async function forEach(suspects: readonly Suspect[], work: (suspect: Suspect) => Promise<void>): Promise<void> {
  const left = [...suspects]
  const workOff = async () => {
    for (let suspect = left.pop(); suspect; suspect = left.pop()) await work(suspect)
  }
  await Promise.all(Array.from({ length: 8 }, workOff))
}

async function* unfinished(client: DurableClient) {
  const statuses = ['Pending', 'Running', 'Failed', 'Terminated']
  let token: string | undefined
  do {
    const page = await pageOfInstances(client, { limit: 500, statuses, ...(token !== undefined && { token }) })
    for (const told of page.instances) {
      const status = readInstance(told)
      if (status) yield { instance: platformInstance.parse(told), status }
    }
    token = page.next
  } while (token !== undefined)
}

function verdictOn({ runtimeStatus, lastUpdatedTime, output }: PlatformInstance, status: SagaStatus, now: number) {
  const movedAt = lastUpdatedTime.getTime()
  const verdict = (what: Verdict['what']): Verdict => ({ what, since: movedAt })
  switch (runtimeStatus) {
    case 'Pending':
    case 'Running':
      return lateness(status, movedAt, now) satisfies Verdict | undefined
    case 'Terminated':
      if (output === anew) return now - movedAt > slack ? verdict('begin') : undefined
      return now - movedAt < recently ? verdict('mend') : undefined
    case 'Failed':
      return now - movedAt < recently ? verdict('mend') : undefined
    default:
      return undefined
  }
}

/** @throws SagaError when its definition is gone, or does not explain its history: then it is left as it is */
async function beginAnew(client: DurableClient, { instanceId: id, ...seen }: PlatformInstance, at: string) {
  const { input, unheard } = await inputAnew(client, id, seen, at)
  if (!(await isEnded(client, id))) {
    await client.terminate(id, anew)
    for (let looks = 0; !(await isEnded(client, id)); looks++) {
      if (looks === mostLooks) throw new Error('it does not end')
      await setTimeout(interval)
    }
  }
  await client.startNew(names.saga, { instanceId: id, input })
  for (const signal of unheard) await client.raiseEvent(id, names.signal, signal)
}

const written = z.looseObject({ saga: z.string(), version: z.number() })
const begun = z.looseObject({ phase: z.string() })

/** With which it goes on, and what it has been told and not heard. */
async function inputAnew(
  client: DurableClient,
  id: string,
  { input, customStatus }: Pick<PlatformInstance, 'input' | 'customStatus'>,
  at: string,
): Promise<{ input: unknown; unheard: readonly Signal[] }> {
  const { saga: name, version, ...rest } = written.parse(input)
  const saga = sagaNamed(name, version)
  const status = begun.safeParse(customStatus)
  const whole = { saga: name, version, ...rest }
  // Nothing has been asked of anybody: it begins as it began.
  if (rest['state'] === undefined && (!status.success || status.data.phase === 'pending'))
    return { input: whole, unheard: [] }
  const history = await findHistory(client, id)
  if (!history) throw new Error('it has no history')
  const { state, calls, unheard, parting } = recall(saga, history)
  if (parting) throw SagaError.of('HISTORY_PARTED', { id, why: parting.why })
  return { input: { ...whole, state: stateAnew(saga, state, calls, at) }, unheard }
}

async function isEnded(client: DurableClient, id: string): Promise<boolean> {
  const { runtimeStatus } = platformInstance.parse(await statusOrNone(client, id))
  return runtimeStatus === 'Terminated'
}
