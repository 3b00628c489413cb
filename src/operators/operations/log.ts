// The operations log on the durable task hub: an entity that it grows in, and one for each full chunk.

import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { type DurableClient, type EntityContext, EntityId } from 'durable-functions'
import { z } from 'zod'
import { names } from '../../names.js'
import { SagaError } from '../../saga/errors.js'
import { operation as told } from '../schemas/acts.js'
import { append, emptyHead, type Entry, type Head, isIntact, type Operation } from './chain.js'

type Entity = Pick<
  EntityContext<Head | readonly Entry[]>['df'],
  'operationName' | 'isNewlyConstructed' | 'getState' | 'setState' | 'getInput' | 'signalEntity'
>

/** The entity. `head` takes `append` with an operation; the others take `keep` with their entries, once. */
export function operationsLog({ df }: { readonly df: Entity }): void {
  if (df.operationName === 'keep') {
    if (df.isNewlyConstructed) df.setState(z.array(entry).parse(df.getInput<unknown>()))
    return
  }
  const written = df.getState()
  const before = written === undefined ? emptyHead : head.parse(written)
  const { head: next, full } = append(before, operation.parse(df.getInput<unknown>()))
  if (full) df.signalEntity(chunkAt(next.chunks - 1), 'keep', full)
  df.setState(next)
}

export const headOfLog = new EntityId(names.operations, 'head')
const chunkAt = (number: number) => new EntityId(names.operations, `chunk-${number}`)

const operation: z.ZodType<Operation> = told.omit({ seq: true, previous: true, hash: true })
/** Whatever else was put into it: the hash is of all. */
const entry: z.ZodType<Entry> = told.loose()
const head: z.ZodType<Head> = z.object({
  seq: z.int(),
  hash: z.string(),
  chunks: z.int(),
  entries: z.array(entry),
})

type Hub = Pick<DurableClient, 'signalEntity' | 'readEntityState'>

/** Who does what, to what, and why. */
export type Asked = Pick<Operation, 'actor' | 'role' | 'what' | 'target' | 'reason' | 'before'>

/** Resolves when the entry is durably on its way into the log, with the id that an entry of its result needs. */
export async function record(client: Hub, asked: Asked, came: Came = {}): Promise<string> {
  const { operation: id = randomUUID(), ...result } = came
  const entered: Operation = { operation: id, at: new Date().toISOString(), ...asked, ...result }
  await client.signalEntity(headOfLog, 'append', entered)
  return id
}

/** What came of an operation that is recorded already. */
export type Came = Partial<Pick<Operation, 'operation' | 'after' | 'refused'>>

/** Carries something out between two entries of the log: that it was asked for, and what came of it, be it a refusal. */
export async function recorded<Answer>(
  client: Hub,
  asked: Asked,
  act: () => Promise<{ readonly answer: Answer; readonly after: unknown }>,
): Promise<Answer> {
  const id = await record(client, asked)
  const { before: _, ...same } = asked
  try {
    const { answer, after } = await act()
    await record(client, same, { operation: id, after })
    return answer
  } catch (error) {
    // The words of any other error may be about anything: they stay in the app's own log.
    const refused = error instanceof SagaError ? `${error.code}: ${error.what}` : 'it failed'
    await record(client, same, { operation: id, refused })
    throw error
  }
}

export interface OperationsQuery {
  readonly limit: number
  readonly since?: string
  readonly target?: string
  /** `next` of the page before. */
  readonly token?: string
}

export interface OperationsPage {
  /** The newest first. */
  readonly operations: readonly Entry[]
  readonly next?: string
  /** Whether the whole chain holds, beyond this page too. */
  readonly intact: boolean
}

export async function readOperations(client: Hub, query: OperationsQuery): Promise<OperationsPage> {
  const { entries, intact } = await readChain(client)
  const before = query.token === undefined ? Infinity : Number(query.token)
  const { since = '', target } = query
  const wanted = entries
    .filter((one) => one.seq < before && one.at >= since && (target === undefined || isAbout(one, target)))
    .toReversed()
  const page = wanted.slice(0, query.limit)
  const last = page.at(-1)
  return { operations: page, ...(last && wanted.length > page.length && { next: String(last.seq) }), intact }
}

/** A batch of a bulk command names its sagas in what came of it. */
const isAbout = ({ target, after }: Entry, id: string) =>
  target === id || (after !== undefined && JSON.stringify(after).includes(JSON.stringify(id)))

/** All of it: only the whole chain tells whether something is missing. A chunk that was handed on may be a moment on its way. */
async function readChain(client: Hub): Promise<{ entries: readonly Entry[]; intact: boolean }> {
  const { entityExists, entityState } = await client.readEntityState<unknown>(headOfLog)
  if (!entityExists) return { entries: [], intact: true }
  const end = head.parse(entityState)
  const numbers = Array.from({ length: end.chunks }, (_, number) => number)
  const chunks: (readonly Entry[])[] = []
  while (chunks.length < numbers.length)
    chunks.push(
      ...(await Promise.all(
        numbers.slice(chunks.length, chunks.length + 8).map((number) => readChunk(client, number)),
      )),
    )
  const entries = [...chunks.flat(), ...end.entries]
  return { entries, intact: isIntact(entries, end) }
}

/** Empty when it is not there after a while. */
async function readChunk(client: Hub, number: number): Promise<readonly Entry[]> {
  for (let left = 20; left > 0; left--) {
    const { entityState } = await client.readEntityState<unknown>(chunkAt(number))
    const read = z.array(entry).safeParse(entityState)
    if (read.success) return read.data
    await setTimeout(100)
  }
  return []
}
