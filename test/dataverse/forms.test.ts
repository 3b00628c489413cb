// The three forms of a message: what is written in one is read as it is in the others, and no bytes at all do harm.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readDataverseEvents } from '../../src/dataverse/read-event.js'
import { largestBody, readContext } from '../../src/dataverse/read-context.js'
import type { Entity, RemoteContext, Value, Values } from '../../src/dataverse/remote-context.js'
import { SagaError } from '../../src/saga/errors.js'
import { pseudoRandom } from '../pseudo-random.js'
import { asBinary, asJson, asXml } from './write-context.js'

const guid = fc.uuid()
const word = fc.stringMatching(/^[a-z_]{1,12}$/)
/** What XML can carry, but nothing that JSON would take for a date. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  // oxlint-disable-next-line no-control-regex -- XML has none of them
  .map((raw) => raw.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udfff]/gu, '?'))
const exact = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.stringMatching(/^\d{0,9}$/))
  .map(([whole, fraction]) => ({
    kind: 'number' as const,
    text: fraction === '' ? String(whole) : `${whole}.${fraction}`,
  }))
  .filter(({ text: digits }) => !digits.startsWith('-0'))
const date = fc
  .integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })
  .map((ms) => ({ kind: 'date' as const, ms }))
const choice = fc.integer().map((value) => ({ kind: 'choice' as const, value }))
const reference = fc.record({ kind: fc.constant('reference' as const), table: word, id: guid, name: fc.option(text) })
const simple: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  text,
  guid,
  exact,
  date,
  choice,
  reference,
  fc.record({ kind: fc.constant('money' as const), amount: fc.option(exact) }),
  fc.record({ kind: fc.constant('relationship' as const), name: word }),
  fc.record({ kind: fc.constant('aliased' as const), table: word, column: word, value: fc.oneof(text, exact, choice) }),
  fc.record({ kind: fc.constant('other' as const), type: fc.constantFrom('QueryExpression', 'ColumnSet') }),
  fc.record({ kind: fc.constant('texts' as const), texts: fc.dictionary(word, text, { minKeys: 1 }) }),
  fc.record({
    kind: fc.constant('list' as const),
    items: fc.array(fc.oneof(choice, reference, text), { maxLength: 4 }),
  }),
)
const values = (of: fc.Arbitrary<Value>): fc.Arbitrary<Values> => fc.dictionary(word, of, { maxKeys: 6 })
const entityOf = (attributes: fc.Arbitrary<Values>): fc.Arbitrary<Entity> =>
  fc.record({
    kind: fc.constant('entity' as const),
    table: word,
    id: guid,
    attributes,
    rowVersion: fc.option(fc.stringMatching(/^\d{1,9}$/)),
  })
const row = entityOf(values(simple))
const rows = fc.record({ kind: fc.constant('rows' as const), table: word, rows: fc.array(row, { maxLength: 3 }) })
const anything = fc.oneof({ weight: 5, arbitrary: simple }, row, rows, entityOf(values(fc.oneof(simple, rows))))

const contextWith = (parent: fc.Arbitrary<RemoteContext | null>): fc.Arbitrary<RemoteContext> =>
  fc.record({
    messageName: fc.constantFrom('Create', 'Update', 'Delete', 'Associate', 'new_Approve'),
    primaryEntityName: word,
    primaryEntityId: guid,
    organizationId: guid,
    operationId: guid,
    correlationId: guid,
    requestId: fc.option(guid),
    initiatingUserId: fc.option(guid),
    owningExtension: fc.option(reference),
    depth: fc.option(fc.integer({ min: 1, max: 8 })),
    mode: fc.option(fc.constantFrom(0, 1)),
    operationCreatedOn: fc.option(fc.integer({ min: 0, max: 4_102_444_800_000 })),
    inputParameters: values(anything),
    outputParameters: values(simple),
    sharedVariables: values(simple),
    preImages: values(row),
    postImages: values(row),
    parent,
  })
const context = contextWith(fc.option(contextWith(fc.constant(null))))

describe('a message that any writer could make', () => {
  it('is read as it was meant, in all three forms', () => {
    fc.assert(
      fc.property(context, (written) => {
        expect(readContext(asJson(written))).toEqual(written)
        expect(readContext(asXml(written))).toEqual(written)
        expect(readContext(asBinary(written))).toEqual(written)
      }),
      { numRuns: 300 },
    )
  })

  it('gives the same events, in all three forms', () => {
    fc.assert(
      fc.property(context, (written) => {
        const events = readDataverseEvents(asJson(written))
        expect(readDataverseEvents(asXml(written))).toEqual(events)
        expect(readDataverseEvents(asBinary(written))).toEqual(events)
      }),
      { numRuns: 100 },
    )
  })
})

/** FUZZ=100000 makes it as many for each form. */
const mutations = Number(process.env['FUZZ'] ?? 3_000)

