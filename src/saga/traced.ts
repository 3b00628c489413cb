// What goes along with an ask so that its attempt can be told of in the trace of its saga.
//
// It is no part of what is asked: marks are made without it, and a saga whose start nobody traced has none.

export interface Traced {
  /** The W3C traceparent of what started the saga. */
  readonly trace: string
  readonly version: number
  /** When it was asked for, ISO 8601: the same in every replay, and when the activity runs again. */
  readonly at: string
}
