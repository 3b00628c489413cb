// Moves what version 0.1.0 kept by the instance's id to where it is kept by its time of creation (tables.ts). A store that has nothing of that is left alone.
//
// Promises: an instance is moved in one commit. Who is killed on the way goes on with the rest.

import type { Store } from '../store/store.js'
import type { HubTables, InstanceRow } from './tables.js'

const perCommit = 1_000

export async function migrate(store: Store, tables: HubTables): Promise<void> {
  /** [instance] */
  const instances = store.table<InstanceRow>('hub.instances')
  /** [time of creation, instance] */
  const byCreation = store.table<true>('hub.byCreation')
  /** [instance, number]: an event */
  const history = store.table<string>('hub.history')
  for (;;) {
    const some = [...instances.entries({ limit: perCommit })]
    if (some.length === 0) return
    await store.commit((changes) => {
      for (const { key, value: row } of some) {
        const { id, createdAt } = row
        const events = [...history.entries({ prefix: [id] })]
        for (const event of events) changes.remove(history, event.key)
        changes.remove(byCreation, [createdAt, id])
        changes.remove(instances, key)
        if (events.length > 0)
          changes.put(tables.history, [createdAt, id, 0], events.map(({ value }) => value).join(','))
        changes.put(tables.creations, [id], createdAt)
        changes.put(tables.instances, [createdAt, id], row)
      }
    })
  }
}
