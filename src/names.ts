// The names under which functions are registered, and those of events: they stand in histories, so they never change.

export const names = {
  saga: 'saga',
  askPartner: 'askPartner',
  /** Raised to an instance that is held: ask again. */
  retry: 'retry',
} as const
