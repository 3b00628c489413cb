// Entities: small states with operations, one batch at a time each, that orchestrations call, signal and lock.
//
// Promises: a state, the requests that made it and the answers to them are one commit; requests of one sender are taken in their order; a locked entity
// hears only who holds its lock.

import type { Clock } from '../clock.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'
import { z } from 'zod'
import type { DurableCode } from './code.js'
import { eventOf, type HistoryEvent } from './history.js'
import { type Limit, limitOf } from './limit.js'
import { partsOf } from './planner.js'
import type { HubSettings } from './settings.js'
import type { EntityRequest, EntityState, HubTables } from './tables.js'
import { Writing } from './writing.js'

export interface EntitiesOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly code: DurableCode
  readonly tables: HubTables
  readonly settings: HubSettings
  nextLetter(): number
  /** Nothing begins by itself: somebody watches who kills the process. */
  isQuiet(): boolean
  /** Whether an orchestration, or one execution of it, has not ended. */
  isAlive(id: string, executionId?: string): boolean
  /** Hands an answer that is on disk to an orchestration. */
  deliver(id: string, event: HistoryEvent, letter: number, executionId: string): void
}

interface Answer {
  readonly to: { readonly id: string; readonly executionId: string }
  readonly event: HistoryEvent
  readonly letter: number
}

const outcome = z.object({
  results: z.array(z.object({ isError: z.boolean(), result: z.string().nullish() })),
  signals: z
    .array(
      z.object({
        target: z.object({ name: z.string(), key: z.string() }),
        name: z.string(),
        input: z.string().nullish(),
      }),
    )
    .default([]),
  entityExists: z.boolean(),
  entityState: z.string().nullish(),
})
type Outcome = z.infer<typeof outcome>

/** `@counter@one`: names without case, keys with. */
export const entityIdOf = (name: string, key: string) => `@${name.toLowerCase()}@${key}`

export class Entities {
  readonly #options: EntitiesOptions
  readonly #busy = new Map<string, Promise<void>>()
  /** By orchestration: the entities that it holds. */
  readonly #held = new Map<string, Set<string>>()
  readonly #limit: Limit
  #closed = false

  constructor(options: EntitiesOptions) {
    this.#options = options
    this.#limit = limitOf(options.settings.maxConcurrentEntityFunctions)
  }

