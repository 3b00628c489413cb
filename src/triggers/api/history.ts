// GET /api/sagas/{id}/history: all that happened to one saga, in the form that the test kit replays.

import type { DurableClient } from 'durable-functions'
import { z } from 'zod'
import { names } from '../../names.js'
import { sagaNamed } from '../../app/index.js'
import { type Caller, roleOf, seesValues } from '../../operators/access.js'
import { callsIn } from '../../operators/calls.js'
import { masked } from '../../operators/masked.js'
import { record } from '../../operators/operations/log.js'
import type { Routes } from '../../operators/routes.js'
import { SagaError } from '../../saga/errors.js'
import type { Happened, SagaHistory } from '../../saga/history.js'
import { isInstanceId } from '../../saga/ids.js'
import { readOutcome } from '../../saga/outcome.js'
import { readSignal } from '../../saga/signal.js'
import type { SagaState } from '../../saga/state.js'
import { findInstance, sagaInput } from '../instances.js'
import type { Handler } from '../serve.js'

export const tellHistory: Handler<Routes['tellHistory']> = async (asked, { client }) => {
  const { id } = asked.params
  const history = await historyOf(client, id)
  // Without values it would be good for nothing but reading: it is there to be replayed.
  const reason = asked.query.reveal ?? (seesValues(asked.caller) ? 'not said' : undefined)
  return (await isRevealed(asked, client, 'reveal history', reason)) ? history : { ...masked(history), masked: true }
}

/** Each attempt, as the machine made it of what it knew by then. */
export const listCalls: Handler<Routes['listCalls']> = async (asked, { client }) => {
  const { id } = asked.params
  const history = await historyOf(client, id)
  const told = { calls: callsIn(sagaNamed(history.saga, history.version), history), isCut: history.state !== undefined }
  return (await isRevealed(asked, client, 'reveal calls', asked.query.reveal))
    ? { ...told, masked: false }
    : { ...masked(told), masked: true }
}

interface Inspection {
  readonly params: { readonly id: string }
  readonly caller: Caller
}

/** Whether values may be shown: to Admins who say why, and that is written down. @throws SagaError `ROLE_MISSING` */
async function isRevealed(
  { params: { id }, caller }: Inspection,
  client: DurableClient,
  what: string,
  reason: string | undefined,
): Promise<boolean> {
  if (reason === undefined) return false
  const { actor } = caller
  const asked = { actor, role: roleOf(caller), what, target: id, reason }
  if (!seesValues(caller)) {
    const refusal = SagaError.of('ROLE_MISSING', { actor, role: 'Admin' })
    await record(client, asked, { refused: refusal.what })
    throw refusal
  }
  await record(client, asked)
  return true
}

/** @throws SagaError `INSTANCE_UNKNOWN` */
export async function historyOf(client: DurableClient, id: string): Promise<SagaHistory> {
  const history = isInstanceId(id) ? await findHistory(client, id) : undefined
  if (!history) throw SagaError.of('INSTANCE_UNKNOWN', { id: id.slice(0, 100) })
  return history
}

/** Only where the machine's state was written down by this very code. */
const writtenState = z.custom<SagaState>(
  (value) => z.looseObject({ instance: z.string(), steps: z.array(z.unknown()) }).safeParse(value).success,
)
const withState = z.object({ state: writtenState.optional() })

const platformHistory = z.object({
  input: z.unknown(),
  historyEvents: z.array(z.looseObject({ EventType: z.string(), Timestamp: z.string() })),
})
type PlatformEvent = z.infer<typeof platformHistory>['historyEvents'][number]

export async function findHistory(client: DurableClient, id: string): Promise<SagaHistory | undefined> {
  const status = await findInstance(client, id)
  if (!status) return undefined
  const url = new URL(client.createHttpManagementPayload(id).statusQueryGetUri)
  for (const flag of ['showHistory', 'showHistoryOutput', 'showInput']) url.searchParams.set(flag, 'true')
  const response = await fetch(url)
  if (!response.ok) throw new Error(`The platform's history of an instance answered HTTP ${response.status}.`)
  const { input, historyEvents } = platformHistory.parse(await response.json())
  const { saga, version, event } = sagaInput.parse(input)
  const { state } = withState.parse(input)
  return { id, saga, version, event, ...(state && { state }), happened: historyEvents.flatMap(happenedIn), status }
}

/** What drives the machine; everything else is the platform's own business. */
function happenedIn({ EventType, Timestamp: at, ...event }: PlatformEvent): Happened[] {
  if (EventType === 'TimerFired') return [{ kind: 'woken', at }]
  if (EventType === 'EventRaised') {
    const signal = event['Name'] === names.signal ? readSignal(valueOf(event['Input'])) : undefined
    return signal ? [{ kind: 'heard', at, signal }] : []
  }
  // A lane's activities ask no partner.
  const isAnswer = String(event['FunctionName']).toLowerCase() === names.askPartner.toLowerCase()
  if (EventType !== 'TaskCompleted' || !isAnswer) return []
  const answer = valueOf(event['Result'])
  const marked = z.object({ of: z.string() }).safeParse(answer)
  return [{ kind: 'answered', at, of: marked.success ? marked.data.of : '', outcome: readOutcome(answer) }]
}

/** The platform shows a value as itself, or as its JSON text. */
function valueOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
