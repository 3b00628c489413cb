// What the broker says no with: the service's own conditions and words, because clients decide by them.
//
// Never: an empty description. Clients take an error without one for no error at all.

export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  /** AMQP error condition, for example `com.microsoft:message-lock-lost`. */
  readonly condition: string
  /** As an HTTP status, for answers on `$management` and `$cbs`. */
  readonly status: number

  constructor(condition: string, status: number, description: string) {
    super(description)
    this.condition = condition
    this.status = status
  }
}

export const entityNotFound = (address: string) =>
  new BrokerError('amqp:not-found', 404, `The messaging entity 'sb://localhost/${address}' could not be found.`)

export const lockLost = () =>
  new BrokerError(
    'com.microsoft:message-lock-lost',
    410,
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.',
  )

export const messageNotFound = (sequence: number) =>
  new BrokerError(
    'com.microsoft:message-not-found',
    404,
    `The message with sequence number ${sequence} could not be found, or it is locked.`,
  )

export const messageTooLarge = (size: number, limit: number) =>
  new BrokerError(
    'amqp:link:message-size-exceeded',
    400,
    `The received message (size: ${size} bytes) exceeds the limit (${limit} bytes) currently allowed on the link.`,
  )

export const idTooLong = (limit: number) =>
  new BrokerError(
    'com.microsoft:argument-error',
    400,
    `The MessageId or the SessionId of a message is longer than ${limit} characters.`,
  )

export const notAllowed = (why: string) => new BrokerError('amqp:not-allowed', 400, why)

export const notImplemented = (operation: string) =>
  new BrokerError('amqp:not-implemented', 501, `This broker does not know the operation '${operation}'.`)

export const malformed = (why: string) => new BrokerError('amqp:decode-error', 400, why)

/** Anything that was not said on purpose becomes an internal error, with its words. */
export function brokerErrorOf(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error
  return new BrokerError(
    'amqp:internal-error',
    500,
    error instanceof Error ? error.message || error.name : String(error),
  )
}

export const malformedRule = (text: string, why: string) =>
  new BrokerError(
    'com.microsoft:argument-error',
    400,
    `The rule '${text.slice(0, 200)}' can not be understood: ${why}.`,
  )

export const entityExists = (name: string) =>
  new BrokerError('com.microsoft:entity-already-exists', 409, `The messaging entity '${name}' already exists.`)

export const ruleNotFound = (name: string) =>
  new BrokerError('amqp:not-found', 404, `The messaging entity '${name}' could not be found.`)

export const sessionLockLost = (session: string) =>
  new BrokerError(
    'com.microsoft:session-lock-lost',
    410,
    `The session lock on '${session}' has expired. Accept the session anew.`,
  )

export const sessionLocked = (session: string) =>
  new BrokerError(
    'com.microsoft:session-cannot-be-locked',
    409,
    `The requested session '${session}' cannot be accepted. It may be locked by another receiver.`,
  )

export const noSession = () =>
  new BrokerError(
    'com.microsoft:timeout',
    408,
    'No session with a message became available within the time that was given.',
  )

export const unauthorized = (why: string) => new BrokerError('amqp:unauthorized-access', 401, why)
