// How the command line ends: what a script may rely on.

export const exit = {
  /** Done, or as hoped. */
  ok: 0,
  /** The answer is no. */
  no: 1,
  usage: 2,
  unreachable: 3,
  forbidden: 4,
} as const

/** One clear line for the person, and how it ends. */
export class Failure extends Error {
  readonly code: number

  constructor(code: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
