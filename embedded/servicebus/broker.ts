// A broker that speaks the Service Bus dialect of AMQP 1.0, for the unmodified client libraries.
//
// Promises: what is acknowledged is on disk; kill -9 at any moment loses no message and no settlement that was acknowledged.
// Never: listens beyond this machine. Whoever connects must show a signature only when keys are configured.

import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { type Clock, newId } from '../clock.js'
import type { Reach } from '../crash-points.js'
import type { Log } from '../log.js'
import type { Store } from '../store/store.js'
import { brokerErrorOf, notAllowed, unauthorized } from './errors.js'
import { acceptSends, deliver, deliverSession, refuseLink, wantedSession } from './links.js'
import { answerManagement, answerTokenRequest } from './management.js'
import { Namespace } from './namespace.js'
import type { Queue } from './queue.js'
import {
  type AmqpSession,
  type Connection,
  createContainer,
  type IncomingLink,
  messages,
  type OutgoingLink,
  receiveBytes,
  writeTogether,
} from './rhea.js'
import { type AccessKeys, checkToken } from './tokens.js'

export interface BrokerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly reach: Reach
  readonly log: Log
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
  /** Shared access keys by name; without any, every token is welcome. */
  readonly keys?: AccessKeys
}

export interface Broker {
  readonly port: number
  readonly namespace: Namespace
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
  const { log } = options
  const namespace = new Namespace(options)
  const access = new Access(namespace, options)
  const connections = new Set<Connection>()

  const container = createContainer('dataverse-saga-broker')
  container.on('connection_open', ({ connection }) => {
    connections.add(connection)
    writeTogether(connection)
  })
  for (const event of ['connection_close', 'disconnected'] as const)
    container.on(event, ({ connection }) => {
      connections.delete(connection)
      access.lost(connection)
    })
  container.on('receiver_open', ({ receiver }) => openIncoming(receiver, access, log))
  container.on('sender_open', ({ sender }) => openOutgoing(sender, access, log))
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
  /** Also of those who have said nothing yet. */
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  return {
    port: portOf(server),
    namespace,
    async close() {
      server.close()
      for (const connection of connections)
        connection.close({ condition: 'amqp:connection:forced', description: 'The broker is shutting down.' })
      namespace.close()
      const deadline = setTimeout(() => sockets.forEach((socket) => socket.destroy()), 500)
      if (sockets.size > 0) await once(server, 'close')
      clearTimeout(deadline)
    },
  }
}

/** Finds entities for a connection that may use them. */
class Access {
  readonly namespace: Namespace
  readonly #keys: AccessKeys | undefined
  readonly #clock: Clock
  /** What ends the work of a connection's links. */
  readonly #stops = new WeakMap<Connection, Map<IncomingLink | OutgoingLink, () => void>>()
  /** Those that are listened to. */
  readonly #sessions = new WeakSet<AmqpSession>()
  /** Addresses for which a connection has shown a token. */
  readonly #allowed = new WeakMap<Connection, Set<string>>()

  constructor(namespace: Namespace, { keys, clock }: BrokerOptions) {
    this.namespace = namespace
    this.#keys = keys
    this.#clock = clock
  }

  /** Link events do not come for a connection that is lost, nor for a session that is closed. */
  whenLost(link: IncomingLink | OutgoingLink, closing: 'sender_close' | 'receiver_close', stop: () => void): void {
    const { connection, session } = link
    const stops = this.#stops.get(connection) ?? new Map<IncomingLink | OutgoingLink, () => void>()
    this.#stops.set(connection, stops.set(link, stop))
    link.on(closing, () => {
      stops.delete(link)
      stop()
    })
    // Once for all links of the session: a client may open many.
    if (this.#sessions.has(session)) return
    this.#sessions.add(session)
    session.on('session_close', () => {
      for (const [one, stopIt] of stops)
        if (one.session === session) {
          stops.delete(one)
          stopIt()
        }
    })
  }

  lost(connection: Connection): void {
    for (const stop of this.#stops.get(connection)?.values() ?? []) stop()
    this.#stops.delete(connection)
  }

  /** @throws BrokerError `amqp:not-found`, `amqp:unauthorized-access` */
  allow(connection: Connection, address: string, token: string): void {
    const { name } = this.namespace.at(address)
    if (!this.#keys) return
    checkToken(token, this.#keys, this.#clock.now())
    const known = this.#allowed.get(connection) ?? new Set()
    this.#allowed.set(connection, known.add(name))
  }

  /** @throws BrokerError `amqp:unauthorized-access` */
  check(connection: Connection, { name }: Queue): void {
    if (this.#keys && !this.#allowed.get(connection)?.has(name))
      throw unauthorized(`The connection has shown no token for '${name}'.`)
  }
}

/** The client has opened a link that it sends on. */
function openIncoming(link: IncomingLink, access: Access, log: Log): void {
  const { namespace } = access
  const address = link.target?.address ?? ''
  link.set_source(link.source ?? {})
  link.set_target(link.target ?? {})
  receiveBytes(link)
  try {
    if (address === '$cbs') {
      link.on('message', ({ message, delivery, connection }) => {
        delivery.accept()
        answerTokenRequest(messages.decode(message), connection, (entity, token) =>
          access.allow(connection, entity, token),
        )
      })
    } else if (address.endsWith('/$management')) {
      const path = address.slice(0, -'/$management'.length)
      access.check(link.connection, namespace.at(path))
      // Looked up for each request: the entity may have been removed and made anew.
      const place = {
        namespace,
        get queue() {
          return namespace.at(path)
        },
      }
      link.on('message', ({ message, delivery, connection }) => {
        delivery.accept()
        answerManagement(place, messages.decode(message), connection, newId).catch((error: unknown) =>
          log('error', 'broker', `An answer could not be sent: ${String(error)}`),
        )
      })
    } else {
      const queue = namespace.toSendTo(address)
      access.check(link.connection, queue)
      access.whenLost(link, 'receiver_close', acceptSends(link, queue, log, newId))
    }
  } catch (error) {
    refuseLink(link, brokerErrorOf(error))
  }
}

/** The client has opened a link that it receives on. */
function openOutgoing(link: OutgoingLink, access: Access, log: Log): void {
  const address = link.source?.address ?? ''
  link.set_source(link.source ?? {})
  link.set_target(link.target ?? {})
  // Answers go out on it; whoever answers finds it by its name.
  if (address === '$cbs' || address.endsWith('/$management')) return
  try {
    const queue = access.namespace.toReceiveFrom(address)
    access.check(link.connection, queue)
    const wanted = wantedSession(link)
    if (wanted === undefined && queue.sessions)
      throw notAllowed(`'${queue.name}' requires sessions; it is not possible to receive from it without one.`)
    const stop = wanted === undefined ? deliver(link, queue, log) : deliverSession(link, queue, log, wanted)
    access.whenLost(link, 'sender_close', stop)
  } catch (error) {
    refuseLink(link, brokerErrorOf(error))
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
