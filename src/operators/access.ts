// Who asks, and whether they may: by an identity of Entra ID that the platform has checked, or by a key of the platform.
//
//   OPERATOR_AUTH=entra   the platform's authentication is on; its header names the caller and the app roles Saga.Reader, Saga.Operator, Saga.Admin.
//                         Anybody can send that header where it is off, so it is believed only if the platform says that it is on.
//   otherwise             the platform checks its function key first. READER_KEY, OPERATOR_KEY and ADMIN_KEY say which of its keys means which role;
//                         where none of them is set, every key means OPERATOR_KEY_ROLE, or Operator.

import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { SagaError } from '../saga/errors.js'
import { type Role, role } from './schemas/estate.js'

/** `key`: whoever the platform lets in, which are machines; a role is for people. */
export type Access = 'anonymous' | 'key' | Role

export interface Caller {
  /** A name in Entra ID, or the kind of key. */
  readonly actor: string
  /** Whether `actor` names a person or an app. */
  readonly isIdentified: boolean
  /** Absent for those who need none. */
  readonly role?: Role
}

/** As much of a request as tells who asks. */
export interface Credentials {
  /** The header `x-ms-client-principal`. */
  readonly principal: string | null
  /** The header `x-functions-key`, or the query's `code`. */
  readonly key: string | null
}

type Environment = Readonly<Record<string, string | undefined>>

export const usesEntra = ({ OPERATOR_AUTH: way }: Environment): boolean => way === 'entra'

/** What the platform is to ask for before it lets a request in. */
export const authLevelOf = (access: Access, environment: Environment): 'anonymous' | 'function' =>
  access === 'anonymous' || (access !== 'key' && usesEntra(environment)) ? 'anonymous' : 'function'

/** @throws SagaError `CALLER_UNKNOWN` */
export function callerOf(access: Access, credentials: Credentials, environment: Environment): Caller {
  if (access === 'anonymous' || access === 'key') return { actor: access, isIdentified: false }
  return usesEntra(environment) ? identified(credentials, environment) : byKey(credentials, environment)
}

const roles = role.options

/** Every role may what those before it may. */
export function mayAsk({ role: has }: Caller, access: Access): boolean {
  if (access === 'anonymous' || access === 'key') return true
  return has !== undefined && roles.indexOf(has) >= roles.indexOf(access)
}

/** For the operations log. */
export const roleOf = ({ role: has }: Caller): Role | 'none' => has ?? 'none'

/** Values are shown to Admins only. */
export const seesValues = (caller: Caller): boolean => caller.role === 'Admin'

/** Who said it, for the logs. @throws SagaError `BODY_MALFORMED` */
export function actorOf({ actor, isIdentified }: Caller, said: string | undefined): string {
  if (isIdentified) return actor
  if (said === undefined)
    throw SagaError.of('BODY_MALFORMED', { member: 'actor', why: 'a key does not tell who you are' })
  return said
}

const principal = z.object({
  name_typ: z.string().nullish(),
  role_typ: z.string().nullish(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
})

function identified({ principal: header }: Credentials, environment: Environment): Caller {
  if (environment['WEBSITE_AUTH_ENABLED']?.toLowerCase() !== 'true')
    throw SagaError.of('CALLER_UNKNOWN', { why: "the platform's authentication is switched off" })
  const read = principal.safeParse(parsed(Buffer.from(header ?? '', 'base64').toString()))
  if (!read.success) throw SagaError.of('CALLER_UNKNOWN', { why: 'nobody has signed in' })
  const { claims, name_typ: nameType, role_typ: roleType } = read.data
  const valueOf = (type: string | null | undefined) => claims.find(({ typ }) => typ === type)?.val
  const isRole = (type: string) => type === 'roles' || type === roleType || type.endsWith('/identity/claims/role')
  const given = new Set(claims.filter(({ typ }) => isRole(typ)).map(({ val }) => val))
  const highest = roles.findLast((one) => given.has(`Saga.${one}`))
  const actor = ['preferred_username', nameType, 'name', 'appid', 'azp', 'oid'].map(valueOf).find(Boolean)
  return { actor: actor ?? 'somebody', isIdentified: actor !== undefined, ...(highest && { role: highest }) }
}

function byKey({ key }: Credentials, environment: Environment): Caller {
  const settings = { Reader: 'READER_KEY', Operator: 'OPERATOR_KEY', Admin: 'ADMIN_KEY' } as const
  if (roles.some((one) => environment[settings[one]])) {
    const found = roles.findLast((one) => isSame(key, environment[settings[one]]))
    if (!found) throw SagaError.of('CALLER_UNKNOWN', { why: 'the key is none that has a role' })
    return { actor: `${found.toLowerCase()} key`, isIdentified: false, role: found }
  }
  const usual = role.safeParse(environment['OPERATOR_KEY_ROLE'] || 'Operator')
  if (!usual.success)
    throw SagaError.of('SETTING_MALFORMED', { setting: 'OPERATOR_KEY_ROLE', expected: roles.join(' or ') })
  return { actor: 'function key', isIdentified: false, role: usual.data }
}

/** In the same time, however much of it is right. */
function isSame(given: string | null, key: string | undefined): boolean {
  return !!given && !!key && timingSafeEqual(digestOf(given), digestOf(key))
}

const digestOf = (text: string) => createHash('sha256').update(text).digest()

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
