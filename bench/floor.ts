// What the engine is measured against: the calls of contact-onboarding, one after the other, with nothing around them.

import { Agent, request } from 'undici'

/** One call; resolves when its answer is read. */
export type Call = (method: 'GET' | 'POST' | 'PATCH', url: string, body?: object) => Promise<void>

const json = { 'content-type': 'application/json' }

/** As a plain program calls. */
export const byFetch: Call = async (method, url, body) => {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body), headers: json }) })
  await response.text()
}

/** As leanly as Node can: several times as fast as `fetch`. */
export function byUndici(): Call {
  const dispatcher = new Agent()
  return async (method, url, body) => {
    const answer = await request(url, {
      dispatcher,
      method,
      ...(body && { body: JSON.stringify(body), headers: json }),
    })
    await answer.body.text()
  }
}

/** @param after what follows each call: nothing, or a sync */
export async function bareSaga(
  url: string,
  rowId: string,
  call: Call,
  after: (step: number) => Promise<void> = async () => undefined,
): Promise<void> {
  const row = `${url}/api/data/v9.2/contacts(${rowId})`
  await call('GET', `${row}?$select=fullname,emailaddress1`)
  await after(0)
  await call('POST', `${url}/records`, { rowId })
  await after(1)
  await call('PATCH', row, { dvs_masterdataid: rowId })
  await after(2)
  await call('POST', `${url}/customers`, { rowId })
  await after(3)
}
