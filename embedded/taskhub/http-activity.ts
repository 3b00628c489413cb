// What `callHttp` asks for: one HTTP request as an activity that the hub has itself; and whether its answer says to ask again later.

import { z } from 'zod'

/** Its name in histories, as on the platform. */
export const httpActivity = 'BuiltIn::HttpActivity'

export const httpRequest = z.object({
  method: z.string(),
  uri: z.string(),
  content: z.string().nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  tokenSource: z.unknown().optional(),
  asynchronousPatternEnabled: z.boolean().nullish(),
})
export type HttpRequest = z.infer<typeof httpRequest>

const httpAnswer = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.array(z.string())),
  content: z.string().nullish(),
})

/** Milliseconds, where a 202 does not say. */
const usualWait = 30_000

/** @param input JSON text of the request. Resolves with the answer as JSON text. Rejects when there is none. */
export async function callHttp(input: string | undefined): Promise<string> {
  const { method, uri, content, headers, tokenSource } = httpRequest.parse(JSON.parse(input ?? 'null'))
  if (tokenSource !== undefined && tokenSource !== null)
    throw new Error(
      'A token of a managed identity can not be had here; run the app on the platform, or send a token of your own.',
    )
  const response = await fetch(uri, {
    method,
    headers: headers ?? {},
    ...(content === undefined || content === null ? {} : { body: content }),
  })
  const told = [...response.headers].map(([name, value]) => [name, [value]])
  return JSON.stringify({
    statusCode: response.status,
    headers: Object.fromEntries(told),
    content: await response.text(),
  })
}

/** The request that asks how it stands, and after how many milliseconds; undefined when the answer is the last. */
export function pollAfter(
  request: HttpRequest,
  answer: string | null | undefined,
): { readonly wait: number; readonly request: HttpRequest } | undefined {
  const read = httpAnswer.safeParse(JSON.parse(answer ?? 'null'))
  if (!read.success || read.data.statusCode !== 202 || request.asynchronousPatternEnabled === false) return undefined
  const header = (wanted: string) =>
    Object.entries(read.data.headers).find(([name]) => name.toLowerCase() === wanted)?.[1][0]
  const location = header('location')
  if (location === undefined) return undefined
  const retryAfter = Number(header('retry-after'))
  const { 'x-functions-key': _, ...headers } = request.headers ?? {}
  return {
    wait: retryAfter > 0 ? retryAfter * 1_000 : usualWait,
    request: {
      method: 'GET',
      uri: new URL(location, request.uri).href,
      headers,
      asynchronousPatternEnabled: request.asynchronousPatternEnabled,
    },
  }
}
