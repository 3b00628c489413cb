// The operators' API: asks with the function key if there is one, and turns problem documents into errors.
//
// Promises: the key lives in this tab's session storage only, and travels in a header, never in an address.

import type { Answers } from './answers.mjs'

/** An error as the API tells it. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  /** What to do. */
  readonly remedy: string

  constructor(status: number, code: string, title: string, remedy: string) {
    super(title)
    this.status = status
    this.code = code
    this.remedy = remedy
  }
}

/** Of the page itself: `/api/console`, wherever the host puts `/api`. */
const root = new URL('.', location.href)
const keyName = 'dataverse-saga-key'

/** Asks the person for a key; replaced by the page once it can show a dialog. Resolves without one when the person gives up. */
let askForKey: (isWrong: boolean) => Promise<string | undefined> = () => Promise.resolve(undefined)
let asked: Promise<string | undefined> | undefined

export function askKeyWith(ask: typeof askForKey): void {
  askForKey = ask
}

export async function get<Question extends keyof Answers>(
  _: Question,
  path: string,
  signal?: AbortSignal,
): Promise<Answers[Question]> {
  return read(await send(path, signal ? { signal } : {}))
}

export async function post<Question extends keyof Answers>(
  _: Question,
  path: string,
  body: object,
): Promise<Answers[Question]> {
  return read(
    await send(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  )
}

/** Calls `changed` when the stream is open and at each event, until the server ends it. @throws Problem */
export async function listen(path: string, signal: AbortSignal, changed: () => void): Promise<void> {
  const response = await send(path, { signal, headers: { accept: 'text/event-stream' } })
  if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body)
    throw new Problem(response.status, 'NO_STREAM', 'The API does not stream', 'It is asked every few seconds instead.')
  changed()
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (rest + value).split(/\r?\n\r?\n/)
    rest = blocks.pop() ?? ''
    if (blocks.some((block) => /^data:/m.test(block))) changed()
  }
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

async function send(path: string, init: Sent): Promise<Response> {
  let key = sessionStorage.getItem(keyName)
  for (;;) {
    const response = await fetch(new URL(path, root), {
      ...init,
      headers: { ...init.headers, ...(key && { 'x-functions-key': key }) },
    })
    if (response.ok) return response
    if (response.status !== 401) throw await problemIn(response)
    const given = await keyInsteadOf(key)
    if (given === undefined) throw await problemIn(response)
    key = given
  }
}

/** The key that another question was given meanwhile, or one that the person is asked for, once for all questions that wait for it. */
function keyInsteadOf(wrong: string | null): Promise<string | undefined> {
  const now = sessionStorage.getItem(keyName)
  if (now !== null && now !== wrong) return Promise.resolve(now)
  asked ??= askForKey(wrong !== null).then((key) => {
    asked = undefined
    if (key !== undefined) sessionStorage.setItem(keyName, key)
    return key
  })
  return asked
}

/** The server's own tests hold its answers against the same types. */
async function read<Answer>(response: Response): Promise<Answer> {
  return JSON.parse((await response.text()) || '{}')
}

async function problemIn(response: Response): Promise<Problem> {
  const text = await response.text()
  const told = parsed(text)
  const member = (name: string) => {
    const value = typeof told === 'object' && told !== null && name in told ? Reflect.get(told, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  return new Problem(
    response.status,
    member('code') ?? `HTTP ${response.status}`,
    member('title') ?? (response.status === 401 ? 'A function key is needed.' : `The API answered ${response.status}.`),
    member('detail') ?? '',
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
