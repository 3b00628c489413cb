// A broker that speaks the Service Bus dialect of AMQP 1.0, for the unmodified client libraries.
//
// Promises: what is acknowledged is on disk; kill -9 at any moment loses no message and no settlement that was acknowledged.
// Never: checks who connects. It listens on this machine, and takes every token.

import { once } from 'node:events'
import type { Server } from 'node:net'
import { type Clock, newId } from '../clock.js'
import type { Reach } from '../crash-points.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'
import { brokerErrorOf, entityNotFound, notAllowed } from './errors.js'
import { acceptSends, deliver, refuseLink } from './links.js'
import { answerManagement, answerTokenRequest } from './management.js'
import { openQueueTables, Queue, type QueueCounts, usualSettings } from './queue.js'
import {
  type Connection,
  createContainer,
  type IncomingLink,
  messages,
  type OutgoingLink,
  receiveBytes,
} from './rhea.js'

export interface BrokerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly reach: Reach
  readonly log: Log
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

export interface Broker {
  readonly port: number
  /** Declares a queue, unless it is known already. */
  declareQueue(name: string): void
  counts(): readonly QueueCounts[]
  /** Closes all connections and frees the port. The store stays open: it is the caller's. */
  close(): Promise<void>
}

const listening = {
  autoaccept: false,
  credit_window: 1_000,
  treat_modified_as_released: false,
  tcp_no_delay: true,
  noDelay: true,
  max_frame_size: 65_536,
  // Makes clients send heartbeats, so that a vanished one is noticed.
  idle_time_out: 240_000,
}

/** @throws the listener's error, for example EADDRINUSE */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { store, log } = options
  const tables = openQueueTables(store)
  const queues = new Map<string, Queue>()
  const connections = new Set<Connection>()

  /** An entity by its address: a name, or a whole URL; dead-letter queues by their suffix. Case does not matter. */
  function queueAt(address: string): Queue {
    const path = address
      .replace(/^\w+:\/\/[^/]*\//, '')
      .toLowerCase()
      .replace(/\/$/, '')
    const [, name = path, suffix] = /^(.*)\/(\$deadletterqueue)$/.exec(path) ?? []
    const queue = queues.get(name)
    const found = suffix ? queue?.deadLetters : queue
    if (!found) throw entityNotFound(address)
    return found
  }

  const container = createContainer('dataverse-saga-broker')
  container.on('connection_open', ({ connection }) => void connections.add(connection))
  for (const event of ['connection_close', 'disconnected'] as const)
    container.on(event, ({ connection }) => void connections.delete(connection))
  container.on('receiver_open', ({ receiver }) => openIncoming(receiver, queueAt, log))
  container.on('sender_open', ({ sender }) => openOutgoing(sender, queueAt, log))
  // Without a listener rhea takes a client's error for the process's own and ends it.
  for (const event of [
    'sender_error',
    'receiver_error',
    'session_error',
    'connection_error',
    'error',
    'protocol_error',
  ])
    container.on(event, () => undefined)

  const server = container.listen({ ...listening, host: options.host, port: options.port })
  await once(server, 'listening')

  return {
    port: portOf(server),
    declareQueue(name) {
      const key = name.toLowerCase()
      if (!queues.has(key)) queues.set(key, new Queue({ ...options, name: key, settings: usualSettings, tables }))
    },
    counts: () => [...queues.values()].map((queue) => queue.counts()),
    async close() {
      server.close()
      for (const connection of connections)
        connection.close({ condition: 'amqp:connection:forced', description: 'The broker is shutting down.' })
      for (const queue of queues.values()) queue.close()
      const deadline = setTimeout(() => connections.forEach(({ socket }) => socket.destroy()), 500)
      if (server.listening || connections.size > 0) await once(server, 'close')
      clearTimeout(deadline)
    },
  }
}

type FindQueue = (address: string) => Queue

/** The client has opened a link that it sends on. */
function openIncoming(link: IncomingLink, queueAt: FindQueue, log: Log): void {
  const address = link.target?.address ?? ''
  link.set_source(link.source ?? {})
  link.set_target(link.target ?? {})
  receiveBytes(link)
  try {
    if (address === '$cbs') {
      link.on('message', ({ message, delivery, connection }) => {
        delivery.accept()
        answerTokenRequest(messages.decode(message), connection, queueAt)
      })
    } else if (address.endsWith('/$management')) {
      const queue = queueAt(address.slice(0, -'/$management'.length))
      link.on('message', ({ message, delivery, connection }) => {
        delivery.accept()
        answerManagement(queue, messages.decode(message), connection, newId).catch((error: unknown) =>
          log('error', 'broker', `An answer could not be sent: ${String(error)}`),
        )
      })
    } else {
      const queue = queueAt(address)
      if (!queue.deadLetters) throw notAllowed('It is not possible to send messages to a dead-letter queue.')
      acceptSends(link, queue, log, newId)
    }
  } catch (error) {
    refuseLink(link, brokerErrorOf(error))
  }
}

/** The client has opened a link that it receives on. */
function openOutgoing(link: OutgoingLink, queueAt: FindQueue, log: Log): void {
  const address = link.source?.address ?? ''
  link.set_source(link.source ?? {})
  link.set_target(link.target ?? {})
  // Answers go out on it; whoever answers finds it by its name.
  if (address === '$cbs' || address.endsWith('/$management')) return
  try {
    const stop = deliver(link, queueAt(address), log)
    link.connection.socket.once('close', stop)
  } catch (error) {
    refuseLink(link, brokerErrorOf(error))
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
