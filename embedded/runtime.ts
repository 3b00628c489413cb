// Introduces store, broker, task hub and Functions host to each other: one machine without Azure, running one compiled app.
//
// Never: imports the app. It is loaded by its path, as the platform's host does.

import { type Clock, systemClock } from './clock.js'
import type { Reach } from './crash-points.js'
import type { Log } from './log.js'

export interface RuntimeOptions {
  /** Folder of the compiled app: where host.json and package.json stand. */
  readonly app: string
  /** Where everything that must survive is kept; made if it does not exist. */
  readonly data: string
  /** HTTP; 0 for any free port. */
  readonly port: number
  /** AMQP; 0 for any free port. */
  readonly amqpPort: number
  readonly log: Log
  readonly reach: Reach
}

export interface Runtime {
  readonly port: number
  readonly connectionString: string
  /** Takes nothing new, ends what is running, closes the store. */
  close(): Promise<void>
}