describe('bytes that somebody damaged', () => {
  it.each([
    ['JSON', asJson],
    ['XML', asXml],
    ['binary XML', asBinary],
  ])('%s: are an event, or an error with a code, in a moment', { timeout: 600_000 }, (_, write) => {
    const seeds = fc.sample(context, { numRuns: 20, seed: 7 }).map(write)
    const random = pseudoRandom(42)
    let read = 0
    let slowest = 0
    const unexpected: string[] = []
    for (let count = 0; count < mutations; count++) {
      const bytes = damaged(seeds[count % seeds.length] ?? Buffer.alloc(0), seeds, random)
      const at = performance.now()
      try {
        readDataverseEvents(bytes)
        read += 1
      } catch (error) {
        if (!(error instanceof SagaError))
          unexpected.push(`${String(error)}: ${bytes.toString('base64').slice(0, 400)}`)
      }
      slowest = Math.max(slowest, performance.now() - at)
    }
    const memory = Math.round(process.memoryUsage().rss / 2 ** 20)
    process.stdout.write(
      `${mutations} damaged bodies: ${read} read all the same, slowest ${slowest.toFixed(1)} ms, ${memory} MB\n`,
    )

    expect(unexpected).toEqual([])
    expect(read).toBeLessThan(mutations)
  })

  it.each([
    ['ten megabytes', Buffer.alloc(10_000_000, '{'), 'EVENT_TOO_LARGE'],
    ['JSON, nested 10,000 deep', Buffer.from('['.repeat(10_000)), 'EVENT_NOT_JSON'],
    [
      'JSON, nested 10,000 deep in one member',
      Buffer.from(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
      'EVENT_NOT_JSON',
    ],
    ['XML, nested 10,000 deep', Buffer.from('<a>'.repeat(10_000)), 'EVENT_NOT_XML'],
    ['binary XML, nested 10,000 deep', Buffer.from('40016140016140'.repeat(10_000), 'hex'), 'EVENT_NOT_BINARY_XML'],
    ['XML with a document type', Buffer.from('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), 'EVENT_NOT_XML'],
    ['XML that is cut', Buffer.from('<RemoteExecutionContext><MessageName>Create'), 'EVENT_NOT_XML'],
    ['binary XML that claims two gigabytes', Buffer.from('4001619dffffff7f', 'hex'), 'EVENT_NOT_BINARY_XML'],
    ['binary XML that claims a huge array', Buffer.from('40016103400162018bffffffff07', 'hex'), 'EVENT_NOT_BINARY_XML'],
    ['binary XML with a dictionary', Buffer.from('4202', 'hex'), 'EVENT_NOT_JSON'],
    ['XML of something else', Buffer.from('<html/>'), 'EVENT_NOT_A_CONTEXT'],
    ['something compressed', Buffer.from('1f8b0800', 'hex'), 'EVENT_NOT_JSON'],
    ['nothing at all', Buffer.alloc(0), 'EVENT_NOT_JSON'],
  ])('%s is refused with its own code', (_, bytes, code) => {
    expect(() => readDataverseEvents(bytes)).toThrow(expect.objectContaining({ code }))
  })

  it('the largest body that is read is larger than any that Dataverse sends', () => {
    expect(largestBody).toBeGreaterThan(256 * 1024)
  })
})

/** Cuts, flips, repeats, and takes parts of others. */
function damaged(bytes: Buffer, others: readonly Buffer[], random: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes)
  const at = random(copy.length)
  const length = random(64)
  switch (random(5)) {
    case 0:
      for (let flips = random(8); flips >= 0; flips--) copy[random(copy.length)] = random(256)
      return copy
    case 1:
      return copy.subarray(0, at)
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)])
    case 3:
      return Buffer.concat([
        copy.subarray(0, at),
        ...Array.from({ length: random(50) }, () => copy.subarray(at, at + length)),
        copy.subarray(at),
      ])
    default: {
      const other = others[random(others.length)] ?? copy
      return Buffer.concat([copy.subarray(0, at), other.subarray(random(other.length))])
    }
  }
}
