// The doors of a running `npm start`, as anybody outside has them: the status API, the queue, and the sandbox.

import { setTimeout } from 'node:timers/promises'
import { ServiceBusClient, type ServiceBusSender } from '@azure/service-bus'
import { z } from 'zod'
import type { Ledgers } from './compare-ledgers.js'
import { accountUpdated, contactCreated, type DataverseMessage, type NewContact } from '../sandbox/dataverse-message.js'

export interface Addresses {
  readonly app: string
  readonly amqpPort: number
  readonly dataverse: string
  readonly masterData: string
  readonly erp: string
  readonly vault: string
}

const saga = z.looseObject({
  id: z.string(),
  rowId: z.string(),
  phase: z.string(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  steps: z.array(z.looseObject({ name: z.string(), attempts: z.number(), undo: z.unknown().optional() })),
})
export type Saga = z.infer<typeof saga>
const page = z.object({ sagas: z.array(saga), next: z.string().optional() })

const entries = z.object({
  entries: z.array(
    z.object({
      seq: z.number(),
      effect: z.string(),
      subject: z.string(),
      key: z.string().nullable(),
      detail: z.record(z.string(), z.unknown()),
    }),
  ),
})

/** Of the embedded broker, which asks for no key. */
export const connectionStringAt = (amqpPort: number) =>
  `Endpoint=sb://127.0.0.1:${amqpPort};SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=local;UseDevelopmentEmulator=true`

export const hasEnded = ({ phase }: Saga) => phase === 'completed' || phase === 'compensated'

export class Installation {
  readonly at: Addresses
  readonly client: ServiceBusClient
  readonly #sender: ServiceBusSender

  constructor(at: Addresses) {
    this.at = at
    this.client = new ServiceBusClient(connectionStringAt(at.amqpPort), {
      retryOptions: { maxRetries: 20, retryDelayInMs: 200, timeoutInMs: 3_000 },
    })
    this.#sender = this.client.createSender('dataverse-events')
  }

  /** Whether the app answers that it is well. */
  async isHealthy(): Promise<boolean> {
    try {
      return (await fetch(`${this.at.app}/api/health`)).ok
    } catch {
      return false
    }
  }

  /** Creates the row in the sandbox's Dataverse; the message about it is the caller's to send. */
  async createContact({ rowId, firstName, lastName, email }: NewContact): Promise<DataverseMessage> {
    const contact = { rowId, firstName, lastName, email }
    await post(`${this.at.dataverse}/api/data/v9.2/contacts`, {
      contactid: rowId,
      firstname: firstName,
      lastname: lastName,
      emailaddress1: email ?? null,
    })
    return contactCreated(contact)
  }

  /** Creates an account in the sandbox's Dataverse; the message is about an update of it. */
  async createAccount(rowId: string, values: Readonly<Record<string, unknown>>): Promise<DataverseMessage> {
    await post(`${this.at.dataverse}/api/data/v9.2/accounts`, { accountid: rowId, ...values })
    return accountUpdated(rowId, values)
  }

  async addFaults(partner: 'dataverse' | 'masterData' | 'erp', faults: readonly object[]): Promise<void> {
    await post(`${this.at[partner]}/_faults`, faults)
  }

  async send(message: DataverseMessage | { readonly body: Buffer }): Promise<void> {
    await this.#sender.sendMessages(message)
  }

  /** All sagas that began at or after a time, ISO 8601. */
  async sagas(since: string): Promise<Saga[]> {
    const found: Saga[] = []
    let token: string | undefined
    do {
      const query = new URLSearchParams({ limit: '500', since, ...(token === undefined ? {} : { token }) })
      const read = page.parse(await getJson(`${this.at.app}/api/sagas?${query.toString()}`))
      found.push(...read.sagas)
      token = read.next
    } while (token !== undefined)
    return found
  }

  async ledgers(): Promise<Ledgers> {
    const { dataverse, masterData, erp } = this.at
    return { dataverse: await entriesOf(dataverse), masterData: await entriesOf(masterData), erp: await entriesOf(erp) }
  }

  close(): Promise<void> {
    return this.client.close()
  }
}

/** Asks again and again until the answer is there. @throws Error after so many seconds */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false>,
  { seconds = 60, everyMs = 50 } = {},
): Promise<Answer> {
  const deadline = Date.now() + seconds * 1_000
  while (Date.now() < deadline) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await setTimeout(everyMs)
  }
  throw new Error(`Not within ${seconds} seconds: ${what}.`)
}

const entriesOf = async (url: string) => entries.parse(await getJson(`${url}/_ledger`)).entries

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
}
