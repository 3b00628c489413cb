// The section `extensions.durableTask` of host.json, as far as this hub honours it.

import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { Log } from '../log.js'
import type { VersionRules } from './versions.js'

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
  extendedSessionsEnabled: z.boolean().default(false),
  overridableExistingInstanceStates: z.enum(['NonRunningStates', 'AnyState']).default('NonRunningStates'),
  maxConcurrentEntityFunctions: z
    .number()
    .int()
    .positive()
    .default(10 * availableParallelism()),
  maxEntityOperationBatchSize: z.number().int().positive().default(5_000),
  defaultVersion: z.string().default(''),
  versionMatchStrategy: z.enum(['None', 'Strict', 'CurrentOrOlder']).default('None'),
  versionFailureStrategy: z.enum(['Reject', 'Fail']).default('Reject'),
  httpSettings: z
    .object({ defaultAsyncRequestSleepTimeMilliseconds: z.number().int().positive().default(30_000) })
    .prefault({}),
})

export interface HubSettings {
  readonly hubName: string
  readonly maxConcurrentActivityFunctions: number
  readonly maxConcurrentOrchestratorFunctions: number
  /** Whether orchestrators stay in memory between their turns. */
  readonly extendedSessions: boolean
  /** Whether a start replaces even an instance that runs. */
  readonly replaceRunning: boolean
  readonly maxConcurrentEntityFunctions: number
  readonly maxEntityOperationBatchSize: number
  readonly versions: VersionRules
  /** Milliseconds until a call of HTTP that was told to come back asks again, if it was not told when. */
  readonly httpPollAfter: number
}

/** Settings that make sense on the platform only. */
const elsewhere = new Set(['storageProvider', 'tracing', 'notifications', '$schema'])

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
    extendedSessions: read.extendedSessionsEnabled,
    replaceRunning: states === 'AnyState',
    maxConcurrentEntityFunctions: read.maxConcurrentEntityFunctions,
    maxEntityOperationBatchSize: read.maxEntityOperationBatchSize,
    versions: {
      current: read.defaultVersion,
      match: read.versionMatchStrategy,
      onMismatch: read.versionFailureStrategy,
    },
    httpPollAfter: read.httpSettings.defaultAsyncRequestSleepTimeMilliseconds,
  }
}
