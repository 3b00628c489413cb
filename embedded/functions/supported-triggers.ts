// Which triggers this host serves; an app with any other is refused as a whole, for half an app is worse than none.

import { HostError } from './errors.js'
import type { FunctionApp, RegisteredFunction } from './load-app.js'

const served: Readonly<Record<string, (trigger: RegisteredFunction['trigger']) => boolean>> = {
  httptrigger: () => true,
  orchestrationtrigger: () => true,
  activitytrigger: () => true,
  entitytrigger: () => true,
  servicebustrigger: () => true,
  timertrigger: () => true,
}

/** @throws HostError `TRIGGER_UNSUPPORTED` */
export function checkTriggers({ functions }: FunctionApp): void {
  for (const { name, trigger } of functions)
    if (!served[trigger.type.toLowerCase()]?.(trigger))
      throw HostError.of('TRIGGER_UNSUPPORTED', { function: name, type: trigger.type })
}
