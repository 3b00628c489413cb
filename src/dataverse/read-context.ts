// The bytes of a message, in whichever of its three forms Dataverse posts them → one RemoteContext.
//
// Never: believes what a message says about its form; its first byte tells.

import { z } from 'zod'
import { SagaError } from '../saga/errors.js'
import { readBinaryXml } from './binary-xml.js'
import { jsonMembers, readJson } from './from-json.js'
import { xmlMembers } from './from-xml.js'
import type { Members, RemoteContext } from './remote-context.js'
import { readXml } from './xml-element.js'

/** Bytes. Dataverse sends 192 KB to Service Bus and 256 KB to webhooks; somebody's own plug-in may send some more. */
export const largestBody = 1024 * 1024

/** The record of an element without prefix; no text in JSON or XML begins with this character. */
const beginsBinary = 0x40

/**
 * What stands in the body: the members of a context, or the parsed JSON of somebody else.
 * @throws SagaError `EVENT_TOO_LARGE`, `EVENT_NOT_JSON`, `EVENT_NOT_XML`, `EVENT_NOT_BINARY_XML`
 */
export function readBody(body: Uint8Array): { readonly members: Members | undefined; readonly json?: unknown } {
  if (body.length > largestBody) throw SagaError.of('EVENT_TOO_LARGE', { size: body.length, largest: largestBody })
  if (body[0] === beginsBinary) return { members: xmlMembers(readBinaryXml(body)) }
  const text = decode(body)
  if (text.trimStart().startsWith('<')) return { members: xmlMembers(readXml(text)) }
  const json = readJson(text)
  return { members: jsonMembers(json), json }
}

function decode(body: Uint8Array): string {
  try {
    // Both drop a byte order mark, and refuse what is not of their encoding.
    return new TextDecoder(body[0] === 0xff && body[1] === 0xfe ? 'utf-16le' : 'utf-8', { fatal: true }).decode(body)
  } catch {
    throw SagaError.of('EVENT_NOT_JSON', { why: 'it can not be parsed' })
  }
}

const guid = z.guid().transform((text) => text.toLowerCase())
const guidOrNull = guid.nullable().catch(null)
const number = z.coerce.number().int().nullable().catch(null)

const identity = z.object({
  MessageName: z.string().min(1),
  PrimaryEntityName: z.string().nullable(),
  PrimaryEntityId: guid,
  OrganizationId: guid,
  OperationId: guid,
  CorrelationId: guid,
  RequestId: guidOrNull,
  InitiatingUserId: guidOrNull,
  Depth: number,
  Mode: number,
})

/** @throws SagaError `EVENT_NOT_A_CONTEXT` naming the member */
export function contextOf(members: Members | undefined): RemoteContext {
  if (!members) throw SagaError.of('EVENT_NOT_A_CONTEXT', { member: '(body)', why: 'it is no context' })
  const read = identity.safeParse(
    Object.fromEntries(Object.keys(identity.shape).map((name) => [name, members.text(name)])),
  )
  if (!read.success) {
    const [first] = read.error.issues
    throw SagaError.of('EVENT_NOT_A_CONTEXT', { member: first?.path.join('.') || '(body)', why: first?.message ?? '' })
  }
  const parent = members.parent()
  return {
    messageName: read.data.MessageName,
    primaryEntityName: read.data.PrimaryEntityName ?? '',
    primaryEntityId: read.data.PrimaryEntityId,
    organizationId: read.data.OrganizationId,
    operationId: read.data.OperationId,
    correlationId: read.data.CorrelationId,
    requestId: read.data.RequestId,
    initiatingUserId: read.data.InitiatingUserId,
    owningExtension: members.reference('OwningExtension'),
    depth: read.data.Depth,
    mode: read.data.Mode,
    operationCreatedOn: members.date('OperationCreatedOn'),
    inputParameters: members.values('InputParameters'),
    outputParameters: members.values('OutputParameters'),
    sharedVariables: members.values('SharedVariables'),
    preImages: members.values('PreEntityImages'),
    postImages: members.values('PostEntityImages'),
    parent: parent && contextOf(parent),
  }
}

/** @throws SagaError of all that reading can go wrong with */
export const readContext = (body: Uint8Array): RemoteContext => contextOf(readBody(body).members)
