// A pretend master data system: gives each contact a key, and retires it again.

import { z } from 'zod'
import { answerIn, once, tellKey } from './idempotent.js'
import type { Ledger } from './ledger.js'
import { type Answer, type Asked, Refusal } from './partner-server.js'

const registration = z.object({ rowId: z.string(), name: z.string() })
const record = z.object({ id: z.string() })

export function masterData(ledger: Ledger): (asked: Asked) => Answer {
  const registered = () => ledger.entries.filter(({ effect }) => effect === 'register')
  const isRetired = (id: string) =>
    ledger.entries.some(({ effect, detail }) => effect === 'retire' && idIn(detail['answer']) === id)

  function find(id: string) {
    const entry = registered().find(({ detail }) => idIn(detail['answer']) === id)
    if (!entry) throw new Refusal(404, 'RECORD_UNKNOWN', `There is no record ${id}.`)
    return entry
  }

  return (asked) => {
    const { method, path } = asked
    const [root, id = '', action] = path
    if (method === 'POST' && root === 'records' && id === '')
      return once(ledger, asked, () => {
        const { rowId } = parsed(registration, asked.body)
        const given = `MD-${String(registered().length + 1).padStart(6, '0')}`
        return { effect: 'register', subject: rowId, answer: { status: 201, body: { id: given } } }
      })
    if (method === 'POST' && root === 'records' && action === 'retire')
      return once(ledger, asked, () => ({
        effect: 'retire',
        subject: find(id).subject,
        answer: { status: 200, body: { id, state: 'retired' } },
      }))
    if (method === 'GET' && root === 'records' && id !== '')
      return { ...answerIn(find(id)), body: { id, state: isRetired(id) ? 'retired' : 'active' } }
    if (method === 'GET' && root === 'keys') return tellKey(ledger, id)
    throw new Refusal(404, 'ROUTE_UNKNOWN', 'There is nothing here.')
  }
}

const idIn = (answer: unknown) => record.safeParse(answer).data?.id

export function parsed<Value>(schema: z.ZodType<Value>, body: unknown): Value {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw new Refusal(400, 'BODY_MALFORMED', `${issue?.path.join('.') ?? 'The body'}: ${issue?.message ?? ''}`)
}
