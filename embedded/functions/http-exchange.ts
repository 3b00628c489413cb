// One HTTP request as a function gets it, and its answer as the client gets it.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RouteMatch } from './http-routes.js'
import type { CookieData, HttpData, TypedData } from './typed-data.js'

/** Bytes; the platform's own limit. */
const largestBody = 100 * 1024 * 1024

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
}

/** @throws BodyTooLarge */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue
    size += part.length
    if (size > largestBody) throw new BodyTooLarge(`The body has more than ${largestBody} bytes.`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

export function requestData(request: IncomingMessage, url: URL, { parameters }: RouteMatch, body: Buffer): TypedData {
  const query = [...new Set(url.searchParams.keys())].map(
    (name) => [name, url.searchParams.getAll(name).join(',')] as const,
  )
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const)
  const http: HttpData = {
    method: request.method ?? 'GET',
    url: url.href,
    nullableHeaders: nullable(headers),
    nullableQuery: nullable(query),
    nullableParams: nullable(Object.entries(parameters)),
    ...(body.length > 0 ? { body: { bytes: body } } : {}),
  }
  return { http }
}

const nullable = (entries: readonly (readonly [string, string])[]) =>
  Object.fromEntries(entries.map(([name, value]) => [name, { value }]))

/** A function that answers nothing answers 204. */
export function sendAnswer(response: ServerResponse, answer: TypedData | null | undefined): void {
  const http = answer?.http
  if (!http) {
    response.writeHead(204).end()
    return
  }
  const cookies = http.cookies ?? []
  if (cookies.length > 0) response.setHeader('set-cookie', cookies.map(cookieText))
  response.writeHead(Number(http.statusCode ?? 200), http.headers)
  response.end(bodyOf(http.body))
}

function bodyOf(body: TypedData | undefined): Buffer | string | undefined {
  if (body?.bytes) return Buffer.from(body.bytes)
  return body?.string ?? body?.json ?? undefined
}

function cookieText(cookie: CookieData): string {
  const { name, value, domain, path, expires, secure, httpOnly, sameSite, maxAge } = cookie
  return [
    `${name}=${value}`,
    domain && `Domain=${domain.value}`,
    path && `Path=${path.value}`,
    expires && `Expires=${new Date(expires.value.seconds * 1_000).toUTCString()}`,
    maxAge && `Max-Age=${maxAge.value}`,
    secure?.value && 'Secure',
    httpOnly?.value && 'HttpOnly',
    typeof sameSite === 'string' && sameSite !== 'none' && `SameSite=${sameSite[0]?.toUpperCase()}${sameSite.slice(1)}`,
  ]
    .filter(Boolean)
    .join('; ')
}
