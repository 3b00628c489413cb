// The files of an app that the host reads: host.json, package.json, local.settings.json.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { HostError, wordsOf } from './errors.js'

const milliseconds = z
  .string()
  .regex(/^(\d+\.)?\d{1,2}:\d{2}:\d{2}(\.\d+)?$/)
  .transform((text) => {
    const [, days = '0', hours = '0', minutes = '0', seconds = '0'] =
      /^(?:(\d+)\.)?(\d+):(\d+):([\d.]+)$/.exec(text) ?? []
    return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000
  })

/** What this host honours of host.json; the rest is the platform's. */
const hostJson = z.object({
  /** -1 for no limit. */
  functionTimeout: z.union([z.literal('-1').transform(() => Infinity), milliseconds]).prefault('00:30:00'),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default('api') }).prefault({}),
      serviceBus: z
        .object({
          autoCompleteMessages: z.boolean().default(true),
          maxConcurrentCalls: z.number().int().positive().default(16),
          maxAutoLockRenewalDuration: milliseconds.prefault('00:05:00'),
          prefetchCount: z.number().int().min(0).default(0),
          maxConcurrentSessions: z.number().int().positive().default(8),
          maxMessageBatchSize: z.number().int().positive().default(1_000),
          /** The platform takes the time of its own try if nothing is said. */
          sessionIdleTimeout: milliseconds.prefault('00:00:10'),
        })
        .prefault({}),
      /** The task hub reads it. */
      durableTask: z.unknown().optional(),
    })
    .prefault({}),
})
export type HostJson = z.infer<typeof hostJson>

/**
 * With what app settings say instead of it, as the platform has it: `AzureFunctionsJobHost__extensions__http__routePrefix`.
 * @throws HostError `HOST_JSON_UNREADABLE`
 */
export function readHostJson(folder: string): HostJson {
  const path = join(folder, 'host.json')
  return readWith(z.record(z.string(), z.unknown()).transform(overridden).pipe(hostJson), path, 'HOST_JSON_UNREADABLE')
}

function overridden(file: Readonly<Record<string, unknown>>): object {
  return Object.entries(process.env).reduce((read, [name, text]) => {
    const [prefix, ...path] = name.split('__')
    if (prefix?.toLowerCase() !== 'azurefunctionsjobhost' || text === undefined) return read
    return withMember(read, path, valueIn(text))
  }, file)
}

/** Names are compared without case. */
function withMember(object: Readonly<Record<string, unknown>>, path: readonly string[], value: unknown): typeof object {
  const [first, ...rest] = path
  if (first === undefined) return object
  const name = Object.keys(object).find((known) => known.toLowerCase() === first.toLowerCase()) ?? first
  const inner = z.record(z.string(), z.unknown()).catch({}).parse(object[name])
  return { ...object, [name]: rest.length === 0 ? value : withMember(inner, rest, value) }
}

function valueIn(text: string): string | number | boolean {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  return /^\d+$/.test(text) ? Number(text) : text
}

const packageJson = z.object({ main: z.string().optional(), type: z.string().optional() })

/** The glob of the entry points, and whether `.js` files are ES modules. @throws HostError */
export function readPackageJson(folder: string): { readonly main: string; readonly esm: boolean } {
  const path = join(folder, 'package.json')
  const { main, type } = readWith(packageJson, path, 'HOST_JSON_UNREADABLE')
  if (!main) throw HostError.of('MAIN_MISSING', { path })
  return { main, esm: type === 'module' }
}

const localSettings = z.object({ Values: z.record(z.string(), z.string()).default({}) })

/** The values of local.settings.json, if there is one. @throws HostError `SETTINGS_UNREADABLE` */
export function readLocalSettings(folder: string): Readonly<Record<string, string>> {
  const path = join(folder, 'local.settings.json')
  return existsSync(path) ? readWith(localSettings, path, 'SETTINGS_UNREADABLE').Values : {}
}

function readWith<Value>(
  schema: z.ZodType<Value>,
  path: string,
  code: 'HOST_JSON_UNREADABLE' | 'SETTINGS_UNREADABLE',
): Value {
  try {
    const read = schema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    if (read.success) return read.data
    const [issue] = read.error.issues
    throw new Error(`${issue?.path.join('.')}: ${issue?.message}`)
  } catch (error) {
    throw HostError.of(code, { path, why: wordsOf(error) })
  }
}

/** Replaces `%NAME%` by the app setting of that name, as the platform does in bindings. */
function resolveSettings(text: string): string {
  return text.replaceAll(/%([^%]+)%/g, (whole, name: string) => process.env[name] ?? whole)
}

/** A text option of a binding, with the app's settings in it; empty where there is none. */
export function textIn(binding: Readonly<Record<string, unknown>>, option: string): string {
  const value = binding[option]
  return typeof value === 'string' ? resolveSettings(value) : ''
}
