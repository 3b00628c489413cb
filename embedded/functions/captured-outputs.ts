// Outputs to services that are not here: blobs, queues, mails. What a function writes to them is kept as files, where it can be looked at.

import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TypedData } from './typed-data.js'
import type { Binding } from './worker.js'

/** The platform's own names of them, in lower case. */
const platformOutputs = new Set([
  'blob',
  'cosmosdb',
  'eventgrid',
  'eventhub',
  'kafka',
  'mysql',
  'queue',
  'rabbitmq',
  'sendgrid',
  'signalr',
  'sql',
  'table',
  'twiliosms',
  'webpubsub',
])

export const isCaptured = ({ type }: Binding) => platformOutputs.has(type.toLowerCase())

/** @param folder made when there is something to keep */
export function captureOutputs(folder: string) {
  return async (name: string, { type }: Binding, data: TypedData | null | undefined): Promise<void> => {
    const content = data?.bytes ?? data?.string ?? data?.json ?? data?.int?.toString() ?? data?.double?.toString()
    if (content === undefined) return
    await mkdir(join(folder, name), { recursive: true })
    await writeFile(join(folder, name, `${Date.now()}-${type}-${randomUUID()}`), content)
  }
}
