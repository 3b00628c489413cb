// What an entity is: the properties that the service knows, with the service's own defaults. Times are milliseconds.

export interface QueueSettings {
  readonly lockDuration: number
  readonly maxDeliveryCount: number
  /** Bytes of one message, or of one batch. */
  readonly maxMessageSize: number
  /** The longest that a message lives, whatever it says of itself; for ever if absent. */
  readonly timeToLive?: number
  /** Whether what has expired goes to the dead-letter queue; otherwise it is dropped. */
  readonly deadLetterExpired: boolean
  readonly requiresSession: boolean
  /** For how long message ids are remembered; a message that comes again is taken and dropped. Not at all if absent. */
  readonly duplicateWindow?: number
  /** The queue or topic that takes what arrives here. */
  readonly forwardTo?: string
  readonly forwardDeadLettersTo?: string
}

export const usualSettings: QueueSettings = {
  lockDuration: 60_000,
  maxDeliveryCount: 10,
  maxMessageSize: 262_144,
  deadLetterExpired: false,
  requiresSession: false,
}

export type Filter =
  | { readonly kind: 'true' }
  | { readonly kind: 'false' }
  | { readonly kind: 'sql'; readonly expression: string }
  | { readonly kind: 'correlation'; readonly fields: CorrelationFields; readonly properties: Properties }

/** A message must have all that are given. */
export interface CorrelationFields {
  readonly correlationId?: string
  readonly messageId?: string
  readonly to?: string
  readonly replyTo?: string
  readonly label?: string
  readonly sessionId?: string
  readonly replyToSessionId?: string
  readonly contentType?: string
}

export type Properties = Readonly<Record<string, unknown>>

export interface Rule {
  readonly name: string
  readonly filter: Filter
  /** In SQL: what is changed in the copy that this rule makes. */
  readonly action?: string
}

/** What a subscription has before anybody says otherwise. */
export const defaultRule: Rule = { name: '$Default', filter: { kind: 'true' } }

/** An entity as it is declared. Names keep their spelling; they are compared without case. */
export type EntityDefinition =
  | { readonly kind: 'queue'; readonly name: string; readonly settings: QueueSettings }
  | { readonly kind: 'topic'; readonly name: string; readonly settings: QueueSettings }
  | {
      readonly kind: 'subscription'
      readonly topic: string
      readonly name: string
      readonly settings: QueueSettings
      /** As it begins; rules are added and removed while it lives. */
      readonly rules: readonly Rule[]
    }
