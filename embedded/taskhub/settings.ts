// The section `extensions.durableTask` of host.json, as far as this hub honours it.

import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { Log } from '../log.js'

const section = z.looseObject({
  hubName: z.string().default('TestHubName'),
  maxConcurrentActivityFunctions: z
    .number()
    .int()
    .positive()
    .default(10 * availableParallelism()),
  maxConcurrentOrchestratorFunctions: z
    .number()
    .int()
    .positive()
    .default(10 * availableParallelism()),
  overridableExistingInstanceStates: z.enum(['NonRunningStates', 'AnyState']).default('NonRunningStates'),
  defaultVersion: z.string().default(''),
})

export interface HubSettings {
  readonly hubName: string
  readonly maxConcurrentActivityFunctions: number
  readonly maxConcurrentOrchestratorFunctions: number
  /** Whether a start replaces even an instance that runs. */
  readonly replaceRunning: boolean
  readonly defaultVersion: string
}

/** Settings that make sense on the platform only. */
const elsewhere = new Set([
  'storageProvider',
  'tracing',
  'httpSettings',
  'notifications',
  'extendedSessionsEnabled',
  '$schema',
])

/** @throws ZodError naming the member */
export function readHubSettings(durableTask: unknown, log: Log): HubSettings {
  const { overridableExistingInstanceStates: states, hubName, ...read } = section.parse(durableTask ?? {})
  const unknown = Object.keys(read).filter((key) => !(key in section.shape) && !elsewhere.has(key))
  if (unknown.length > 0)
    log('warn', 'hub', `host.json: extensions.durableTask.${unknown.join(', ')}: this task hub does not know it.`)
  return {
    hubName: hubName.replaceAll(/%([^%]+)%/g, (whole, name: string) => process.env[name] ?? whole),
    maxConcurrentActivityFunctions: read.maxConcurrentActivityFunctions,
    maxConcurrentOrchestratorFunctions: read.maxConcurrentOrchestratorFunctions,
    replaceRunning: states === 'AnyState',
    defaultVersion: read.defaultVersion,
  }
}
