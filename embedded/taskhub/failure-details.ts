// What an app that registers a provider of exception properties packs into the message of an activity's error, as histories carry it.

import { z } from 'zod'

export interface FailureDetails {
  readonly ErrorType: string
  readonly ErrorMessage: string
  readonly StackTrace: string | null
  readonly IsNonRetriable: boolean
  readonly Properties: Readonly<Record<string, unknown>> | null
  readonly InnerFailure: null
}

const packed = z.object({
  errorType: z.string(),
  errorMessage: z.string(),
  isNonRetriable: z.boolean(),
  properties: z.record(z.string(), z.unknown()).nullish(),
  stackTrace: z.string().nullish(),
})

/** Undefined for the words of an ordinary error. */
export function packedFailure(words: string): FailureDetails | undefined {
  if (!words.startsWith('{"errorType":')) return undefined
  try {
    const { errorType, errorMessage, stackTrace, isNonRetriable, properties } = packed.parse(JSON.parse(words))
    return {
      ErrorType: errorType,
      ErrorMessage: errorMessage,
      StackTrace: stackTrace ?? null,
      IsNonRetriable: isNonRetriable,
      Properties: properties ?? null,
      InnerFailure: null,
    }
  } catch {
    return undefined
  }
}
