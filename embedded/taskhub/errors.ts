// What the hub refuses, with the HTTP status and the words of the platform's own.

export class HubError extends Error {
  override readonly name = 'HubError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export const noSuchInstance = () => new HubError(404, '')

export const alreadyEnded = () => new HubError(410, '')

export const alreadyExists = (status: string) =>
  new HubError(409, `An Orchestration instance with the status ${status} already exists.`)

export const notEnded = () => new HubError(412, 'The instance has not ended yet.')

export const noSuchOrchestrator = (name: string, known: readonly string[]) =>
  new HubError(
    400,
    `The function '${name}' doesn't exist, is disabled, or is not an orchestrator function. ` +
      `Additional info: The following are the known orchestrator functions: '${known.join("', '")}'.`,
  )

export const badRequest = (why: string) => new HubError(400, why)

export const notInThisState = (id: string, command: string, status: string) =>
  new HubError(500, `Cannot ${command} the orchestration instance ${id} because instance is in the ${status} state.`)
