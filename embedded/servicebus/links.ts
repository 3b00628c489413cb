// What clients send on and receive from: one AMQP link to one queue each.

import type { Log } from '../log.js'
import { BrokerError, brokerErrorOf, notAllowed } from './errors.js'
import { composeDelivery } from './delivery.js'
import { type Arrival, readBatch, readMessage } from './message.js'
import type { Queue, Settlement } from './queue.js'
import {
  answerDrains,
  batchFormat,
  type Delivery,
  freeCredit,
  holdBack,
  type IncomingLink,
  type OutgoingLink,
  settle,
  tellDrained,
  types,
} from './rhea.js'
import type { Hold } from './sessions.js'

/** Attaches and detaches at once, with the reason. */
export function refuseLink(link: IncomingLink | OutgoingLink, { condition, message }: BrokerError): void {
  link.set_source({})
  link.set_target({})
  link.open()
  link.close({ condition, description: message })
}

/** The client sends on the link: each message is stored, then accepted. The caller stops it. */
export function acceptSends(link: IncomingLink, queue: Queue, log: Log, newMessageId: () => string): () => void {
  link.local.attach.max_message_size = queue.settings.maxMessageSize
  link.on('message', ({ message, delivery }) => {
    const read = (): Arrival[] =>
      (delivery.format === batchFormat ? readBatch(message) : [message]).map((one) => readMessage(one, newMessageId))
    void answer(link, delivery, 'receiver', log, () => queue.enqueue(read()))
  })
  return queue.onGone(() => link.close(entityGone))
}

/** The client receives on the link: messages flow while it gives credit. With a hold, those of one session. The caller stops it. */
export function deliver(link: OutgoingLink, queue: Queue, log: Log, hold?: Hold): () => void {
  link.local.attach.snd_settle_mode = link.snd_settle_mode
  link.local.attach.rcv_settle_mode = link.rcv_settle_mode
  answerDrains(link)
  const flow = link.snd_settle_mode === 1 ? handOver : handOut
  let isAnswered = false
  const pump = () => {
    if (isAnswered) flow(link, queue, log, hold)
  }
  const stopListening = queue.onReady(pump)
  const stopMourning = queue.onGone(() => link.close(entityGone))
  const onFlow = () => {
    if (!isAnswered) return
    pump()
    if (!handingOver.has(link)) tellDrained(link)
  }
  link.on('sender_flow', onFlow)
  // Some clients give credit together with the attach. rhea would send a message before the answer to it: that is out in the next turn.
  setImmediate(() => {
    isAnswered = true
    if (link.credit > 0 || link._draining) onFlow()
  })
  // There is room in rhea's ring again.
  link.on('sendable', () => {
    if (!link._draining) pump()
  })
  for (const [event, read] of Object.entries(settlements))
    link.on(event, ({ delivery }) => {
      const token = tokens.get(delivery)
      if (delivery.settled || !token) return
      void answer(link, delivery, 'sender', log, () => queue.settle(token, read(delivery)))
    })
  return () => {
    stopListening()
    stopMourning()
    if (hold) void queue.releaseSession(hold, false)
  }
}

/** Clients come again at once, and learn what is there now. */
const entityGone = { condition: 'amqp:link:detach-forced', description: 'The messaging entity was removed.' }

/** .NET counts in tenths of a microsecond since the year 1. */
const ticksOf = (ms: number): Buffer => {
  const ticks = Buffer.alloc(8)
  ticks.writeBigInt64BE(BigInt(ms) * 10_000n + 621_355_968_000_000_000n)
  return ticks
}

/**
 * The client receives the messages of one session: the one it names, or the next that has any. The attach is answered when the session is held, or when
 * there was none in time.
 */
export function deliverSession(link: OutgoingLink, queue: Queue, log: Log, wanted: string | null): () => void {
  const { sessions } = queue
  if (!sessions) throw notAllowed(`'${queue.name}' does not require sessions; receive without one.`)
  const onLost = () =>
    link.close({ condition: 'com.microsoft:session-lock-lost', description: 'The session lock has expired.' })
  let stop: () => void = nothing
  const begin = (hold: Hold) => {
    link.set_source({ address: link.source?.address, filter: { [sessionFilter]: hold.session } })
    link.local.attach.properties = { 'com.microsoft:locked-until-utc': types.wrap_long(ticksOf(hold.until)) }
    stop = deliver(link, queue, log, hold)
  }
  holdBack(link)
  const tell = (taken: Hold | BrokerError) => {
    if (taken instanceof BrokerError) return refuseLink(link, taken)
    begin(taken)
    link.open()
  }
  const patience = Number(link.remote.attach?.properties?.['com.microsoft:timeout'] ?? usualPatience)
  const cancel = wanted === null ? sessions.acceptNext(patience, onLost, tell) : sessions.accept(wanted, onLost, tell)
  // Unless it was told at once, and there is something else to stop.
  if (stop === nothing) stop = cancel
  return () => stop()
}

