// A partner that honours idempotency keys: the first answer under a key is the answer, for ever.

import type { Entry, Ledger } from './ledger.js'
import { type Answer, type Asked, Refusal } from './partner-server.js'

/**
 * Does the effect unless it was done under the request's key before; then the same answer is given, marked as a replay.
 * The entry's detail keeps answer and body, so that keys outlive a restart.
 */
export function once(
  ledger: Ledger,
  { headers, body }: Asked,
  effect: () => { readonly effect: string; readonly subject: string; readonly answer: Answer },
): Answer {
  const key = headers['idempotency-key'] ?? null
  const asked = JSON.stringify(body ?? null)
  const before = key === null ? undefined : ledger.entries.find((entry) => entry.key === key)
  if (before) {
    if (before.detail['asked'] !== asked)
      throw new Refusal(409, 'KEY_REUSED', 'The idempotency key was used for another request.')
    const { status, body: answered } = answerIn(before)
    return { status, body: answered, headers: { 'idempotent-replayed': 'true' } }
  }
  const { answer, ...done } = effect()
  ledger.add({ ...done, key, detail: { asked, status: answer.status, answer: answer.body } })
  return answer
}

/** What was done under a key, for those who lost the answer. */
export function tellKey(ledger: Ledger, key: string): Answer {
  const entry = ledger.entries.find((one) => one.key === key)
  if (!entry) throw new Refusal(404, 'KEY_UNKNOWN', 'Nothing was done under this key.')
  return answerIn(entry)
}

export function answerIn({ detail }: Entry): Answer {
  return { status: Number(detail['status']), body: detail['answer'] }
}
