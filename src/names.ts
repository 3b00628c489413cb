// The names under which functions are registered, and those of events: they stand in histories, so they never change.

export const names = {
  saga: 'saga',
  askPartner: 'askPartner',
  /** The entity that knows who is in a lane. */
  lane: 'lane',
  tellLane: 'tellLane',
  isRunning: 'isRunning',
  reconcile: 'reconcile',
  reconcilePage: 'reconcilePage',
  bulk: 'bulk',
  bulkFind: 'bulkFind',
  bulkBatch: 'bulkBatch',
  bulkEnd: 'bulkEnd',
  /** The entities that keep the items of a bulk command, and whether it was stopped. */
  bulkItems: 'bulkItems',
  /** The entities that keep what operators did, one after the other. */
  operations: 'operations',
  watch: 'watch',
  findLate: 'findLate',
  stillLate: 'stillLate',
  rouse: 'rouse',
  postNotices: 'postNotices',
  notify: 'notify',
  sendNotice: 'sendNotice',
  /** Raised to an instance: what a person commands, or a partner answers later. */
  signal: 'signal',
  /** Raised to an instance that waits in a lane. */
  laneWord: 'lane',
} as const
