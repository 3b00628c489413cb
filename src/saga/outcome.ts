// What is known after a partner was asked to do something, once.

/**
 * - `applied`: the partner has the effect.
 * - `refused`: the partner said no and holds nothing. Asking again changes nothing.
 * - `deferred`: surely not applied, worth another try.
 * - `inDoubt`: sent, and no answer that can be trusted. Neither 'applied' nor 'not applied' may be assumed.
 */
export type Outcome =
  | { readonly kind: 'applied'; readonly output: unknown }
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'deferred'
      readonly reason: string
      /** What the partner asked for. */
      readonly retryAfterMs?: number
      /** It was not even tried, since the partner is known to be down: that spends no attempt. */
      readonly parked?: true
    }
  | { readonly kind: 'inDoubt'; readonly reason: string }

export type OutcomeKind = Outcome['kind']

/** Reads an outcome back from a history, which an older version may have written. */
export function readOutcome(value: unknown): Outcome {
  if (typeof value === 'object' && value !== null && 'kind' in value) {
    if (value.kind === 'applied') return { kind: 'applied', output: 'output' in value ? value.output : undefined }
    const reason = 'reason' in value && typeof value.reason === 'string' ? value.reason : 'no reason was recorded'
    if (value.kind === 'refused' || value.kind === 'inDoubt') return { kind: value.kind, reason }
    if (value.kind === 'deferred') {
      const retryAfterMs =
        'retryAfterMs' in value && typeof value.retryAfterMs === 'number' ? value.retryAfterMs : undefined
      const parked = 'parked' in value && value.parked === true
      return {
        kind: 'deferred',
        reason,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(parked ? { parked } : {}),
      }
    }
  }
  return { kind: 'inDoubt', reason: 'the recorded answer can not be read' }
}
