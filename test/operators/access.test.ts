// Who may ask what: every route of the table, by every way of being known.

import { describe, expect, it } from 'vitest'
import { authLevelOf, callerOf, type Credentials, mayAsk } from '../../src/operators/access.js'
import { type Routes, routes } from '../../src/operators/routes.js'
import type { Route } from '../../src/operators/route.js'

const nobody: Credentials = { principal: null, key: null }
const keys = { READER_KEY: 'the-reader', OPERATOR_KEY: 'the-operator', ADMIN_KEY: 'the-admin' }
const entra = { OPERATOR_AUTH: 'entra', WEBSITE_AUTH_ENABLED: 'True' }

const principal = (claims: readonly (readonly [string, string])[], more: object = {}) => ({
  ...nobody,
  principal: Buffer.from(
    JSON.stringify({ auth_typ: 'aad', claims: claims.map(([typ, val]) => ({ typ, val })), ...more }),
  ).toString('base64'),
})
const withRole = (role: string) =>
  principal([
    ['roles', `Saga.${role}`],
    ['preferred_username', 'ada@contoso.com'],
  ])

/** What each role may, written down once more. */
const may: Readonly<Record<string, readonly string[]>> = {
  Reader: ['Reader'],
  Operator: ['Reader', 'Operator'],
  Admin: ['Reader', 'Operator', 'Admin'],
}

const table: readonly (readonly [string, Route])[] = Object.entries<Route>(routes)

describe.each(table)('%s', (_, { access }) => {
  it.each(['Reader', 'Operator', 'Admin'])(
    'is open to the role %s as the table says, by Entra ID and by key',
    (role) => {
      const isOpen = access === 'anonymous' || access === 'key' || (may[role]?.includes(access) ?? false)

      expect(mayAsk(callerOf(access, withRole(role), entra), access)).toBe(isOpen)
      const key = `the-${role.toLowerCase()}`
      expect(mayAsk(callerOf(access, { ...nobody, key }, keys), access)).toBe(isOpen)
      expect(mayAsk(callerOf(access, nobody, { OPERATOR_KEY_ROLE: role }), access)).toBe(isOpen)
    },
  )

  it('asks the platform for its key unless it is open to all, or people sign in', () => {
    expect(authLevelOf(access, {})).toBe(access === 'anonymous' ? 'anonymous' : 'function')
    expect(authLevelOf(access, entra)).toBe(access === 'key' ? 'function' : 'anonymous')
  })
})

const forPeople = table.filter(([, { access }]) => access !== 'anonymous' && access !== 'key')

describe.each(forPeople)('%s', (_, { access }) => {
  it('is closed to whoever has no role', () => {
    const unknown = expect.objectContaining({ code: 'CALLER_UNKNOWN' })

    expect(mayAsk(callerOf(access, principal([['roles', 'Other.Admin']]), entra), access)).toBe(false)
    expect(() => callerOf(access, nobody, entra)).toThrow(unknown)
    expect(() => callerOf(access, { ...nobody, key: 'another' }, keys)).toThrow(unknown)
    expect(() => callerOf(access, nobody, keys)).toThrow(unknown)
  })
})

describe('an identity', () => {
  it('has the highest of its roles, under whatever type of claim they come', () => {
    const long = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'
    const claims = principal(
      [
        ['groups', 'Saga.Admin'],
        ['custom', 'Saga.Operator'],
        [long, 'Saga.Reader'],
        ['oid', '7'],
      ],
      { role_typ: 'custom' },
    )

    expect(callerOf('Reader', claims, entra)).toEqual({ actor: '7', isIdentified: true, role: 'Operator' })
  })

  it('is not believed where the platform does not check it', () => {
    for (const off of [{ OPERATOR_AUTH: 'entra' }, { OPERATOR_AUTH: 'entra', WEBSITE_AUTH_ENABLED: 'False' }])
      expect(() => callerOf('Reader', withRole('Admin'), off)).toThrow('authentication is switched off')
    expect(callerOf('Reader', withRole('Admin'), {})).toEqual({
      actor: 'function key',
      isIdentified: false,
      role: 'Operator',
    })
    expect(() => callerOf('Reader', withRole('Admin'), keys)).toThrow(
      expect.objectContaining({ code: 'CALLER_UNKNOWN' }),
    )
  })

  it.each(['', 'nonsense', Buffer.from('{"claims":1}').toString('base64')])(
    'that can not be read (%s) is nobody',
    (header) => {
      expect(() => callerOf('Reader', { ...nobody, principal: header }, entra)).toThrow('nobody has signed in')
    },
  )
})

describe('keys', () => {
  it('mean Operator where none has a role of its own', () => {
    expect(callerOf('Reader', { ...nobody, key: 'any' }, {})).toMatchObject({ role: 'Operator' })
    expect(() => callerOf('Reader', nobody, { OPERATOR_KEY_ROLE: 'King' })).toThrow('OPERATOR_KEY_ROLE')
  })

  it('that are empty let nobody in', () => {
    expect(() => callerOf('Reader', { ...nobody, key: '' }, { READER_KEY: '', ADMIN_KEY: 'the-admin' })).toThrow(
      'the key is none',
    )
  })
})

it('the table has a role for everything that is not a machine’s', () => {
  const open = table.filter(([, { access }]) => access === 'anonymous' || access === 'key').map(([name]) => name)

  expect(open.toSorted()).toEqual(['takeCallback', 'takeEvent', 'tellHealth'] satisfies (keyof Routes)[])
  // A preview changes nothing.
  expect(
    table.filter(([, { method, access }]) => method === 'POST' && access === 'Reader').map(([name]) => name),
  ).toEqual(['previewCommand'])
})
