// Which bindings this host serves; an app with any other is refused as a whole, for half an app is worse than none.
//
// Outputs to services of the platform are taken, for they keep nobody from running: what is written to them is kept in files.

import { isCaptured } from './captured-outputs.js'
import { HostError } from './errors.js'
import type { AppDeclaration } from './worker.js'

const triggers = new Set([
  'httptrigger',
  'orchestrationtrigger',
  'activitytrigger',
  'entitytrigger',
  'servicebustrigger',
  'timertrigger',
])
const inputs = new Set(['durableclient'])
const outputs = new Set(['http', 'servicebus'])

/** @throws HostError `TRIGGER_UNSUPPORTED`, `BINDING_UNSUPPORTED` */
export function checkBindings({ functions }: AppDeclaration): void {
  for (const one of functions) {
    const { name, trigger } = one
    if (!triggers.has(trigger.type.toLowerCase()))
      throw HostError.of('TRIGGER_UNSUPPORTED', { function: name, type: trigger.type })
    const strange =
      one.inputs.find(({ type }) => !inputs.has(type.toLowerCase())) ??
      one.outputs.find((output) => !outputs.has(output.type.toLowerCase()) && !isCaptured(output))
    if (strange) throw HostError.of('BINDING_UNSUPPORTED', { function: name, type: strange.type })
  }
}
