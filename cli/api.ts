// The operators' HTTP API, as the command line asks it: with a key or a token from the environment, each answer read by the schema that the API is made of.

import type { z } from 'zod'
import { problem } from '../src/operators/schemas/problem.js'
import { exit, Failure } from './exit.js'

export class Api {
  readonly #root: URL
  readonly #headers: Readonly<Record<string, string>>

  /** @param environment FUNCTIONS_KEY: a function key; SAGA_TOKEN: a bearer token, where the app signs in with Entra ID */
  constructor(url: string, { FUNCTIONS_KEY: key, SAGA_TOKEN: token }: Readonly<Record<string, string | undefined>>) {
    if (!URL.canParse(url))
      throw new Failure(exit.usage, `'${url}' is no address; --url or SAGA_URL says where the app is.`)
    this.#root = new URL(`${url.replace(/\/+$/, '')}/api/`)
    this.#headers = { ...(key && { 'x-functions-key': key }), ...(token && { authorization: `Bearer ${token}` }) }
  }

  async get<Schema extends z.ZodType>(schema: Schema, path: string, query: Query = {}): Promise<z.output<Schema>> {
    return schema.parse(JSON.parse(await this.text(path, query)))
  }

  /** As it came. */
  async text(path: string, query: Query = {}): Promise<string> {
    return (await this.#send(path, query, {})).text()
  }

  async post<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    body: object,
    query: Query = {},
  ): Promise<z.output<Schema>> {
    const headers = { 'content-type': 'application/json' }
    const response = await this.#send(path, query, { method: 'POST', headers, body: JSON.stringify(body) })
    return schema.parse(JSON.parse((await response.text()) || '{}'))
  }

  async #send(path: string, query: Query, init: { method?: string; headers?: Record<string, string>; body?: string }) {
    const url = new URL(path, this.#root)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    const response = await fetch(url, { ...init, headers: { ...this.#headers, ...init.headers } }).catch(
      (error: unknown) => {
        throw new Failure(
          exit.unreachable,
          `${url.origin} can not be reached. --url or SAGA_URL says where the app is.`,
          error,
        )
      },
    )
    if (response.ok) return response
    throw failureOf(response.status, await response.text())
  }
}

export type Query = Readonly<Record<string, string | undefined>>

function failureOf(status: number, text: string): Failure {
  const told = problem.safeParse(parsed(text)).data
  const words = told ? `${told.code}: ${told.title} ${told.detail}` : `The API answered HTTP ${status}.`
  if (status === 401 || status === 403)
    return new Failure(exit.forbidden, `${words} FUNCTIONS_KEY holds the key, SAGA_TOKEN the token.`)
  if (status === 400) return new Failure(exit.usage, words)
  return new Failure(status >= 500 ? exit.unreachable : exit.no, words)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
