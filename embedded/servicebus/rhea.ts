// The narrow door to rhea: as much of it as the broker uses, with types of our own where rhea's say nothing or say `any`.
//
// Five things are done here around rhea rather than with it:
//   - Incoming messages are handed over as the bytes that came. Decoding and encoding again would lose numeric types.
//   - One disposition tells of all that were accepted in a row. rhea merges neighbours without comparing their outcomes, which tells a sender 'accepted'
//     of a refused message.
//   - A drain is answered even when no credit is left. rhea says nothing then, and the client closes its link.
//   - Frames of one turn of the event loop leave in one write. rhea makes a system call, and sets a timer anew, for each.
//   - A frame is written into memory from Buffer's pool. rhea has a kilobyte made and cleared for each, which the garbage collector then has to sweep.

import { createRequire } from 'node:module'
import type { Server, Socket } from 'node:net'

/** An AMQP value with its type, as rhea's codec makes it. */
export interface Typed {
  readonly value: unknown
  readonly descriptor?: { readonly value: unknown }
}

/** The codec functions that the broker uses; each `wrap…` gives a value its AMQP type. */
interface Types {
  readonly Reader: new (bytes: Buffer) => { position: number; read(): Typed }
  readonly Writer: new () => { write(value: unknown): void; toBuffer(): Uint8Array }
  readonly described_nc: (descriptor: unknown, value: unknown) => Typed
  readonly wrap: (value: unknown) => Typed
  readonly wrap_array: (items: readonly unknown[], typecode: number) => Typed
  readonly wrap_int: (value: number) => Typed
  readonly wrap_list: (items: readonly unknown[]) => Typed
  /** Beyond a number's precision as the eight bytes. */
  readonly wrap_long: (value: number | Buffer) => Typed
  readonly wrap_string: (value: string) => Typed
  readonly wrap_symbol: (value: string) => Typed
  readonly wrap_timestamp: (value: number) => Typed
  readonly wrap_ulong: (value: number) => Typed
  readonly wrap_uuid: (value: Buffer) => Typed
}

export interface Terminus {
  readonly address?: string
  /** A map, as the codec reads it. */
  readonly filter?: Readonly<Record<string, unknown>>
}

export interface Connection {
  readonly socket: Socket
  find_sender(matches: (link: OutgoingLink) => boolean): OutgoingLink | undefined
  close(error?: { condition: string; description: string }): void
  _write_frame(...frame: unknown[]): void
  /** Writes the frames that wait. */
  output(): void
  /** Has its links' flows looked at in the next tick. */
  _register(): void
  readonly transport: { has_writes_pending(): boolean }
}

export interface AmqpSession {
  readonly incoming: { on_transfer(frame: { performative: { message_format?: number } }, link: unknown): void }
  readonly outgoing: {
    next_delivery_id: number
    next_pending_delivery: number
    readonly deliveries: { by_id(id: number): { readonly link: unknown } | undefined }
    available(): number
  }
  output(frame: unknown): void
  on(event: string, handle: () => void): void
}

interface Link {
  readonly name: string
  readonly source: Terminus | undefined
  readonly target: Terminus | undefined
  readonly session: AmqpSession
  readonly connection: Connection
  readonly local: {
    attach: { snd_settle_mode?: number; rcv_settle_mode?: number; max_message_size?: number; properties?: unknown }
  }
  readonly remote: { readonly attach?: { readonly properties?: Readonly<Record<string, unknown>> } }
  readonly state: { local_open: boolean; open_requests: number }
  readonly snd_settle_mode: number
  readonly rcv_settle_mode: number
  set_source(source: unknown): void
  set_target(target: unknown): void
  open(): void
  close(error?: { condition: string; description: string }): void
  is_open(): boolean
  on(event: string, handle: (context: LinkContext) => void): void
}

/** The client sends on it, the broker receives. */
export interface IncomingLink extends Link {
  readonly kind?: 'incoming'
}

/** The broker sends on it, the client receives. */
export interface OutgoingLink extends Link {
  credit: number
  delivery_count: number
  _draining: boolean
  _drained: boolean
  _get_drain(): boolean
  set_drained(drained: boolean): void
  send(bytes: Buffer, tag: Buffer | undefined, format: number): Delivery
}

export interface Delivery {
  readonly id: number
  settled: boolean
  remote_settled: boolean
  state?: unknown
  readonly remote_state?: {
    readonly undeliverable_here?: boolean
    readonly message_annotations?: Readonly<Record<string, unknown>>
    readonly error?: { readonly info?: Readonly<Record<string, unknown>> }
  }
  readonly format?: number
  accept(): void
}

export interface LinkContext {
  readonly delivery: Delivery
  /** The bytes of the whole message. */
  readonly message: Buffer
  readonly connection: Connection
}

interface Container {
  on(event: 'receiver_open', handle: (context: { receiver: IncomingLink }) => void): void
  on(event: 'sender_open', handle: (context: { sender: OutgoingLink }) => void): void
  on(
    event: 'connection_open' | 'connection_close' | 'disconnected',
    handle: (context: { connection: Connection }) => void,
  ): void
  on(event: string, handle: () => void): void
  listen(options: object): Server
}

/** A message as the codec reads it; what is not there is absent or null. */
export interface Decoded {
  readonly message_id?: string | number | Buffer | null
  readonly correlation_id?: string | number | Buffer | null
  readonly content_type?: string | null
  readonly subject?: string | null
  readonly to?: string | null
  readonly reply_to?: string
  readonly reply_to_group_id?: string | null
  readonly group_id?: string | null
  /** Milliseconds. */
  readonly ttl?: number | null
  readonly message_annotations?: Readonly<Record<string, unknown>>
  readonly application_properties?: Readonly<Record<string, unknown>>
  /** A value, or the section that it stood in. */
  readonly body?: unknown
}

