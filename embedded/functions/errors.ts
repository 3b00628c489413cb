// Why an app can't be run here: each with a stable code, what happened, and what to do.

const catalogue = {
  HOST_JSON_UNREADABLE: {
    what: (it: { path: string; why: string }) => `${it.path} can not be read: ${it.why}.`,
    remedy: 'Point the host at the folder of a Functions app: host.json and package.json stand in it.',
  },
  SETTINGS_UNREADABLE: {
    what: (it: { path: string; why: string }) => `${it.path} can not be read: ${it.why}.`,
    remedy: 'Correct the JSON: { "Values": { "NAME": "text" } }.',
  },
  MAIN_MISSING: {
    what: (it: { path: string }) => `${it.path} names no "main".`,
    remedy: 'Name the compiled entry point, or a glob of them, as "main".',
  },
  MAIN_MATCHES_NOTHING: {
    what: (it: { main: string; folder: string }) => `"main" is '${it.main}', which matches no file in ${it.folder}.`,
    remedy: 'Compile the app first.',
  },
  ENTRY_POINT_FAILED: {
    what: (it: { file: string; why: string }) => `${it.file} could not be loaded: ${it.why}`,
    remedy: '',
  },
  NO_FUNCTIONS: {
    what: (it: { main: string }) => `'${it.main}' registered no function.`,
    remedy: 'Register functions with the v4 model of @azure/functions while the entry point loads.',
  },
  TRIGGER_UNSUPPORTED: {
    what: (it: { function: string; type: string }) =>
      `Function '${it.function}' has a trigger of type '${it.type}', which this host does not serve.`,
    remedy: 'It serves HTTP, timers, Service Bus, and Durable orchestrations, activities and entities.',
  },
  BINDING_UNSUPPORTED: {
    what: (it: { function: string; type: string }) =>
      `Function '${it.function}' has a binding of type '${it.type}', which this host does not serve.`,
    remedy:
      'It serves durable clients as inputs, and HTTP and Service Bus as outputs; other outputs of the platform it keeps in files.',
  },
  SCHEDULE_UNREADABLE: {
    what: (it: { function: string; schedule: string; why: string }) =>
      `Function '${it.function}' has the schedule '${it.schedule}', which can not be read: ${it.why}.`,
    remedy: 'Write it as NCRONTAB, such as 0 */5 * * * *, or as a time span, such as 00:05:00.',
  },
  FUNCTION_TIMEOUT: {
    what: (it: { function: string; ms: number }) =>
      `Function '${it.function}' has taken longer than ${it.ms / 1_000} seconds.`,
    remedy: 'functionTimeout in host.json says how long a call may take.',
  },
  SETTING_MISSING: {
    what: (it: { function: string; setting: string }) =>
      `Function '${it.function}' needs the setting ${it.setting}, which is missing.`,
    remedy: 'Set it in the environment, or in local.settings.json under "Values".',
  },
} as const

export type HostErrorCode = keyof typeof catalogue
type Facts = { [Code in HostErrorCode]: Parameters<(typeof catalogue)[Code]['what']>[0] }
const entries: { readonly [Code in HostErrorCode]: { what: (it: Facts[Code]) => string; remedy: string } } = catalogue

export class HostError extends Error {
  override readonly name = 'HostError'
  readonly code: HostErrorCode

  private constructor(code: HostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static of<Code extends HostErrorCode>(code: Code, facts: Facts[Code], options?: ErrorOptions): HostError {
    const { what, remedy } = entries[code]
    return new HostError(code, `${what(facts)} ${remedy}`.trim(), options)
  }
}

export const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
