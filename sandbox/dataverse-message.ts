// The messages that Dataverse posts when a contact is created or an account changes: a RemoteExecutionContext in the JSON of its serializer.

import { randomUUID } from 'node:crypto'

export interface NewContact {
  readonly rowId: string
  readonly firstName: string
  readonly lastName: string
  readonly email: string | undefined
}

export interface DataverseMessage {
  readonly body: Buffer
  readonly contentType: 'application/json'
  readonly messageId: string
  readonly correlationId: string
  readonly applicationProperties: Readonly<Record<string, string>>
}

const contracts = 'http://schemas.microsoft.com/xrm/2011/Contracts'
const claims = 'http://schemas.microsoft.com/xrm/2011/Claims'
const organization = {
  id: '4f1c2f0e-7a52-4d0b-9a57-3d1f7c5e2b10',
  name: 'org4f1c2f0e',
  host: 'contoso.crm4.dynamics.com',
}
const user = '9b7d3c58-2c41-4c4e-8f0f-6a1f0f2d9e01'
const businessUnit = 'd2c9a1b4-6e0d-4f57-b1a3-0c8e5d7f4a02'
/** The registered step that posts. */
const step = '1e6a4b90-58c7-4b3d-a2de-9f3b7c1d5e03'
const nobody = '00000000-0000-0000-0000-000000000000'

export const contactCreated = (contact: NewContact, now = new Date()): DataverseMessage =>
  messageOf({ message: 'Create', table: 'contact', rowId: contact.rowId, values: contactValues(contact, now), now })

/** @param changed the columns that were changed, as plain values */
export const accountUpdated = (rowId: string, changed: Readonly<Record<string, unknown>>): DataverseMessage =>
  messageOf({ message: 'Update', table: 'account', rowId, values: { ...changed, accountid: rowId } })

export interface Operation {
  readonly message: 'Create' | 'Update' | 'Delete'
  readonly table: string
  readonly rowId: string
  readonly values: Readonly<Record<string, unknown>>
  /** What the request was marked with. */
  readonly tag?: string | undefined
  readonly now?: Date
}

/** One posting of one operation; every call is a new operation. */
export function messageOf({ message, table, rowId, values, tag, now = new Date() }: Operation): DataverseMessage {
  const operationId = randomUUID()
  const correlationId = randomUUID()
  const context = {
    BusinessUnitId: businessUnit,
    CorrelationId: correlationId,
    Depth: 1,
    InitiatingUserAzureActiveDirectoryObjectId: nobody,
    InitiatingUserId: user,
    InputParameters: pairs({ Target: message === 'Delete' ? reference(table, rowId) : entity(table, rowId, values) }),
    IsExecutingOffline: false,
    IsInTransaction: false,
    IsOfflinePlayback: false,
    IsolationMode: 1,
    MessageName: message,
    Mode: 1,
    OperationCreatedOn: `/Date(${now.getTime()}+0000)/`,
    OperationId: operationId,
    OrganizationId: organization.id,
    OrganizationName: organization.name,
    OutputParameters: message === 'Create' ? pairs({ id: rowId }) : [],
    OwningExtension: reference('sdkmessageprocessingstep', step),
    ParentContext: null,
    PostEntityImages: pairs({ AsynchronousStepPrimaryName: entity(table, rowId, { [`${table}id`]: rowId }) }),
    PreEntityImages: [],
    PrimaryEntityId: rowId,
    PrimaryEntityName: table,
    RequestId: randomUUID(),
    SecondaryEntityName: 'none',
    SharedVariables: pairs({ IsAutoTransact: true, DefaultsAddedFlag: true, ...(tag !== undefined && { tag }) }),
    Stage: 40,
    UserAzureActiveDirectoryObjectId: nobody,
    UserId: user,
  }
  return {
    // The serializer escapes slashes, in dates and in type names.
    body: Buffer.from(JSON.stringify(context).replaceAll('/', '\\/')),
    contentType: 'application/json',
    messageId: randomUUID(),
    correlationId: `{${correlationId.toUpperCase()}}`,
    applicationProperties: {
      [`${claims}/Organization`]: organization.host,
      [`${claims}/User`]: user,
      [`${claims}/InitiatingUser`]: user,
      [`${claims}/EntityLogicalName`]: table,
      [`${claims}/RequestName`]: message,
    },
  }
}

function contactValues(contact: NewContact, now: Date): Readonly<Record<string, unknown>> {
  return {
    firstname: contact.firstName,
    lastname: contact.lastName,
    fullname: fullNameOf(contact),
    emailaddress1: contact.email ?? null,
    statecode: { __type: `OptionSetValue:${contracts}`, Value: 0 },
    createdon: `/Date(${now.getTime()})/`,
    contactid: contact.rowId,
    ownerid: reference('systemuser', user),
  }
}

const entity = (table: string, id: string, attributes: Readonly<Record<string, unknown>>) => ({
  __type: `Entity:${contracts}`,
  Attributes: pairs(attributes),
  EntityState: null,
  FormattedValues: [],
  Id: id,
  KeyAttributes: [],
  LogicalName: table,
  RelatedEntities: [],
  RowVersion: null,
})

const reference = (table: string, id: string) => ({
  __type: `EntityReference:${contracts}`,
  Id: id,
  KeyAttributes: [],
  LogicalName: table,
  Name: null,
  RowVersion: null,
})

const pairs = (members: Readonly<Record<string, unknown>>) =>
  Object.entries(members).map(([key, value]) => ({ key, value }))

const fullNameOf = ({ firstName, lastName }: NewContact) => `${firstName} ${lastName}`
