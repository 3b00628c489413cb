// The one way to a partner: its connections, its credentials, its limits, and a breaker that opens when it is down.
//
// Promises: never more than the partner's limits allow. While the partner is down, or has asked everybody to wait, requests are parked without being
// sent, each with its own time to come back, so that they return at the partner's pace and not all at once.
// State of this process alone: a hint that spares a partner. What must survive are the saga's durable timers.

import {
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhenResult,
  isBrokenCircuitError,
} from 'cockatiel'
import PQueue from 'p-queue'
import { Agent } from 'undici'
import type { PartnerRequest } from '../saga/action.js'
import type { Partner } from '../saga/partner.js'
import {
  type Certificate,
  type Credentials,
  credentialsFor,
  type ReadSecret,
  type Shown,
  withoutSecrets,
} from './authentication.js'
import type { Reply } from './classify.js'
import { Batching } from './batching.js'
import { type Connection, send } from './http.js'
import { Traffic } from './traffic.js'

/** Milliseconds. A connection that takes longer has not been made: the request was not sent. */
const connectTimeout = 5_000
const usualAnswerWithin = 30_000
const usualLargestAnswer = 1024 * 1024
/** Milliseconds for which the breaker stays open before one request tries again: the first time, and at most when the partner stays down. */
const firstPause = 5_000
const longestPause = 60_000
/** Parked requests that come back in a second, if the partner has named no limit. */
const usualPace = 50
/** Milliseconds that a partner can ask everybody to wait for: longer, and a slip of its clock would close it for a day. */
const longestThrottling = 120_000

export class Gateway {
  readonly #partner: Partner
  readonly #address: string
  readonly #credentials: Credentials
  readonly #line: PQueue | undefined
  readonly #batching: Batching | undefined
  readonly #breaker: CircuitBreakerPolicy
  readonly #traffic = new Traffic()
  #connection: Connection | undefined
  #certificate: Certificate | undefined
  /** Times in milliseconds since 1970. */
  #downUntil = 0
  #throttledUntil = 0
  #lastRelease = 0

