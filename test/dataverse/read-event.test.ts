// What a message on the start queue becomes, and what is said of one that can't be read.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readDataverseEvents } from '../../src/dataverse/read-event.js'

const message = readFileSync('test/messages/contact-create.json', 'utf8')
const bytes = (text: string) => Buffer.from(text)
const changed = (change: Record<string, unknown>) => bytes(JSON.stringify({ ...JSON.parse(message), ...change }))

const readDataverseEvent = (body: Uint8Array) => readDataverseEvents(body)[0]
const idOf = (change: Record<string, unknown>) => readDataverseEvent(changed(change))?.id

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

  it('may be encoded once more', () => {
    expect(readDataverseEvent(bytes(JSON.stringify(message)))).toEqual(readDataverseEvent(bytes(message)))
  })

  it('may begin with a byte order mark and write ids in upper case', () => {
    const event = readDataverseEvent(changed({ PrimaryEntityId: 'E3B0C442-98FC-4C14-9AFB-F4C8996FB924' }))

    expect(event).toEqual(readDataverseEvent(bytes(message)))
    expect(readDataverseEvent(bytes(`\uFEFF${message}`))).toEqual(event)
  })
})

const other = '11111111-1111-4111-8111-111111111111'

describe('the id of an event', () => {
  it('is the same for every posting of one operation', () => {
    expect(idOf({ CorrelationId: other, Depth: 2 })).toBe(idOf({}))
  })

  it('of a creation is the same for every step that tells of it: a row is created once', () => {
    expect(idOf({ OperationId: other, OwningExtension: { Id: other } })).toBe(idOf({}))
  })

  it.each([
    ['organization', { OrganizationId: other }],
    ['request', { RequestId: other }],
    ['message', { MessageName: 'Update' }],
    ['table', { PrimaryEntityName: 'lead' }],
    ['row', { PrimaryEntityId: other }],
  ])('of a creation differs with the %s', (_, change) => {
    expect(idOf(change)).not.toBe(idOf({}))
  })

  it.each([
    ['operation', { OperationId: other }],
    ['step that posted', { OwningExtension: { Id: other } }],
    ['row', { PrimaryEntityId: other }],
  ])('of an update differs with the %s', (_, change) => {
    expect(idOf({ MessageName: 'Update', ...change })).not.toBe(idOf({ MessageName: 'Update' }))
  })

  it.each([
    ['request', {}, { RequestId: other }],
    ['correlation, where no request is named either', { RequestId: null }, { RequestId: null, CorrelationId: other }],
  ])('of an update that no system job posts differs with the %s', (_, one, another) => {
    const update = { MessageName: 'Update', OperationId: '00000000-0000-0000-0000-000000000000' }

    expect(idOf({ ...update, ...another })).not.toBe(idOf({ ...update, ...one }))
    expect(idOf({ ...update, ...another })).toBe(idOf({ ...update, ...another, Depth: 2 }))
  })
})

describe('a message of many rows', () => {
  const rowId = (digit: string) => `${digit.repeat(8)}-0000-4000-8000-000000000000`
  const target = (id: string) => ({ Attributes: [{ key: 'contactid', value: id }], Id: id, LogicalName: 'contact' })
  const targets = (ids: readonly string[]) => ({
    key: 'Targets',
    value: { __type: 'EntityCollection:http://x', EntityName: 'contact', Entities: ids.map(target) },
  })

  it('is one event for each, and the same as the message of that row alone', () => {
    const many = readDataverseEvents(
      changed({ MessageName: 'CreateMultiple', InputParameters: [targets([rowId('a'), rowId('b')])] }),
    )

    expect(many.map((event) => event.rowId)).toEqual([rowId('a'), rowId('b')])
    expect(many.map((event) => event.message)).toEqual(['Create', 'Create'])
    expect(many[0]?.id).toBe(idOf({ PrimaryEntityId: rowId('a'), OwningExtension: { Id: other } }))
  })

  it('finds the ids of new rows in the answer, when the targets have none yet', () => {
    const nobody = '00000000-0000-0000-0000-000000000000'
    const [event] = readDataverseEvents(
      changed({
        MessageName: 'CreateMultiple',
        InputParameters: [targets([nobody])],
        OutputParameters: [{ key: 'Ids', value: [rowId('c')] }],
      }),
    )

    expect(event?.rowId).toBe(rowId('c'))
  })

  it.each([
    ['absent', undefined],
    ['null', null],
    ['empty', []],
  ])('whose rows fell to the size limit, %s, says so', (_, InputParameters) => {
    expect(() => readDataverseEvents(changed({ MessageName: 'UpdateMultiple', InputParameters }))).toThrow(
      expect.objectContaining({ code: 'EVENT_CUT' }),
    )
  })
})

describe('a message that names its row in its target only', () => {
  it.each([
    ['Associate', { __type: 'EntityReference:http://x', Id: other, LogicalName: 'account' }],
    ['new_Approve', { __type: 'Entity:http://x', Id: other, LogicalName: 'account', Attributes: [] }],
  ])('%s is about that', (MessageName, value) => {
    const [event] = readDataverseEvents(
      changed({
        MessageName,
        PrimaryEntityName: 'none',
        PrimaryEntityId: '00000000-0000-0000-0000-000000000000',
        InputParameters: [{ key: 'Target', value }],
      }),
    )

    expect(event).toMatchObject({ message: MessageName, table: 'account', rowId: other })
  })

  it('or not at all, is about none', () => {
    expect(
      readDataverseEvent(changed({ MessageName: 'new_Ping', PrimaryEntityName: null, InputParameters: null })),
    ).toMatchObject({
      message: 'new_Ping',
      table: 'none',
    })
  })
})

describe('what a plug-in of somebody’s own posts', () => {
  const notice = { table: 'account', rowId: other.toUpperCase(), operation: 'Update', correlationId: other }
  const read = (change: object) => readDataverseEvent(bytes(JSON.stringify({ ...notice, ...change })))

  it('is a table, a row, an operation and a correlation', () => {
    expect(read({ unheard: 'of' })).toMatchObject({ message: 'Update', table: 'account', rowId: other })
  })

  it('says nothing with null', () => {
    expect(read({ operationId: null, organizationId: null })).toEqual(read({}))
  })

  it('is one event for each correlation, or for each operation where it names one', () => {
    const third = '22222222-2222-4222-8222-222222222222'
    expect(read({})?.id).toBe(read({})?.id)
    expect(read({ correlationId: third })?.id).not.toBe(read({})?.id)
    expect(read({ operationId: third })?.id).not.toBe(read({})?.id)
  })
})

describe('a body that is no context', () => {
  it.each([
    ['nothing', bytes(''), 'EVENT_NOT_JSON', 'it is empty'],
    ['text', bytes('hello'), 'EVENT_NOT_JSON', 'it can not be parsed'],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x7b]), 'EVENT_NOT_JSON', 'it can not be parsed'],
    ['a JSON number', bytes('42'), 'EVENT_NOT_A_CONTEXT', "member '(body)'"],
    ['a text with text in it', bytes('"hello"'), 'EVENT_NOT_A_CONTEXT', "member '(body)'"],
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
