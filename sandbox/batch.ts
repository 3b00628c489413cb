// A `$batch` of the Web API, taken apart and put together again. No change sets: nobody sends any.

import type { Answer, Asked } from './partner-server.js'

const lineEnd = '\r\n'

export const isBatch = ({ method, path }: Asked) => method === 'POST' && path.at(-1) === '$batch'

/** The requests in it, in their order. */
export function requestsIn({ body, headers, url }: Asked): Asked[] {
  const [, boundary = ''] = /boundary=([^;]+)/.exec(headers['content-type'] ?? '') ?? []
  const [, ...parts] = `${lineEnd}${String(body)}`.split(`${lineEnd}--${boundary}`)
  return parts.filter((part) => !part.startsWith('--')).map((part) => requestIn(part, url))
}

function requestIn(part: string, outer: URL): Asked {
  // The part's own headers, the request's line and headers, and its body: each after an empty line.
  const [, head = '', ...rest] = part.split(`${lineEnd}${lineEnd}`)
  const [line = '', ...lines] = head.split(lineEnd)
  const [method = '', target = ''] = line.split(' ')
  const url = new URL(target, outer)
  const text = rest.join(lineEnd + lineEnd).trim()
  return {
    method,
    url,
    path: url.pathname.split('/').filter(Boolean).map(decodeURIComponent),
    body: text === '' ? undefined : JSON.parse(text),
    headers: Object.fromEntries(
      lines
        .map((one) => /^([^:]+): *(.*)$/.exec(one)?.slice(1) ?? [])
        .map(([name = '', value]) => [name.toLowerCase(), value]),
    ),
  }
}

export function answerWith(answers: readonly Answer[]): Answer {
  const boundary = 'batchresponse_sandbox'
  const parts = answers.map(({ status, body, headers = {} }) =>
    [
      `--${boundary}`,
      'Content-Type: application/http',
      'Content-Transfer-Encoding: binary',
      '',
      `HTTP/1.1 ${status} ${status < 300 ? 'OK' : 'Error'}`,
      ...(body === undefined ? [] : ['Content-Type: application/json; odata.metadata=minimal']),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      body === undefined ? '' : JSON.stringify(body),
    ].join(lineEnd),
  )
  return {
    status: 200,
    headers: { 'content-type': `multipart/mixed; boundary=${boundary}` },
    text: [...parts, `--${boundary}--`, ''].join(lineEnd),
  }
}