  constructor(partner: Partner, address: string, secret: ReadSecret) {
    const { concurrency = Infinity, perSecond = Infinity } = partner.limits ?? {}
    this.#partner = partner
    this.#address = address
    this.#credentials = credentialsFor(partner.authentication, address, secret)
    this.#line =
      partner.limits &&
      new PQueue({ concurrency, intervalCap: perSecond, interval: 1_000, strict: perSecond !== Infinity })
    const line = this.#line
    this.#batching =
      partner.batch &&
      line &&
      new Batching(
        partner.batch,
        (task) => line.add(task),
        (asked) => this.#try(asked, {}),
      )
    this.#breaker = circuitBreaker(handleWhenResult(isFailure), {
      // Half of the last twenty: a partner that loses an answer now and then is not down.
      breaker: new CountBreaker({ threshold: 0.5, size: 20, minimumNumberOfCalls: 10 }),
      halfOpenAfter: new DelegateBackoff(({ attempt }) => {
        const pause = Math.min(firstPause * 2 ** (attempt - 1), longestPause)
        this.#downUntil = Date.now() + pause
        return pause
      }),
    })
  }

  /** How the partner is, seen from here. */
  get board() {
    const { state } = this.#breaker
    return {
      breaker: state === CircuitState.Closed ? 'closed' : state === CircuitState.HalfOpen ? 'halfOpen' : 'open',
      inFlight: this.#traffic.inFlight,
      waiting: this.#line?.size ?? 0,
      rate: this.#traffic.rate,
    } as const
  }

  /** @param headers besides those that every request to this partner carries. */
  async ask(asked: PartnerRequest, headers: Record<string, string>): Promise<Reply> {
    if (this.#throttledUntil > Date.now()) return this.#park('has asked everybody to wait')
    if (this.#downUntil > Date.now()) return this.#park('is not to be reached')
    // A second's worth may stand in line; more would only hold activities up.
    if (this.#line && this.#line.size >= (this.#partner.limits?.perSecond ?? Infinity)) return this.#park('is busy')
    if (this.#batching?.fits(asked))
      return this.#heeding(await this.#batching.ask({ ...asked, headers: Object.assign({}, headers, asked.headers) }))
    return this.#line ? this.#line.add(() => this.#try(asked, headers)) : this.#try(asked, headers)
  }

  async #try(asked: PartnerRequest, headers: Record<string, string>): Promise<Reply> {
    try {
      return await this.#breaker.execute(() => this.#traffic.counting(() => this.#send(asked, headers)))
    } catch (error) {
      if (isBrokenCircuitError(error)) return this.#park('is not to be reached')
      throw error
    }
  }

  async #send(asked: PartnerRequest, headers: Record<string, string>): Promise<Reply> {
    let shown: Shown
    try {
      shown = await this.#credentials.current()
    } catch (error) {
      return { failed: `no credentials: ${error instanceof Error ? error.message : 'unknown'}`, sent: false }
    }
    const reply = await this.#sendAs(shown, asked, headers)
    if (!('status' in reply) || reply.status !== 401) return reply
    // Not let in, so nothing has begun: asked again at once if there is something else to show, which is how keys are rotated under running sagas.
    const other = await this.#credentials.insteadOf(shown).catch(() => shown)
    return other === shown ? reply : this.#sendAs(other, asked, headers)
  }

  async #sendAs(shown: Shown, asked: PartnerRequest, headers: Record<string, string>): Promise<Reply> {
    // Not a spread, after which V8 makes a hidden class for each object (docs/performance.md).
    const reply = await send(this.#connectionWith(shown.certificate), asked, Object.assign({}, shown.headers, headers))
    const isError = 'status' in reply && reply.status >= 400
    return this.#heeding(isError ? { ...reply, body: withoutSecrets(reply.body, shown) } : reply)
  }

  /** What the partner tells all of us. */
  #heeding(reply: Reply): Reply {
    if ('status' in reply && reply.status === 429 && reply.retryAfterMs !== undefined)
      this.#throttledUntil = Math.max(
        this.#throttledUntil,
        Date.now() + Math.min(reply.retryAfterMs, longestThrottling),
      )
    return reply
  }

  #connectionWith(certificate: Certificate | undefined): Connection {
    if (this.#connection && this.#certificate === certificate) return this.#connection
    // What is under way on the one before comes to its end.
    void this.#connection?.dispatcher.close()
    const { answerWithin = usualAnswerWithin, largestAnswer = usualLargestAnswer } = this.#partner.limits ?? {}
    const dispatcher = new Agent({
      connect: { timeout: connectTimeout, ...certificate },
      headersTimeout: answerWithin,
      bodyTimeout: answerWithin,
      // Shorter than common servers keep an idle connection, so that it is we who close it: a request sent into a closing one would be in doubt.
      keepAliveTimeout: 3_000,
    })
    this.#certificate = certificate
    this.#connection = { address: this.#address, dispatcher, answerWithin, largestAnswer }
    return this.#connection
  }

  /** One after the other, at the partner's pace, and not before it is expected back. */
  #park(why: string): Reply {
    const now = Date.now()
    const pace = this.#partner.limits?.perSecond ?? usualPace
    this.#lastRelease = Math.max(now, this.#downUntil, this.#throttledUntil, this.#lastRelease + 1_000 / pace)
    return { parked: `${this.#partner.name} ${why}`, retryAfterMs: Math.ceil(this.#lastRelease - now) }
  }
}

/** The partner did not answer, or not as one that works. */
function isFailure(reply: unknown): boolean {
  if (typeof reply !== 'object' || reply === null) return true
  return 'failed' in reply || ('status' in reply && typeof reply.status === 'number' && reply.status >= 500)
}
