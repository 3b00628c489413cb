// Every error that the product raises on purpose, in one table; docs/errors.md has a chapter for each.
//
// Promises: a code keeps its meaning for ever; a retired code is never given to something else.
// Never: a stack, a secret or a row's value in a message.

const catalogue = {
  EVENT_NOT_JSON: {
    what: (it: { why: string }) => `The message body is not JSON: ${it.why}.`,
    remedy: 'Set the message format of the Dataverse service endpoint to JSON, then resubmit the message.',
  },
  EVENT_NOT_XML: {
    what: (it: { why: string }) => `The message body is not XML that can be read: ${it.why}.`,
    remedy: 'Look at the body in the dead-letter queue to see who sent it; Dataverse itself sends none such.',
  },
  EVENT_NOT_BINARY_XML: {
    what: (it: { why: string; at: number }) =>
      `The message body is not binary XML that can be read: ${it.why}, at byte ${it.at}.`,
    remedy:
      'Set the message format of the Dataverse service endpoint to JSON; a binary body does not survive tools that take it for text.',
  },
  EVENT_TOO_LARGE: {
    what: (it: { size: number; largest: number }) =>
      `The message body has ${it.size} bytes; at most ${it.largest} are read.`,
    remedy: 'Send less: Dataverse itself sends 256 KB at most, and a saga reads the row by itself.',
  },
  EVENT_CUT: {
    what: (it: { message: string }) => `The ${it.message} message does not tell its rows: it was too large for them.`,
    remedy: 'Let the reconciliation find them, or register the step on the message of single rows as well.',
  },
  EVENT_NOT_A_CONTEXT: {
    what: (it: { member: string; why: string }) =>
      `The message body is not a RemoteExecutionContext: member '${it.member}': ${it.why}.`,
    remedy: 'Post the context as Dataverse makes it; look at the body in the dead-letter queue to see who sent it.',
  },
  SAGA_UNKNOWN: {
    what: (it: { saga: string; version: number }) => `No saga '${it.saga}' of version ${it.version} is registered.`,
    remedy: 'Deploy a version of the app that still has it: the instance began under that definition.',
  },
  SAGA_NAME_MALFORMED: {
    what: (it: { name: string }) => `'${it.name}' can not be the name of a saga or a step.`,
    remedy: 'Use letters, digits, hyphens and underscores only: ids and idempotency keys are made of it.',
  },
  SAGA_STEP_REPEATED: {
    what: (it: { saga: string; step: string }) => `Saga '${it.saga}' names step '${it.step}' twice.`,
    remedy: 'Give each step its own name: histories and idempotency keys find a step by it.',
  },
  SAGA_EMPTY: {
    what: (it: { saga: string }) => `Saga '${it.saga}' has no step.`,
    remedy: 'Give it one, or remove it from src/app/index.ts.',
  },
  SAGA_ID_TOO_LONG: {
    what: (it: { saga: string; table: string; length: number }) =>
      `Instance ids of saga '${it.saga}' on table '${it.table}' would have ${it.length} characters; the platform allows 100.`,
    remedy: 'Give the saga a shorter name.',
  },
  ACTION_UNKNOWN: {
    what: (it: { partner: string; action: string }) => `Partner '${it.partner}' has no action '${it.action}'.`,
    remedy: 'Deploy a version of the app that still has it: a running saga asks for it.',
  },
  VALUE_TOO_LARGE: {
    what: (it: { what: string; size: number; largest: number }) =>
      `The ${it.what} has ${it.size} characters of JSON; at most ${it.largest} can be carried.`,
    remedy:
      'Carry ids instead of documents: map less into the input, and declare only what later steps need as the output.',
  },
  SETTING_MISSING: {
    what: (it: { setting: string }) => `Setting ${it.setting} is missing.`,
    remedy: 'Set it as an app setting or in local.settings.json; local.settings.example.json describes each.',
  },
  SETTING_MALFORMED: {
    what: (it: { setting: string; expected: string }) => `Setting ${it.setting} is not ${it.expected}.`,
    remedy: 'Correct it; local.settings.example.json describes each setting.',
  },
  SECRET_UNREADABLE: {
    what: (it: { secret: string; why: string }) => `The vault does not tell secret '${it.secret}': ${it.why}.`,
    remedy:
      "Let the vault have it, and the app's identity the role Key Vault Secrets User; who needed it asks again by itself.",
  },
  INSTANCE_UNKNOWN: {
    what: (it: { id: string }) => `No saga instance has the id '${it.id}'.`,
    remedy: 'Look for it with GET /api/sagas?prefix={saga}:{table}:{row id}.',
  },
  HISTORY_PARTED: {
    what: (it: { id: string; why: string }) =>
      `Where '${it.id}' stands can not be told, for today's code would not have made its history: ${it.why}.`,
    remedy: 'Deploy the code that it began under, or register it as a version of its own.',
  },
  COMMAND_ILLEGAL: {
    what: (it: { command: string; why: string }) => `'${it.command}' can not be followed: ${it.why}.`,
    remedy: 'Look at the saga again: it may have moved on by itself.',
  },
  COMMAND_MALFORMED: {
    what: (it: { command: string; why: string }) => `'${it.command}' can not be understood: ${it.why}.`,
    remedy: 'Correct the request and send it again.',
  },
  BULK_UNKNOWN: {
    what: (it: { id: string }) => `There is no bulk command '${it.id}'.`,
    remedy: 'Look for it with GET /api/bulk.',
  },
  DEAD_LETTER_UNKNOWN: {
    what: (it: { queue: string; number: string }) =>
      `There is no dead letter ${it.number} in '${it.queue}', or it is being handled.`,
    remedy: 'Look at GET /api/dead-letters again: somebody else may have been faster.',
  },
  CALLBACK_UNKNOWN: {
    what: () => 'The address of this callback was not given out by this app.',
    remedy: 'Post to the address that came with the call, unchanged.',
  },
  CALLBACK_MALFORMED: {
    what: (it: { why: string }) => `The answer can not be taken: ${it.why}.`,
    remedy: 'Post JSON as the action declares it, or a refusal with ?outcome=refused and {"reason"}.',
  },
  CALLBACK_LATE: {
    what: (it: { phase: string }) => `The saga is over: it is ${it.phase}.`,
    remedy: 'Nothing waits for this answer any more; what the call has done is undone or written off.',
  },
  QUERY_MALFORMED: {
    what: (it: { parameter: string; expected: string }) => `Query parameter '${it.parameter}' is not ${it.expected}.`,
    remedy: 'Correct the parameter and ask again.',
  },
  BODY_MALFORMED: {
    what: (it: { member: string; why: string }) => `The body can not be taken: ${it.member}: ${it.why}.`,
    remedy: 'Send it as GET /api/openapi.json describes it.',
  },
  CALLER_UNKNOWN: {
    what: (it: { why: string }) => `Who asks is not known: ${it.why}.`,
    remedy: 'Sign in, or send a key that has a role as x-functions-key.',
  },
  ROLE_MISSING: {
    what: (it: { actor: string; role: string }) => `${it.actor} does not have the role ${it.role}.`,
    remedy: 'Ask whoever gives out the roles of this app.',
  },
  UNEXPECTED: {
    what: () => 'The app could not do it.',
    remedy: 'Try again; the log of the app says what happened.',
  },
} as const

export type ErrorCode = keyof typeof catalogue
export const errorCodes: readonly string[] = Object.keys(catalogue)

type Facts = { [Code in ErrorCode]: Parameters<(typeof catalogue)[Code]['what']>[0] }
const entries: { readonly [Code in ErrorCode]: { what: (it: Facts[Code]) => string; remedy: string } } = catalogue

/** Compare `code`, not the class: the class differs between two copies of a package, the code does not. */
export class SagaError extends Error {
  override readonly name = 'SagaError'
  readonly code: ErrorCode
  /** What happened, without the remedy. */
  readonly what: string
  /** What to do about it. */
  readonly remedy: string

  private constructor(code: ErrorCode, what: string, remedy: string, options?: ErrorOptions) {
    super(`${what} ${remedy}`, options)
    this.code = code
    this.what = what
    this.remedy = remedy
  }

  static of<Code extends ErrorCode>(code: Code, facts: Facts[Code], options?: ErrorOptions): SagaError {
    const { what, remedy } = entries[code]
    return new SagaError(code, what(facts), remedy, options)
  }
}