interface Messages {
  decode(bytes: Buffer): Decoded
  encode(message: object): Buffer
  accepted(): { described(): Typed }
  rejected(fields: object): { described(): Typed }
}

const load = createRequire(__filename)
// oxlint-disable typescript/no-unsafe-type-assertion -- what rhea does not type is typed by the interfaces above, here and nowhere else
const frames = load('rhea/lib/frames.js') as { disposition(fields: object): unknown }
// rhea exports an object whose methods it inherits: only what is required, not what is imported, has them.
const rhea = load('rhea') as { types: Types; message: Messages; create_container(options: object): Container }
// oxlint-enable typescript/no-unsafe-type-assertion

export const { types, message: messages } = rhea
const { Writer } = types
/** The size that rhea begins with; a longer frame gets more. */
const frameSize = 1024
const writerFromPool = function (this: object, buffer = Buffer.allocUnsafe(frameSize)): void {
  Reflect.apply(Writer, this, [buffer])
}
writerFromPool.prototype = Writer.prototype
Object.assign(types, { Writer: writerFromPool })

export const createContainer = (id: string) => rhea.create_container({ id })

/** Message format of one plain message, and of an envelope that holds several. */
export const batchFormat = 0x80013700
/** rhea decodes what has format 0; no sender uses this one. */
const plainFormat = 0xffffffff

/** From now on messages on this link's AMQP session come as bytes. */
export function receiveBytes({ session: { incoming } }: IncomingLink): void {
  const onTransfer = incoming.on_transfer.bind(incoming)
  incoming.on_transfer = (frame, link) => {
    if (frame.performative.message_format === 0) frame.performative.message_format = plainFormat
    onTransfer(frame, link)
  }
}

/** From now on frames wait for the end of the turn, and whatever comes is answered, with an empty frame if with nothing else. */
export function writeTogether(connection: Connection): void {
  const writeFrame = connection._write_frame.bind(connection)
  connection._write_frame = (...frame) => {
    tellOfRow(connection)
    writeFrame(...frame)
  }
  const write = connection.output.bind(connection)
  let isWaiting = false
  let isHeard = false
  connection.output = () => {
    if (isWaiting) return
    isWaiting = true
    setImmediate(() => {
      tellOfRow(connection)
      if (isHeard && !connection.transport.has_writes_pending()) connection._write_frame()
      isWaiting = false
      isHeard = false
      connection.socket.cork()
      write()
      connection.socket.uncork()
    })
  }
  connection.socket.on('data', () => {
    isHeard = true
    connection.output()
  })
}

/** How many more messages may be sent now. The link's own that wait for the next tick have not lowered its credit yet. */
export function freeCredit(link: OutgoingLink): number {
  const { outgoing } = link.session
  let waiting = 0
  for (let id = outgoing.next_pending_delivery; id < outgoing.next_delivery_id; id++)
    if (outgoing.deliveries.by_id(id)?.link === link) waiting += 1
  return Math.min(link.credit - waiting, outgoing.available())
}

/** Takes back that rhea answers an attach in the next tick; `open()` answers it later. */
export function holdBack({ state }: Link): void {
  if (!state.local_open) return
  state.local_open = false
  state.open_requests -= 1
}

/** Answers a drain also when there is no credit to give back. */
export function answerDrains(link: OutgoingLink): void {
  link._get_drain = () => {
    if (!(link._draining && link._drained)) return false
    link.delivery_count += link.credit
    link.credit = 0
    link._draining = false
    return true
  }
}

/** Where the client asked for a drain: that there is nothing more for its credit. */
export function tellDrained(link: OutgoingLink): void {
  if (!link._draining || !link.is_open()) return
  link.set_drained(true)
  link.connection._register()
}

/** Deliveries of one session that were accepted one after the other, which no frame has told of yet. */
interface Row {
  readonly session: AmqpSession
  readonly role: boolean
  readonly first: number
  last: number
}

/** They wait for the next frame of their connection, or the end of the turn. */
const rows = new WeakMap<Connection, Row>()

const accepted = messages.accepted().described()

function tellOfRow(connection: Connection): void {
  const row = rows.get(connection)
  if (!row) return
  rows.delete(connection)
  tell(row, accepted)
}

const tell = ({ session, role, first, last }: Row, state: Typed) =>
  session.output(frames.disposition({ role, first, last, settled: true, state }))

/** Settles one delivery for good. */
export function settle(
  { session, connection }: Link,
  delivery: Delivery,
  as: 'sender' | 'receiver',
  error?: { condition: string; message: string },
): void {
  const { id } = delivery
  const role = as === 'receiver'
  const state = error
    ? messages.rejected({ error: { condition: error.condition, description: error.message } }).described()
    : accepted
  // Settled on both sides at once: a slot of rhea's ring is freed only then, and the client never says settled itself.
  delivery.settled = true
  delivery.remote_settled = true
  delivery.state = state
  const alone: Row = { session, role, first: id, last: id }
  const before = rows.get(connection)
  if (error) tell(alone, state)
  else if (before?.session === session && before.role === role && before.last + 1 === id) before.last = id
  else {
    tellOfRow(connection)
    rows.set(connection, alone)
  }
  connection.output()
}
