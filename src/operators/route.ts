// One endpoint as data: what may be asked, by whom, and what is answered. Handlers are typed by it, requests are read by it, openapi.json is made of it.

import type { z } from 'zod'
import type { Access, Caller } from './access.js'

export interface Route {
  readonly method: 'GET' | 'POST'
  /** Below /api, with `{name}` for what `params` reads. */
  readonly path: string
  readonly access: Access
  readonly summary: string
  readonly params?: z.ZodObject
  readonly query?: z.ZodObject
  /** JSON, or bytes as they come. */
  readonly body?: z.ZodType | 'bytes'
  /** JSON, of a name in the registry of documents. */
  readonly answer: z.ZodType
  /** Of success; 200 alone if absent. */
  readonly statuses?: readonly number[]
  /** The answer is a stream of events of this name, each of which holds one `answer`. */
  readonly streams?: string
}

type Read<Part> = Part extends z.ZodType ? z.output<Part> : Part extends 'bytes' ? Uint8Array : undefined
type PartOf<Of, Name extends PropertyKey> = Of extends { readonly [N in Name]: infer Part } ? Part : undefined

/** What a handler gets: everything is read already. */
export interface Asked<Of> {
  readonly params: Read<PartOf<Of, 'params'>>
  readonly query: Read<PartOf<Of, 'query'>>
  readonly body: Read<PartOf<Of, 'body'>>
  readonly caller: Caller
}

type Readonlys<Value> = Value extends (infer Item)[]
  ? readonly Readonlys<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Readonlys<Value[Name]> }
    : Value

/** One answer, as the route declares it. */
export type Told<Of> = Of extends { readonly answer: infer Document extends z.ZodType }
  ? Readonlys<z.output<Document>>
  : never

/** An answer under another status than the first of the route. */
export class Reply<Body> {
  readonly status: number
  readonly body: Body

  constructor(status: number, body: Body) {
    this.status = status
    this.body = body
  }
}

/** A stream may also tell that it is alive. */
export const heartbeat = Symbol('heartbeat')

export type Answer<Of> = Of extends { readonly streams: string }
  ? AsyncIterable<Told<Of> | typeof heartbeat>
  : Told<Of> | Reply<Told<Of>>
