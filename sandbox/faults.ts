// What a partner does wrong on purpose, switched over HTTP: PUT, POST, GET and DELETE /_faults.

import { z } from 'zod'

const fault = z.strictObject({
  when: z
    .strictObject({
      method: z.string().optional(),
      /** The beginning of the path. */
      path: z.string().optional(),
      /** A text that stands in the path, in the query or in the body. */
      contains: z.string().optional(),
    })
    .default({}),
  /** How often; for ever if absent. */
  times: z.number().int().positive().optional(),
  /** The part of matching requests that it meets, from 0 to 1; all if absent. What comes in one batch has one fortune: its answer is lost or it is not. */
  share: z.number().min(0).max(1).optional(),
  do: z.union([
    z.strictObject({
      status: z.number().int().min(400).max(599),
      retryAfter: z.number().int().min(0).optional(),
      /** Of the error in the body; Dataverse's limits have 0x80072322 (requests), 0x80072321 (time) and 0x80072326 (at once). */
      code: z.string().optional(),
    }),
    /** Cuts the connection, before or after the effect. */
    z.strictObject({ drop: z.enum(['before', 'after']) }),
    z.strictObject({ delayMs: z.number().int().positive() }),
    /** Does it, and answers what is no JSON. */
    z.strictObject({ garbage: z.literal(true) }),
    /** Does it, says that it is taken, and answers so many milliseconds later to the `callback` in the body. No fault of a partner that may. */
    z.strictObject({ later: z.number().int().min(0), by: z.enum(['callback', 'queue']).default('callback') }),
  ]),
})
const faults = z.array(fault)
export type Fault = z.infer<typeof fault>

/** What each fault has drawn, from 0 to 1. */
export type Lots = Map<Fault, number>

function drawn(lots: Lots, whose: Fault): number {
  const lot = lots.get(whose) ?? Math.random()
  lots.set(whose, lot)
  return lot
}

export class Faults {
  #list: { readonly fault: Fault; left: number }[] = []

  /** @throws ZodError that names the member */
  add(list: unknown): void {
    this.#list.push(...faults.parse(list).map((one) => ({ fault: one, left: one.times ?? Infinity })))
  }

  clear(): void {
    this.#list = []
  }

  /** Those that are not used up. */
  get left(): readonly Fault[] {
    return this.#list.map(({ fault: one, left }) => (left === Infinity ? one : { ...one, times: left }))
  }

  /**
   * The first fault that this request meets; it is used up by that.
   * @param lots of the exchange that it comes in: each fault draws once for all of it
   */
  meet(method: string, path: string, body: string, lots: Lots): Fault['do'] | undefined {
    const met = this.#list.find(
      ({ fault: one, fault: { when, share } }) =>
        (when.method === undefined || when.method === method) &&
        (when.path === undefined || path.startsWith(when.path)) &&
        (when.contains === undefined || path.includes(when.contains) || body.includes(when.contains)) &&
        (share === undefined || drawn(lots, one) < share),
    )
    if (!met) return undefined
    met.left -= 1
    this.#list = this.#list.filter(({ left }) => left > 0)
    return met.fault.do
  }
}
