// What the saga may believe after one request, answer by answer.

import { describe, expect, it } from 'vitest'
import { outcomeOf, type Reply } from '../../src/partner/classify.js'

const readNumber = (body: unknown) => {
  if (typeof body === 'object' && body !== null && 'number' in body) return body.number
  throw new Error('no number')
}
const outcome = (reply: Reply, meanings = {}) => outcomeOf(reply, meanings, readNumber)
const status = (code: number, body?: unknown): Reply => ({ status: code, body })

describe('an answer', () => {
  it('of success that can be read is applied, with what it brought', () => {
    expect(outcome(status(201, { number: 7 }))).toEqual({ kind: 'applied', output: 7 })
  })

  it('of success that can not be read is in doubt, and is not quoted', () => {
    expect(outcome(status(200, '<html>secret</html>'))).toEqual({
      kind: 'inDoubt',
      reason: 'HTTP 200, but the answer is not what the action declares',
    })
  })

  it.each([
    [301, 'refused'],
    [400, 'refused'],
    [401, 'deferred'],
    [403, 'refused'],
    [404, 'refused'],
    [408, 'deferred'],
    [409, 'refused'],
    [422, 'refused'],
    [425, 'deferred'],
    [429, 'deferred'],
    [500, 'inDoubt'],
    [502, 'inDoubt'],
    [503, 'inDoubt'],
    [504, 'inDoubt'],
  ])('of HTTP %i is %s', (code, kind) => {
    expect(outcome(status(code)).kind).toBe(kind)
  })

  it('of HTTP 503 that says when to come back is deferred until then', () => {
    expect(outcome({ status: 503, body: undefined, retryAfterMs: 5_000 })).toEqual({
      kind: 'deferred',
      reason: 'HTTP 503',
      retryAfterMs: 5_000,
    })
  })

  it('means what the action says it means', () => {
    expect(outcome(status(404, { number: 1 }), { 404: 'applied' })).toEqual({ kind: 'applied', output: 1 })
    expect(outcome(status(500), { 500: 'refused' }).kind).toBe('refused')
  })

  it.each([
    ['OData', { error: { code: '0x80040217', message: 'Does Not Exist' } }, 'HTTP 400 0x80040217: Does Not Exist'],
    ['a problem document', { title: 'Out of credit', detail: 'secret' }, 'HTTP 400 Out of credit'],
    ['nothing known', { secret: 1 }, 'HTTP 400'],
    ['text', 'secret', 'HTTP 400'],
  ])('in the words of %s gives a reason of code and message only', (_, body, reason) => {
    expect(outcome(status(400, body))).toEqual({ kind: 'refused', reason })
  })
})

describe('no answer', () => {
  it('is deferred when the request can not have been sent', () => {
    expect(outcome({ failed: 'connect ECONNREFUSED', sent: false })).toEqual({
      kind: 'deferred',
      reason: 'connect ECONNREFUSED',
    })
  })

  it('is in doubt when it may have been', () => {
    expect(outcome({ failed: 'socket hang up', sent: true }).kind).toBe('inDoubt')
  })
})
