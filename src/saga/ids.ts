// Ids, branded so that one kind can't be passed for another. This is the only place that makes them.

import type { DataverseEvent } from './event.js'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type InstanceId = Branded<'InstanceId'>
export type IdempotencyKey = Branded<'IdempotencyKey'>

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a brand is given here and nowhere else
const instanceId = (text: string) => text as InstanceId
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
const idempotencyKey = (text: string) => text as IdempotencyKey

/** Instance ids are at most this long on every durable backend. */
export const longestInstanceId = 100

/**
 * Names the one instance of a saga that handles an event; a redelivery or a second posting of the event gets the same name.
 * It begins with saga, table and row, so that instances can be found by prefix.
 */
export function instanceIdOf(saga: string, event: DataverseEvent): InstanceId {
  return instanceId(`${saga}:${event.table}:${event.rowId}:${event.id}`)
}

/** How long the ids of a saga on a table become: a row id has 36 characters, an event id 20. */
export const instanceIdLength = (saga: string, table: string) => saga.length + table.length + 36 + 20 + 3

/** The key that a partner sees in every attempt of one step; its undo has a key of its own, and so has each edition of its input. */
export function keyOf(instance: InstanceId, step: string, what: 'do' | 'undo', edition = 1): IdempotencyKey {
  const asked = edition === 1 ? `${instance}:${step}` : `${instance}:${step}~${edition}`
  return idempotencyKey(what === 'do' ? asked : `${asked}:undo`)
}

/** Which call a key belongs to; undefined for a text that is no key of a call forward. */
export function readKey(text: string): { instance: InstanceId; step: string; edition: number } | undefined {
  const [, id = '', step = '', edition = '1'] = /^((?:[^:]+:){3}[^:]+):([^:~]+)(?:~(\d{1,6}))?$/.exec(text) ?? []
  return isInstanceId(id) ? { instance: id, step, edition: Number(edition) } : undefined
}

/** What an instance id is made of. */
export function partsOf(instance: InstanceId): {
  readonly saga: string
  readonly table: string
  readonly rowId: string
} {
  const [saga = '', table = '', rowId = ''] = instance.split(':')
  return { saga, table, rowId }
}

/** The instance that a key, of whichever call, belongs to. */
export const instanceOf = (key: IdempotencyKey): InstanceId => instanceId(key.split(':').slice(0, 4).join(':'))

/** Brands the id that the platform gives an instance. */
export const readInstanceId = instanceId

/** Whether a text from outside has the form of an instance id; anything else must not become part of a URL. */
export const isInstanceId = (text: string): text is InstanceId => /^[\w-]+:\w+:[0-9a-f-]{36}:[0-9a-f]{20}$/.test(text)
