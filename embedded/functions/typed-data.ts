// The form in which host and programming model hand values to each other: the JSON of the platform's RPC protocol.

/** At most one member is set. Absent and null mean the same. */
export interface TypedData {
  readonly string?: string | null
  /** JSON text. */
  readonly json?: string | null
  readonly bytes?: Uint8Array | null
  readonly int?: number | null
  readonly double?: number | null
  readonly http?: HttpData | null
  readonly collectionString?: { readonly string: readonly string[] } | null
  readonly collectionBytes?: { readonly bytes: readonly Uint8Array[] } | null
}

export interface HttpData {
  readonly method?: string
  /** Absolute. */
  readonly url?: string
  readonly nullableHeaders?: Readonly<Record<string, { readonly value: string }>>
  readonly nullableQuery?: Readonly<Record<string, { readonly value: string }>>
  readonly nullableParams?: Readonly<Record<string, { readonly value: string }>>
  readonly body?: TypedData
  /** In a response only, as text. */
  readonly statusCode?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly cookies?: readonly CookieData[]
}

export interface CookieData {
  readonly name: string
  readonly value: string
  readonly domain?: { readonly value: string } | null
  readonly path?: { readonly value: string } | null
  readonly expires?: { readonly value: { readonly seconds: number } } | null
  readonly secure?: { readonly value: boolean } | null
  readonly httpOnly?: { readonly value: boolean } | null
  readonly sameSite?: string | number | null
  readonly maxAge?: { readonly value: number } | null
}

/**
 * A text as an input. The library reads each `string` as JSON if it can, and makes an error of each that is none, stack and all, only to drop it: what
 * can't be JSON is said to be a text at once.
 */
export const textData = (text: string): TypedData =>
  mayBeJson.test(text) ? { string: text } : { json: JSON.stringify(text) }

const mayBeJson = /^\s*(?:["[{]|true|false|null|-?\d[\d.eE+-]*\s*$)/

/** The JSON text that a function's result becomes; null for no result. */
export function jsonTextOf(data: TypedData | null | undefined): string | null {
  if (!data) return null
  if (typeof data.string === 'string') return JSON.stringify(data.string)
  if (typeof data.json === 'string') return data.json
  if (typeof data.int === 'number') return String(data.int)
  if (typeof data.double === 'number') return String(data.double)
  if (data.bytes) return JSON.stringify(Buffer.from(data.bytes).toString('base64'))
  return null
}
