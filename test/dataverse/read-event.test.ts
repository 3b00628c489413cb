// What a message on the start queue becomes, and what is said of one that can't be read.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readDataverseEvent } from '../../src/dataverse/read-event.js'

const message = readFileSync('test/messages/contact-create.json', 'utf8')
const bytes = (text: string) => Buffer.from(text)
const changed = (change: Record<string, unknown>) => bytes(JSON.stringify({ ...JSON.parse(message), ...change }))

const idOf = (change: Record<string, unknown>) => readDataverseEvent(changed(change)).id

describe('the message of a created contact', () => {
  it('becomes an event that says which row, what happened, and under which ids', () => {
    expect(readDataverseEvent(bytes(message))).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{20}$/),
      message: 'Create',
      table: 'contact',
      rowId: 'e3b0c442-98fc-4c14-9afb-f4c8996fb924',
      organizationId: '7d1c6a52-0e3b-4c8f-9a54-2b8f6c0d9e11',
      operationId: 'b4a0f2d6-91c3-4f0e-8d5a-6c1e7f3b2a90',
      correlationId: '0c5b3c3f-2f3e-4b6c-8f68-0a4de5b1c7aa',
    })
  })

  it('carries no value of the row', () => {
    expect(JSON.stringify(readDataverseEvent(bytes(message)))).not.toMatch(/Astrid|example\.org/)
  })

  it('may begin with a byte order mark and write ids in upper case', () => {
    const event = readDataverseEvent(changed({ PrimaryEntityId: 'E3B0C442-98FC-4C14-9AFB-F4C8996FB924' }))

    expect(event).toEqual(readDataverseEvent(bytes(message)))
    expect(readDataverseEvent(bytes(`\uFEFF${message}`))).toEqual(event)
  })
})

describe('the id of an event', () => {
  it('is the same for every posting of one operation', () => {
    expect(idOf({ CorrelationId: '11111111-1111-4111-8111-111111111111', Depth: 2 })).toBe(idOf({}))
  })

  it.each([
    ['organization', { OrganizationId: '11111111-1111-4111-8111-111111111111' }],
    ['operation', { OperationId: '11111111-1111-4111-8111-111111111111' }],
    ['step that posted', { OwningExtension: { Id: '11111111-1111-4111-8111-111111111111' } }],
    ['message', { MessageName: 'Update' }],
    ['table', { PrimaryEntityName: 'lead' }],
    ['row', { PrimaryEntityId: '11111111-1111-4111-8111-111111111111' }],
  ])('differs with the %s', (_, change) => {
    expect(idOf(change)).not.toBe(idOf({}))
  })
})

describe('a body that is no context', () => {
  it.each([
    ['nothing', bytes(''), 'EVENT_NOT_JSON', 'it is empty'],
    ['text', bytes('hello'), 'EVENT_NOT_JSON', 'it can not be parsed'],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x7b]), 'EVENT_NOT_JSON', 'it can not be parsed'],
    ['a JSON number', bytes('42'), 'EVENT_NOT_A_CONTEXT', "member '(body)'"],
    ['another object', bytes('{"hello":"world"}'), 'EVENT_NOT_A_CONTEXT', "member 'MessageName'"],
    [
      'a context with a broken id',
      changed({ PrimaryEntityId: '42' }),
      'EVENT_NOT_A_CONTEXT',
      "member 'PrimaryEntityId'",
    ],
    ['a context without operation', changed({ OperationId: undefined }), 'EVENT_NOT_A_CONTEXT', "member 'OperationId'"],
  ])('of %s is refused with a code and words that name the place', (_, body, code, words) => {
    expect(() => readDataverseEvent(body)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    )
  })

  it('is not quoted in the error', () => {
    expect(() => readDataverseEvent(bytes('{"MessageName": secret'))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    )
  })
})
