// The host with one of the apps beside this file, in this very thread: what it logs, and the settings that it reads, are the test's own.

import { carryOn } from '../../embedded/crash-points.js'
import { loadWorker } from '../../embedded/functions/load-app.js'
import { type Host, startHost } from '../../embedded/host.js'
import type { Log } from '../../embedded/log.js'

/** On free ports. A process loads one app. */
export const hostOf = (folder: string, data: string, log: Log = () => undefined): Promise<Host> =>
  startHost({
    load: ({ hostname }) => loadWorker({ folder, hostname, log }),
    data,
    port: 0,
    amqpPort: 0,
    log,
    reach: carryOn,
  })
