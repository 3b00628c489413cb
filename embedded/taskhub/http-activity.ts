// What `callHttp` asks for: one HTTP request as an activity that the hub has itself; and whether its answer says to ask again later.

import { z } from 'zod'

/** Its name in histories, as on the platform. */
export const httpActivity = 'BuiltIn::HttpActivity'

export const httpRequest = z.object({
  method: z.string(),
  uri: z.string(),
  content: z.string().nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  tokenSource: z.object({ resource: z.string() }).nullish(),
  asynchronousPatternEnabled: z.boolean().nullish(),
})
export type HttpRequest = z.infer<typeof httpRequest>

const httpAnswer = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.array(z.string())),
  content: z.string().nullish(),
})

/** A bearer token of the identity that the process runs as, for a resource such as `https://management.azure.com`. */
export type TokenFor = (resource: string) => Promise<string>

/** @param input JSON text of the request. Resolves with the answer as JSON text. Rejects when there is none. */
export async function callHttp(input: string | undefined, tokenFor: TokenFor): Promise<string> {
  const { method, uri, content, headers, tokenSource } = httpRequest.parse(JSON.parse(input ?? 'null'))
  const authorization = tokenSource ? { authorization: `Bearer ${await tokenFor(tokenSource.resource)}` } : {}
  const response = await fetch(uri, {
    method,
    headers: { ...headers, ...authorization },
    ...(content === undefined || content === null ? {} : { body: content }),
  })
  const told = [...response.headers].map(([name, value]) => [name, [value]])
  return JSON.stringify({
    statusCode: response.status,
    headers: Object.fromEntries(told),
    content: await response.text(),
  })
}

/**
 * The request that asks how it stands, and after how many milliseconds; undefined when the answer is the last.
 * @param usualWait where the answer does not say
 */
export function pollAfter(
  request: HttpRequest,
  answer: string | null | undefined,
  usualWait: number,
): { readonly wait: number; readonly request: HttpRequest } | undefined {
  const read = httpAnswer.safeParse(JSON.parse(answer ?? 'null'))
  if (!read.success || read.data.statusCode !== 202 || request.asynchronousPatternEnabled === false) return undefined
  const header = (wanted: string) =>
    Object.entries(read.data.headers).find(([name]) => name.toLowerCase() === wanted)?.[1][0]
  const location = header('location')
  if (location === undefined) return undefined
  const retryAfter = Number(header('retry-after'))
  const uri = new URL(location, request.uri)
  // A key is for the one that was called, and nothing secret goes to another origin.
  const isElsewhere = uri.origin !== new URL(request.uri).origin
  const headers = Object.fromEntries(
    Object.entries(request.headers ?? {}).filter(
      ([name]) => !/^x-functions-key$/i.test(name) && !(isElsewhere && /^(authorization|cookie)$/i.test(name)),
    ),
  )
  return {
    wait: retryAfter > 0 ? retryAfter * 1_000 : usualWait,
    request: {
      method: 'GET',
      uri: uri.href,
      headers,
      tokenSource: isElsewhere ? undefined : request.tokenSource,
      asynchronousPatternEnabled: request.asynchronousPatternEnabled,
    },
  }
}
