// What is counted and measured, by the names under which it is sent: alerts and workbooks ask for these.

export const counters = {
  'saga.step.attempts': 'Attempts of steps and of undos, by what came of them',
  'saga.outcomes': 'Sagas that have ended, by how',
  'saga.held': 'How often a saga came to wait for a person',
  'saga.debts': 'Undos that could not be done and are owed',
} as const

export const histograms = {
  'saga.duration': 'Milliseconds from the start of a saga to its end',
  'queue.lag': 'Milliseconds from when a message was put into the queue to when it was taken',
  'outbox.pending': 'Rows of the outbox that a run of its timer had to publish',
} as const

export const gauges = {
  'partner.breaker': '1 while the breaker of a partner is open, else 0',
} as const

export type CounterName = keyof typeof counters
export type HistogramName = keyof typeof histograms