  /** Takes up what was under way when the process ended. */
  async recover(): Promise<void> {
    for (const { key, value } of this.#options.tables.entities.entries())
      if (value.lockedBy !== undefined) this.#hold(value.lockedBy, String(key[0]))
    // The process can have ended between the end of a holder and the release.
    for (const id of this.#held.keys()) if (!this.#options.isAlive(id)) await this.releaseAllOf(id)
    for (const entity of this.asked()) this.kick(entity)
  }

  /** Those that something was asked of. */
  asked(): readonly string[] {
    return [...new Set([...this.#options.tables.entityInbox.entries()].map(({ key }) => String(key[0])))]
  }

  /** Nothing of what was asked of it is done; who called is told why. Locks stay as they are. */
  async refuse(entity: string, why: string): Promise<void> {
    const inbox = [...this.#options.tables.entityInbox.entries({ prefix: [entity] })]
    const asked = inbox.flatMap(({ key, value }) =>
      value.kind === 'operation' ? [{ number: Number(key[1]), request: value }] : [],
    )
    const answers = this.#answersTo(
      asked.map(({ request }) => request),
      () => ({ result: JSON.stringify(why), exceptionType: 'Error' }),
    )
    await this.#write((writing) => {
      for (const { number } of asked) writing.doneRequest(entity, number)
      for (const { to, event, letter } of answers) writing.event(to.id, letter, event, to.executionId)
    })
    for (const answer of answers) this.#tell(answer)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#busy.values())
  }

  /** JSON text; undefined for one that does not exist. */
  stateOf(entity: string): string | undefined {
    return this.#options.tables.entities.get([entity])?.state
  }

  /** Entities that exist, by id; of one name, if it is given. */
  *list(name: string | undefined): Generator<{ readonly entity: string; readonly state: EntityState }> {
    for (const { key, value } of this.#options.tables.entities.entries()) {
      const entity = String(key[0])
      if (value.state !== undefined && (name === undefined || partsOf(entity).name === name.toLowerCase()))
        yield { entity, state: value }
    }
  }

  /** Resolves when the signal is on disk. */
  async signal(entity: string, operation: string, input: string | null): Promise<void> {
    await this.#write((writing) =>
      writing.request(entity, this.#options.nextLetter(), { kind: 'operation', operation, input, isSignal: true }),
    )
    this.kick(entity)
  }

  /** An orchestration that has ended holds nothing any more. */
  async releaseAllOf(id: string): Promise<void> {
    const held = [...(this.#held.get(id) ?? [])]
    if (held.length === 0) return
    await this.#write((writing) => {
      for (const entity of held) writing.request(entity, this.#options.nextLetter(), { kind: 'release', parent: id })
    })
    for (const entity of held) this.kick(entity)
  }

  /** There may be something to do for it. */
  kick(entity: string): void {
    if (this.#closed || this.#options.isQuiet() || this.#busy.has(entity)) return
    const work = this.workOff(entity)
      .catch((error: unknown) => this.#options.log('error', entity, String(error)))
      .finally(() => this.#busy.delete(entity))
    this.#busy.set(entity, work)
  }

  /** Does all that was asked of one. */
  async workOff(entity: string): Promise<void> {
    while (!this.#closed) {
      const state = this.#options.tables.entities.get([entity]) ?? {}
      const eligible = [...this.#options.tables.entityInbox.entries({ prefix: [entity] })]
        .map(({ key, value }) => ({ number: Number(key[1]), request: value }))
        .filter(({ request }) => state.lockedBy === undefined || parentOf(request) === state.lockedBy)
      const [first] = eligible
      if (!first) return
      if (first.request.kind === 'lock') await this.#lock(entity, state, first.number, first.request)
      else if (first.request.kind === 'release') await this.#release(entity, state, first.number)
      else {
        const until = eligible.findIndex(({ request }) => request.kind !== 'operation')
        await this.#operate(
          entity,
          state,
          eligible.slice(0, Math.min(until < 0 ? Infinity : until, this.#options.settings.maxEntityOperationBatchSize)),
        )
      }
    }
  }

  /** Held by the orchestration from now on; then the next of its set is asked, and the last one answers. */
  async #lock(
    entity: string,
    state: EntityState,
    number: number,
    request: EntityRequest & { kind: 'lock' },
  ): Promise<void> {
    const { set, position, parent, id } = request
    // Who has ended while it stood in line would hold it for ever.
    if (!this.#options.isAlive(parent.id, parent.executionId))
      return this.#write((writing) => writing.doneRequest(entity, number))
    const next = set[position + 1]
    const answer = next === undefined ? this.#answer(parent, id, {}) : undefined
    await this.#write((writing) => {
      writing.entity(entity, { ...state, lockedBy: parent.id })
      writing.doneRequest(entity, number)
      if (next !== undefined) writing.request(next, this.#options.nextLetter(), { ...request, position: position + 1 })
      if (answer) writing.event(answer.to.id, answer.letter, answer.event, answer.to.executionId)
    })
    this.#hold(parent.id, entity)
    if (!this.#options.isAlive(parent.id, parent.executionId)) await this.releaseAllOf(parent.id)
    if (next !== undefined) this.kick(next)
    if (answer) this.#tell(answer)
  }

  async #release(entity: string, { lockedBy, ...state }: EntityState, number: number): Promise<void> {
    await this.#write((writing) => {
      writing.entity(entity, state)
      writing.doneRequest(entity, number)
    })
    if (lockedBy !== undefined) this.#held.get(lockedBy)?.delete(entity)
  }

  async #operate(
    entity: string,
    state: EntityState,
    batch: readonly { readonly number: number; readonly request: EntityRequest }[],
  ): Promise<void> {
    const operations = batch.flatMap(({ request }) => (request.kind === 'operation' ? [request] : []))
    const result = await this.#run(entity, state, operations)
    const answers = this.#answersTo(operations, (index) => {
      const { isError, result: text } = result.results[index] ?? {
        isError: true,
        result: '"the entity gave no result"',
      }
      return { result: text ?? 'null', ...(isError && { exceptionType: 'Error' }) }
    })
    const signalled = result.signals.map(({ target, name, input }) => ({
      target: entityIdOf(target.name, target.key),
      request: { kind: 'operation', operation: name, input: input ?? null, isSignal: true } as const,
    }))
    await this.#write((writing) => {
      const { state: _, ...rest } = state
      const updatedAt = this.#options.clock.now()
      writing.entity(entity, {
        ...rest,
        updatedAt,
        ...(result.entityExists && { state: result.entityState ?? 'null' }),
      })
      for (const { number } of batch) writing.doneRequest(entity, number)
      for (const { target, request } of signalled) writing.request(target, this.#options.nextLetter(), request)
      for (const { to, event, letter } of answers) writing.event(to.id, letter, event, to.executionId)
    })
    for (const answer of answers) this.#tell(answer)
    for (const { target } of signalled) this.kick(target)
  }

  /** Code that can't be run at all answers with an error, and leaves the state as it was. */
  async #run(
    entity: string,
    { state }: EntityState,
    operations: readonly (EntityRequest & { kind: 'operation' })[],
  ): Promise<Outcome> {
    const { name, key } = partsOf(entity)
    const payload = JSON.stringify({
      self: { name, key },
      exists: state !== undefined,
      state,
      batch: operations.map(({ operation, input, isSignal }) => ({ name: operation, input, isSignal })),
    })
    try {
      return outcome.parse(JSON.parse((await this.#limit(() => this.#options.code.runEntity(name, payload))) ?? 'null'))
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      this.#options.log('error', name, words)
      return {
        results: operations.map(() => ({ isError: true, result: JSON.stringify(words) })),
        signals: [],
        entityExists: state !== undefined,
        entityState: state,
      }
    }
  }

  /** Who only signals is not answered. */
  #answersTo(
    operations: readonly (EntityRequest & { kind: 'operation' })[],
    contentAt: (index: number) => object,
  ): Answer[] {
    return operations.flatMap(({ isSignal, parent, id }, index) =>
      isSignal || !parent || id === undefined ? [] : [this.#answer(parent, id, contentAt(index))],
    )
  }

  #answer(to: Answer['to'], id: string, content: object): Answer {
    const event = eventOf('EventRaised', this.#options.clock.now(), { Name: id, Input: JSON.stringify(content) })
    return { to, event, letter: this.#options.nextLetter() }
  }

  #tell({ to, event, letter }: Answer): void {
    this.#options.deliver(to.id, event, letter, to.executionId)
  }

  #hold(id: string, entity: string): void {
    this.#held.set(id, (this.#held.get(id) ?? new Set<string>()).add(entity))
  }

  async #write(write: (writing: Writing) => void): Promise<void> {
    const { store, tables } = this.#options
    await store.commit((changes) => write(new Writing(changes, tables)))
  }
}

const parentOf = (request: EntityRequest): string | undefined =>
  request.kind === 'release' ? request.parent : request.parent?.id