const nothing = () => undefined

/** Milliseconds that who wants the next session waits, if it does not say. */
const usualPatience = 65_000

/** Absent on a link without sessions; null asks for the next session. */
export function wantedSession({ source }: OutgoingLink): string | null | undefined {
  const filter = source?.filter
  if (!filter || !(sessionFilter in filter)) return undefined
  const wanted = filter[sessionFilter]
  return typeof wanted === 'string' ? wanted : null
}

const sessionFilter = 'com.microsoft:session-filter'

/** The lock tokens of what was handed out on a link. */
const tokens = new WeakMap<Delivery, Buffer>()

function handOut(link: OutgoingLink, queue: Queue, _: Log, hold: Hold | undefined): void {
  for (let credit = freeCredit(link); link.is_open() && credit > 0; credit--) {
    const handout = queue.handOut(hold)
    if (!handout) return
    const delivery = link.send(composeDelivery(handout.bytes, handout.envelope), tagOf(handout.token), 0)
    tokens.set(delivery, handout.token)
  }
}

function handOver(link: OutgoingLink, queue: Queue, log: Log, hold: Hold | undefined): void {
  handOverAll(link, queue, hold).catch((error: unknown) =>
    log('error', 'broker', `A message of '${queue.name}' could not be handed over: ${String(error)}`),
  )
}

/** Links with a hand-over under way: a second one would spend the same credit. */
const handingOver = new WeakSet<OutgoingLink>()

async function handOverAll(link: OutgoingLink, queue: Queue, hold: Hold | undefined): Promise<void> {
  if (handingOver.has(link)) return
  handingOver.add(link)
  try {
    for (let credit = freeCredit(link); link.is_open() && credit > 0; credit = freeCredit(link)) {
      const handovers = await queue.handOver(credit, hold)
      if (handovers.length === 0) return
      // A transfer after the detach would be the end of the client's connection. What was taken out is lost, as who receives so accepts.
      if (!link.is_open()) return
      for (const { bytes, envelope } of handovers)
        link.send(composeDelivery(bytes, envelope), undefined, 0).settled = true
    }
  } finally {
    handingOver.delete(link)
    // Not before: what is out of the queue has the credit that a drain asks back, and a client that was told that it is drained looks no more.
    tellDrained(link)
  }
}

/** How each outcome that a client can send reads. */
const settlements: Readonly<Record<string, (delivery: Delivery) => Settlement>> = {
  accepted: () => ({ kind: 'complete' }),
  released: () => ({ kind: 'abandon', properties: {} }),
  modified: ({ remote_state: state }) => ({
    kind: state?.undeliverable_here ? 'defer' : 'abandon',
    properties: state?.message_annotations ?? {},
  }),
  rejected: ({ remote_state: state }) => {
    const {
      DeadLetterReason: reason,
      DeadLetterErrorDescription: description,
      ...properties
    } = state?.error?.info ?? {}
    return {
      kind: 'deadLetter',
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(typeof description === 'string' ? { description } : {}),
      properties,
    }
  },
}

/** Settles the delivery with what becomes of the work: accepted, or rejected with the reason. */
async function answer(
  link: IncomingLink | OutgoingLink,
  delivery: Delivery,
  role: 'sender' | 'receiver',
  log: Log,
  work: () => Promise<unknown>,
): Promise<void> {
  let refusal: BrokerError | undefined
  try {
    await work()
  } catch (error) {
    refusal = brokerErrorOf(error)
    if (refusal.condition === 'amqp:internal-error') log('error', 'broker', refusal.message)
  }
  if (link.is_open()) settle(link, delivery, role, refusal)
}

/** Where each byte of a .NET Guid stands in a uuid of the usual order. */
const guidOrder = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]

/** A delivery tag is the lock token in the byte order of .NET's Guid. */
function tagOf(token: Buffer): Buffer {
  const tag = Buffer.allocUnsafe(16)
  guidOrder.forEach((from, at) => tag.writeUInt8(token.readUInt8(from), at))
  return tag
}
