// The names under which functions are registered, and those of events: they stand in histories, so they never change.

export const names = {
  saga: 'saga',
  askPartner: 'askPartner',
  /** Raised to an instance: what a person commands, or a partner answers later. */
  signal: 'signal',
} as const
